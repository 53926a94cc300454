import * as machines from '../../machines/index.ts'
import { MachineCoverage, simulate, type SimulationReport } from '../../src/testing/index.ts'
import { bugs } from '../../test/simulation/bugs.ts'
import { mutantOf } from '../../test/simulation/mutant.ts'
import type { SimulateOptions } from './options.ts'

/** A failure, as it goes from one process to another. */
export interface Found {
  readonly promise: string
  readonly says: string
  readonly history: readonly string[]
}

/** What a worker says of a run; of the last one also what all of its runs have reached. */
export interface Told extends Omit<SimulationReport, 'failure'> {
  readonly found?: Found
  /** Whether the same seed gave another trace. */
  readonly differs?: boolean
}

export type WorkerMessage = { readonly told: Told } | { readonly reached: readonly string[] }

// One of several processes that share the runs: every so manieth seed is its own.

const options = JSON.parse(process.argv[2] ?? '{}') as SimulateOptions & {
  readonly first: number
  readonly stride: number
}
const bug = bugs.find(({ name }) => name === options.bug)
const run = bug === undefined ? simulate : (await mutantOf(bug)).simulate
const coverage = options.coverage
  ? new MachineCoverage(Object.values(machines).filter((each) => typeof each === 'object'))
  : undefined

const tell = (message: WorkerMessage): void => void process.send?.(message)

async function traceOf(seed: number): Promise<{ readonly report: SimulationReport; readonly trace: string }> {
  const lines: string[] = []
  const report = await run({ seed, steps: options.steps, trace: (line) => void lines.push(line) })
  return { report, trace: lines.join('\n') }
}

for (let seed = options.first; seed < options.seed + options.runs; seed += options.stride) {
  let differs = false
  let report: SimulationReport
  if (options.pairs) {
    const [one, other] = [await traceOf(seed), await traceOf(seed)]
    report = one.report
    differs = one.trace !== other.trace
  } else {
    const inspect = coverage === undefined ? {} : { inspect: coverage.inspect }
    report = await run({ seed, steps: options.steps, ...inspect })
  }
  const { failure, ...rest } = report
  tell({
    told: {
      ...rest,
      ...(differs ? { differs } : {}),
      ...(failure && {
        found: { promise: failure.broken.promise, says: failure.broken.message, history: failure.history },
      }),
    },
  })
  // The other side may have heard enough; its word comes with the next turn.
  await new Promise(setImmediate)
}
if (coverage !== undefined) tell({ reached: [...coverage.reached] })
process.disconnect?.()
