import { parseArgs } from 'node:util'
import { availableParallelism } from 'node:os'

/** What `npm run simulate` is told. */
export interface SimulateOptions {
  readonly runs: number
  readonly seed: number
  readonly steps: number
  readonly workers: number
  /** A bug that is put in, by name. */
  readonly bug: string | undefined
  readonly coverage: boolean
  readonly pairs: boolean
  readonly trace: boolean
  readonly bugs: boolean
}

export const usage = `npm run simulate -- [options]

  --runs N      how many runs, with seeds from S on (100)
  --seed S      the first seed (1)
  --steps N     things that are done in a run, at most (60)
  --workers N   processes that share the runs (one a core)
  --trace       prints everything that happens in the first run
  --pairs       makes each run twice, and compares the traces
  --coverage    counts the states and transitions that were reached; slower
  --bug NAME    puts a bug in, to see it found
  --bugs        finds each of the bugs there are, in at most N runs, and prints the table`

/** @throws TypeError for options that there are not, or that are no numbers */
export function readOptions(args: readonly string[]): SimulateOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string' },
      seed: { type: 'string', default: '1' },
      steps: { type: 'string', default: '60' },
      workers: { type: 'string', default: String(availableParallelism()) },
      bug: { type: 'string' },
      bugs: { type: 'boolean', default: false },
      coverage: { type: 'boolean', default: false },
      pairs: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
    },
  })
  const number = (name: string, text: string, least: number): number => {
    const value = Number(text)
    if (Number.isSafeInteger(value) && value >= least) return value
    throw new TypeError(`--${name} must be a whole number from ${least} on, not '${text}'`)
  }
  const { runs = values.bugs ? '2000' : '100', seed, steps, workers, ...rest } = values
  return {
    ...rest,
    bug: rest.bug,
    runs: number('runs', runs, 1),
    seed: number('seed', seed, 0),
    steps: number('steps', steps, 2),
    workers: number('workers', workers, 1),
  }
}
