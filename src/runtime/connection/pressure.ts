import type { Frame } from '../ports/frame.ts'

/** A queue that has grown because its reader is slow. */
export interface SlowQueue {
  /** What waits in it, in bytes. */
  readonly bytes: number
  /** Lets go of all that waits, and ends the connection that it belongs to. */
  overflow(): void
}

/**
 * What all slow readers of a process hold together. A frame that waits for many of them is one frame and counts once.
 * Beyond the limit the slowest go first.
 */
export class Pressure {
  readonly #limitBytes: number
  /** The slow readers, and what waited in their sockets when they last took no more. */
  readonly #slow = new Map<SlowQueue, number>()
  #bytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** What is held now, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** How many readers are slow just now. */
  get slow(): number {
    return this.#slow.size
  }

  /** A reader has become slow; `bytes` wait in its socket. */
  enter(queue: SlowQueue, bytes: number): void {
    this.leave(queue)
    this.#slow.set(queue, bytes)
    this.#grow(bytes)
  }

  /** It is slow no more, or gone. */
  leave(queue: SlowQueue): void {
    this.#bytes -= this.#slow.get(queue) ?? 0
    this.#slow.delete(queue)
  }

  /** A frame waits for one more slow reader. */
  hold(frame: Frame): void {
    if (frame.waiting++ === 0) this.#grow(frame.byteLength)
  }

  /** It waits for one less. */
  release(frame: Frame): void {
    if (--frame.waiting === 0) this.#bytes -= frame.byteLength
  }

  #grow(bytes: number): void {
    this.#bytes += bytes
    while (this.#bytes > this.#limitBytes) {
      let slowest: SlowQueue | undefined
      for (const queue of this.#slow.keys()) if (slowest === undefined || queue.bytes > slowest.bytes) slowest = queue
      if (slowest === undefined) return
      slowest.overflow()
      this.leave(slowest)
    }
  }
}
