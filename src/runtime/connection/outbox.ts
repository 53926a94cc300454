import type { Clock } from '../ports/environment.ts'
import { Frame } from '../ports/frame.ts'
import type { ProtocolErrorMessage } from '../../protocol/index.ts'
import type { Refusals } from '../refusals.ts'
import type { Pressure, SlowQueue } from './pressure.ts'
import { Sparing, type SparedRoom } from './sparing.ts'
import type { TransportSocket } from '../ports/transport.ts'

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

/** What holds for all outboxes of a runtime. */
export interface OutboxTerms {
  readonly flusher: Flusher
  readonly pressure: Pressure
  readonly refusals: Pick<Refusals, 'note'>
  /** What may wait for one connection (bytes). */
  readonly limitBytes: number
  /** What of answers that were asked for may wait beside that (bytes). */
  readonly answersLimitBytes: number
}

/** A batch leaves before the end of the turn when it has grown to this. */
const earlyFlushBytes = 64 * 1024

/**
 * The bounded outgoing queue of one connection. Frames wait here, by reference, while the socket takes no more; what
 * waits here and in the socket together stays within the limit, or the connection is told.
 */
export class Outbox implements SlowQueue {
  /**
   * Whether the connection may receive. The connection's chart sets it, on entry to and exit from states; beside it only
   * the end of the connection does, and an overflow.
   */
  writable = false
  readonly #socket: TransportSocket
  readonly #owner: OutboxOwner
  readonly #terms: OutboxTerms
  // Undefined while nothing waits: an empty list for each of thousands would be garbage that outlives its generation.
  #frames: Frame[] | undefined
  #bytes = 0
  /** What of the bytes that wait are answers that were asked for: they may come on top of the limit, once. */
  #answersBytes = 0
  #congested = false
  /** What a slow reader is spared, by the policies of its rooms. */
  #sparing: Sparing | undefined

  constructor(socket: TransportSocket, owner: OutboxOwner, terms: OutboxTerms) {
    this.#socket = socket
    this.#owner = owner
    this.#terms = terms
  }

  /** What waits to be sent, here and in the socket, in bytes. */
  get bytes(): number {
    return this.#bytes + (this.#sparing?.bytes ?? 0) + this.#socket.bufferedBytes
  }

  /** Whether the socket takes no more just now. */
  get congested(): boolean {
    return this.#congested
  }

  /** Queues a frame; it leaves at the end of the turn. */
  push(frame: Frame): void {
    if (!this.writable) return
    this.#bytes += frame.byteLength
    if (this.#frames !== undefined) {
      this.#frames.push(frame)
    } else {
      this.#frames = [frame]
      this.#terms.flusher.mark(this)
    }
    if (this.#congested) this.#terms.pressure.hold(frame)
    if (this.#bytes >= earlyFlushBytes || this.#bytes >= this.#terms.limitBytes) this.#relieve()
  }

  /** Answers a request that failed. */
  refuse(error: ProtocolErrorMessage): void {
    this.#terms.refusals.note({ type: 'request.refused', reason: error.code })
    this.push(Frame.of(error))
  }

  /** Queues an answer that may be large. Whoever asked for it reads; it is not what makes a reader slow. */
  answer(frame: Frame): void {
    this.#answersBytes = Math.min(this.#answersBytes + frame.byteLength, this.#terms.answersLimitBytes)
    this.push(frame)
  }

  /**
   * Queues a message of a room that would rather have its slow readers miss some.
   *
   * @param key - where only the last message of a key is to wait; undefined where none is
   */
  spare(room: SparedRoom, frame: Frame, offset: number, key: string | undefined): void {
    if (!this.writable) return
    if (!this.#congested && this.#sparing?.has(room) !== true) return this.push(frame)
    this.#sparing ??= new Sparing(this.#terms.pressure)
    this.#sparing.add(room, frame, offset, key)
    if (this.bytes > this.#terms.limitBytes + this.#answersBytes) this.overflow()
  }

  /** What a slow reader was spared of a room need not be told: it is told all of it anew, or has left. */
  settle(room: SparedRoom): void {
    this.#sparing?.delete(room)
  }

  /** Writes what waits, if the socket takes it. */
  flush(): void {
    const frames = this.#frames
    if (frames === undefined || !this.#socket.ready) return
    this.#release()
    this.#socket.write(frames)
    if (this.#socket.ready) this.#ease()
    else this.#congest()
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
    if (this.#socket.ready) this.#ease()
  }

  /** Forgets what waits. */
  discard(): void {
    this.#release()
    this.#sparing?.clear()
    this.#leavePressure()
  }

  /**
   * More waits than may, here or in the process as a whole. What waits is dropped here and now: the chart that is told
   * may be in the middle of a step, and the next reader in line is not to go in its place.
   */
  overflow(): void {
    if (!this.writable) return
    this.writable = false
    this.discard()
    this.#owner.overflowed()
  }

  #release(): void {
    const frames = this.#frames
    if (frames !== undefined && this.#congested) {
      for (const frame of frames) this.#terms.pressure.release(frame)
    }
    this.#frames = undefined
    this.#bytes = 0
  }

  #congest(): void {
    const first = !this.#congested
    // Before it is counted: that may be what makes it too much.
    this.#congested = true
    this.#terms.pressure.enter(this, this.#socket.bufferedBytes)
    if (first && this.#congested) this.#owner.congested()
  }

  #ease(): void {
    this.#answersBytes = 0
    if (!this.#congested) return
    this.#leavePressure()
    this.#owner.decongested()
    // What it was spared meanwhile is owed to it, like an answer.
    for (const frame of this.#sparing?.take() ?? []) this.answer(frame)
  }

  #leavePressure(): void {
    this.#congested = false
    this.#terms.pressure.leave(this)
  }

  #relieve(): void {
    if (this.#socket.ready) this.flush()
    else if (this.bytes > this.#terms.limitBytes + this.#answersBytes) this.overflow()
  }
}
