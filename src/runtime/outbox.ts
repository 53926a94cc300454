import type { Clock } from './environment.ts'
import type { Frame } from './frame.ts'
import type { TransportSocket } from './transport.ts'

/** Empties the outboxes that were written to in this turn of the event loop, each in one write. */
export class Flusher {
  readonly #clock: Clock
  #dirty: Outbox[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  mark(outbox: Outbox): void {
    if (this.#dirty.push(outbox) === 1) this.#clock.setImmediate(this.#flush)
  }

  readonly #flush = (): void => {
    const dirty = this.#dirty
    this.#dirty = []
    for (const outbox of dirty) outbox.flush()
  }
}

/** Who is told of an outbox's watermarks. */
export interface OutboxOwner {
  congested(): void
  decongested(): void
  overflowed(): void
}

/** A batch leaves before the end of the turn when it has grown to this. */
const earlyFlushBytes = 64 * 1024

/**
 * The bounded outgoing queue of one connection. Frames wait here, by reference, while the socket takes no more; what
 * waits here and in the socket together stays within the limit, or the connection is told.
 */
export class Outbox {
  /**
   * Whether the connection may receive. The connection's chart sets it, on entry to and exit from states; nothing else
   * sets it but the end of the connection.
   */
  writable = false
  readonly #socket: TransportSocket
  readonly #flusher: Flusher
  readonly #owner: OutboxOwner
  readonly #limitBytes: number
  readonly #answersLimitBytes: number
  readonly #earlyFlushBytes: number
  // Undefined while nothing waits: an empty list for each of thousands would be garbage that outlives its generation.
  #frames: Frame[] | undefined
  #bytes = 0
  /** What of the bytes that wait are answers that were asked for: they may come on top of the limit, once. */
  #answersBytes = 0

  constructor(
    socket: TransportSocket,
    flusher: Flusher,
    owner: OutboxOwner,
    limitBytes: number,
    answersLimitBytes: number,
  ) {
    this.#socket = socket
    this.#flusher = flusher
    this.#owner = owner
    this.#limitBytes = limitBytes
    this.#answersLimitBytes = answersLimitBytes
    this.#earlyFlushBytes = Math.min(earlyFlushBytes, limitBytes)
  }

  /** What waits to be sent, here and in the socket, in bytes. */
  get bytes(): number {
    return this.#bytes + this.#socket.bufferedBytes
  }

  /** Queues a frame; it leaves at the end of the turn. */
  push(frame: Frame): void {
    if (!this.writable) return
    this.#bytes += frame.byteLength
    if (this.#frames !== undefined) {
      this.#frames.push(frame)
    } else {
      this.#frames = [frame]
      this.#flusher.mark(this)
    }
    if (this.#bytes >= this.#earlyFlushBytes) this.#relieve()
  }

  /** Queues an answer that may be large. Whoever asked for it reads; it is not what makes a reader slow. */
  answer(frame: Frame): void {
    this.#answersBytes = Math.min(this.#answersBytes + frame.byteLength, this.#answersLimitBytes)
    this.push(frame)
  }

  /** Writes what waits, if the socket takes it. */
  flush(): void {
    const frames = this.#frames
    if (frames === undefined || !this.#socket.ready) return
    this.discard()
    this.#socket.write(frames)
    if (this.#socket.ready) this.#answersBytes = 0
    else this.#owner.congested()
  }

  /** Lets go what can go at once; from here on nothing is taken. */
  close(): void {
    this.flush()
    this.writable = false
    this.discard()
  }

  /** The socket takes more again. */
  drained(): void {
    this.flush()
    if (!this.#socket.ready) return
    this.#answersBytes = 0
    this.#owner.decongested()
  }

  /** Forgets what waits. */
  discard(): void {
    this.#frames = undefined
    this.#bytes = 0
  }

  #relieve(): void {
    if (this.#socket.ready) {
      this.flush()
      return
    }
    const limitBytes = this.#limitBytes + this.#answersBytes
    if (this.bytes <= limitBytes) return
    this.#owner.overflowed()
    // A chart that does not answer, or cannot yet, does not get to hold more than twice the limit.
    if (this.bytes <= limitBytes + this.#limitBytes) return
    this.writable = false
    this.discard()
    this.#socket.terminate()
  }
}
