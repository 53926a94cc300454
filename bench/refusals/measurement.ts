import type { ServerBundle } from '../processes/server-bundle.ts'
import { ServerProcess } from '../processes/server-process.ts'
import { attempt, secret, type AttemptKind, type RefusingOptions } from './attempts.ts'

/** How much is tried. */
export interface RefusalPlan {
  readonly kinds: readonly AttemptKind[]
  /** Rounds that count, after one that does not. In each of them every kind has its turn. */
  readonly rounds: number
  /** Attempts of one kind in a round. */
  readonly attempts: number
}

/** CPU time of the server for one attempt (µs), by kind, in each round. */
export type RefusalCosts = ReadonlyMap<AttemptKind, readonly number[]>

/** Attempts that are under way at once. */
const atOnce = 20

/** Measures what attempts cost the server: each kind has a server of its own, and they take turns. */
export async function measureRefusals(plan: RefusalPlan, command: readonly string[], bundle: ServerBundle) {
  const { kinds, rounds, attempts } = plan
  const servers = new Map<AttemptKind, ServerProcess>()
  try {
    for (const kind of kinds) {
      const options: RefusingOptions = { secret, ...kind.options }
      servers.set(kind, await ServerProcess.start([...command, bundle.pathOf('refusing'), JSON.stringify(options)]))
    }
    const costs = new Map<AttemptKind, number[]>(kinds.map((kind) => [kind, []]))
    for (let round = 0; round <= rounds; round++) {
      for (const [kind, server] of servers) {
        const cost = await costOf(kind, server, attempts)
        // The first time code is compiled.
        if (round > 0) costs.get(kind)?.push(cost)
      }
    }
    return costs as RefusalCosts
  } finally {
    for (const server of servers.values()) await server.stop()
  }
}

async function costOf(kind: AttemptKind, server: ServerProcess, attempts: number): Promise<number> {
  const before = await server.cpuMicros()
  let begun = 0
  const visitor = async (): Promise<void> => {
    while (begun++ < attempts) await attempt(server.port, kind)
  }
  // Those whose time has to pass wait for it together.
  const waits = kind.name === 'silent' || kind.name === 'mute'
  await Promise.all(Array.from({ length: waits ? attempts : atOnce }, visitor))
  return ((await server.cpuMicros()) - before) / attempts
}

/** The median of some figures. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low = NaN, high = NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]]
  return (low + high) / 2
}

/** What one kind costs for each µs of another in the same round: the median over all rounds. */
export function ratio(costs: RefusalCosts, kind: AttemptKind, other: AttemptKind): number {
  const others = costs.get(other) ?? []
  return median((costs.get(kind) ?? []).map((cost, round) => cost / (others[round] ?? NaN)))
}
