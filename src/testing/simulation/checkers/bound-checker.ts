import type { Court } from '../court.ts'
import type { Asked, Tapped, WireListener } from '../wire-tap.ts'

/** What a connection may make the server hold (bytes). */
export interface Bounds {
  readonly outboxBytes: number
  readonly replayBytes: number
  /** What a socket takes before it takes no more. */
  readonly highWaterBytes: number
  /** The largest frame. */
  readonly frameBytes: number
  /** What all slow readers may hold together. */
  readonly outboxTotalBytes: number
}

/** BOUND: slow readers hold what they may, and no more. */
export class BoundChecker implements WireListener {
  readonly #court: Court
  readonly #bounds: Bounds
  /** Connections that have asked for something that may be large. */
  readonly #askers = new Set<Tapped>()

  constructor(court: Court, bounds: Bounds) {
    this.#court = court
    this.#bounds = bounds
  }

  reset(): void {
    this.#askers.clear()
  }

  received(connection: Tapped, { type }: Asked): void {
    if (type === 'join' || type === 'history') this.#askers.add(connection)
  }

  ended(connection: Tapped): void {
    this.#askers.delete(connection)
  }

  /** Between two steps. */
  inspect({ readers, bytes }: { readonly readers: number; readonly bytes: number }): void {
    const { outboxBytes, replayBytes, highWaterBytes, frameBytes, outboxTotalBytes } = this.#bounds
    const each = outboxBytes + highWaterBytes + frameBytes
    const answers = Math.min(readers, this.#askers.size) * (outboxBytes + replayBytes)
    const allowed = Math.min(readers * each + answers, outboxTotalBytes + frameBytes)
    if (bytes > allowed) this.#court.accuse('BOUND', `${readers} slow readers hold ${bytes} bytes, not ${allowed}`)
  }
}
