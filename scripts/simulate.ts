import { simulate } from '../src/testing/index.ts'
import { bugs } from '../test/simulation/bugs.ts'
import { mutantOf } from '../test/simulation/mutant.ts'
import { describeCoverage } from './simulation/coverage.ts'
import { readOptions, usage, type SimulateOptions } from './simulation/options.ts'
import { Tally } from './simulation/tally.ts'
import { shareRuns } from './simulation/workers.ts'
import type { Told } from './simulation/worker.ts'

/** How to see a run again. */
function replayOf(seed: number, { steps, bug, pairs }: SimulateOptions): string {
  const options = [`--seed ${seed} --runs 1`]
  if (pairs) options.push('--pairs')
  if (steps !== 60) options.push(`--steps ${steps}`)
  if (bug !== undefined) options.push(`--bug "${bug}"`)
  return `npm run simulate -- ${options.join(' ')}`
}

async function run(options: SimulateOptions): Promise<boolean> {
  if (options.trace) {
    const bug = bugs.find(({ name }) => name === options.bug)
    const { seed, steps } = options
    const { simulate: run } = bug === undefined ? { simulate } : await mutantOf(bug)
    await run({ seed, steps, shrink: false, trace: (line) => console.log(line) })
  }
  const tally = new Tally()
  const failures: Told[] = []
  const reached = await shareRuns(options, (told) => {
    tally.add(told)
    if (told.found !== undefined || told.differs === true) failures.push(told)
    return failures.length === 0
  })
  console.log(tally.toString())
  if (options.coverage) console.log(describeCoverage(reached))
  for (const { seed, found } of failures) {
    if (found === undefined) console.log(`\nSeed ${seed} gave two different runs.`)
    else console.log(['', `Broken at seed ${seed}, by this history:`, ...found.history].join('\n  '))
    console.log(`\nAgain: ${replayOf(seed, options)}`)
  }
  return failures.length === 0
}

/** Which promise finds each bug, and after how many runs. */
async function table(options: SimulateOptions): Promise<boolean> {
  console.log('| bug | found by | in run | steps that it takes |\n|---|---|---|---|')
  let all = true
  for (const { name } of bugs) {
    let first: Told | undefined
    await shareRuns({ ...options, bug: name, workers: 1 }, (told) => {
      if (told.found !== undefined) first = told
      return first === undefined
    })
    const { seed = 0, found } = first ?? {}
    all &&= found !== undefined
    const row = found && [found.promise, seed - options.seed + 1, found.history.length - 2]
    console.log(`| ${name} | ${(row ?? ['nobody', `not in ${options.runs}`, '–']).join(' | ')} |`)
  }
  return all
}

if (process.argv.includes('--help')) {
  console.log(usage)
  process.exit(0)
}
try {
  const options = readOptions(process.argv.slice(2))
  if (options.bug !== undefined && !bugs.some(({ name }) => name === options.bug)) {
    throw new TypeError(`There is no bug '${options.bug}', but ${bugs.map(({ name }) => `'${name}'`).join(', ')}`)
  }
  process.exitCode = (await (options.bugs ? table(options) : run(options))) ? 0 : 1
} catch (error) {
  if (!(error instanceof TypeError)) throw error
  console.error(`${error.message}\n\n${usage}`)
  process.exitCode = 2
}
