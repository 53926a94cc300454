import { parseArgs } from 'node:util'
import { serverNames, type ServerName } from './dialects.ts'
import { workloads, type Workload } from './fanout/workloads.ts'

/** What a run is asked to do. */
export interface BenchOptions {
  readonly rounds: number
  readonly workloads: readonly Workload[]
  readonly servers: readonly ServerName[]
  /** How long each measurement takes (ms). */
  readonly windowMs: number
  /** Where CPU profiles of the servers go, if they are wanted. */
  readonly profileDirectory: string | undefined
}

export const usage = `npm run bench -- [--rounds 5] [--only fanout,rooms,echo] [--servers ${serverNames.join(',')}]
                 [--window-ms 1000] [--cpu-prof <directory>]`

/**
 * Reads the command line.
 *
 * @throws Error when it asks for what there is not
 */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      only: { type: 'string' },
      servers: { type: 'string' },
      'window-ms': { type: 'string', default: '1000' },
      'cpu-prof': { type: 'string' },
    },
  })
  return {
    rounds: positive('rounds', values.rounds),
    workloads: chosen('only', values.only, workloads, ({ name }) => name),
    servers: chosen('servers', values.servers, serverNames, (name) => name),
    windowMs: positive('window-ms', values['window-ms']),
    profileDirectory: values['cpu-prof'],
  }
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${option} must be a positive integer, not '${text}'`)
  return value
}

function chosen<Item>(
  option: string,
  text: string | undefined,
  items: readonly Item[],
  nameOf: (item: Item) => string,
): readonly Item[] {
  if (text === undefined) return items
  const wanted = text.split(',')
  for (const name of wanted) {
    if (!items.some((item) => nameOf(item) === name)) throw new Error(`--${option} knows no '${name}'`)
  }
  return items.filter((item) => wanted.includes(nameOf(item)))
}
