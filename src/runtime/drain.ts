import type { ConnectionLink } from './connection/connection-link.ts'
import type { Core } from './core.ts'

/** Batches of a drain follow one another at this distance (ms). */
const intervalMs = 100

/**
 * Who goes when, while a runtime drains. The connections are spread evenly over a window: as long as it takes at the
 * agreed rate, and no longer than there is time. Each is told to come back at a moment of its own between its batch and
 * the next, so that wherever they come back to sees no steps.
 */
export class Drain {
  readonly #core: Core
  readonly #waiting: ConnectionLink[]
  readonly #count: number
  readonly #batches: number
  #batch = 0

  constructor(connections: readonly ConnectionLink[], withinMs: number, core: Core) {
    this.#core = core
    const { drainPerSecond, goodbyeGraceMs, closeTimeoutMs } = core.settings
    // What is told last has to be finished in time as well.
    const available = Math.max(0, withinMs - goodbyeGraceMs - Math.min(closeTimeoutMs, withinMs / 4))
    const windowMs = Math.min(available, (connections.length * 1_000) / drainPerSecond)
    this.#waiting = shuffled(connections, () => core.environment.random())
    this.#count = connections.length
    // With all the time there is and no rate they go one by one.
    this.#batches = Number.isFinite(windowMs) ? Math.floor(windowMs / intervalMs) + 1 : this.#count
  }

  /** Says goodbye to the next batch. */
  handOver(): void {
    this.#batch++
    // Batches of one size would be done too soon wherever that is no whole number: ten in a hundred batches, say.
    const staying = this.#count - Math.ceil((this.#count * this.#batch) / this.#batches)
    const batch = this.#waiting.splice(0, this.#waiting.length - staying)
    const { environment } = this.#core
    for (const link of batch) {
      const reconnectAfterMs = Math.round(environment.random() * intervalMs)
      this.#core.route(link.address, { type: 'connection.handOver', reconnectAfterMs } as never)
    }
  }
}

/**
 * Sees that a drain is given a time that is one.
 *
 * @throws RangeError when it is not
 */
export function checkDrainTime(withinMs: unknown): void {
  if (typeof withinMs === 'number' && withinMs >= 0) return
  throw new RangeError(`withinMs must be a number ≥ 0, not ${String(withinMs)}`)
}

/** In an order that nobody chose, so that those who came together do not come back together (Fisher–Yates). */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const [a, b] = [result[i], result[j]] as [T, T]
    result[i] = b
    result[j] = a
  }
  return result
}
