import type { Frame } from '../../runtime/ports/frame.ts'
import type { TransportSocket } from '../../runtime/ports/transport.ts'
import { textOf, type WireMessage } from '../received.ts'
import type { TraceFullness } from './trace.ts'

/** A frame that a connection was sent. */
export interface ReplayedFrame {
  /** How long after the start (ms). */
  readonly at: number
  readonly payload: string | Uint8Array
}

/** How a connection ended. */
export interface ReplayedClose {
  /** How long after the start (ms). */
  readonly at: number
  /** 1006 when there was no word. */
  readonly code: number
  readonly reason: string
  /** Whose word was first. */
  readonly by: 'server' | 'client'
}

/** What became of one connection of a trace. */
export interface ReplayedConnection {
  /** Everything it was sent, as it went into its socket: what was under way when a network was cut stands here, too. */
  readonly frames: readonly ReplayedFrame[]
  /** The same as messages; of a binary frame the header. */
  readonly messages: readonly WireMessage[]
  readonly closed: ReplayedClose | undefined
}

/** The runtime's end of a socket whose other end stands in a trace. */
export class ReplayedSocket implements TransportSocket, ReplayedConnection {
  readonly frames: ReplayedFrame[] = []
  closed: ReplayedClose | undefined
  bufferedBytes = 0
  readonly #now: () => number
  readonly #comes: (within: 'resume' | 'terminate') => void
  readonly #fullness: readonly TraceFullness[]
  #writes = 0
  #isFull = false
  #isOver = false

  /**
   * @param now - the time since the start (ms)
   * @param comes - lets happen what happened during a call
   * @param fullness - when it took no more
   */
  constructor(now: () => number, comes: (within: 'resume' | 'terminate') => void, fullness: readonly TraceFullness[]) {
    this.#now = now
    this.#comes = comes
    this.#fullness = fullness
  }

  get messages(): readonly WireMessage[] {
    return this.frames.map(({ payload }) => JSON.parse(textOf(payload)) as WireMessage)
  }

  get ready(): boolean {
    return !this.#isOver && this.closed === undefined && !this.#isFull
  }

  write(frames: readonly Frame[]): void {
    if (this.#isOver || this.closed !== undefined) return
    for (const { payload } of frames) this.frames.push({ at: this.#now(), payload })
    this.#writes++
    const full = this.#fullness.find(({ writes }) => writes === this.#writes)
    if (full === undefined) return
    this.#isFull = true
    this.bufferedBytes = full.buffered
  }

  ping(): void {}

  pause(): void {}

  resume(): void {
    this.#comes('resume')
  }

  close(code: number, reason: string): void {
    this.#end(code, reason, 'server')
  }

  terminate(): void {
    this.#end(1006, '', 'server')
    this.#comes('terminate')
  }

  /** It takes more again. */
  drain(buffered: number): void {
    this.#isFull = false
    this.bufferedBytes = buffered
  }

  /** It is gone. */
  end(code: number): void {
    this.#end(code, '', 'client')
    this.#isOver = true
    this.bufferedBytes = 0
  }

  #end(code: number, reason: string, by: 'server' | 'client'): void {
    this.closed ??= { at: this.#now(), code, reason, by }
  }
}
