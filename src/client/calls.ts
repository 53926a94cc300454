import type { RequestId, ServerMessage } from '../protocol/index.ts'
import { ClientError, refusal, tooLarge, type ClientErrorCode } from './client-error.ts'
import type { ClientLink } from './client-link.ts'
import type { ClientOptions } from './client-options.ts'
import type { ClientEnvironment } from './environment.ts'
import { encodeFrame, type OutgoingFrame } from './frames.ts'

/** How long a call may take, and what ends it before. */
export interface CallOptions {
  /** How long to wait for the answer, time without a connection included (ms). @default the client's `callTimeoutMs` */
  readonly timeoutMs?: number | undefined
  /** Gives the call up: it is rejected with `aborted`, and not sent if it has not been. */
  readonly signal?: AbortSignal | undefined
}

/** A request before it gets its id. */
export interface CallMessage {
  readonly type: string
  readonly room?: string
}

interface Call {
  readonly type: string
  readonly room: string | undefined
  readonly frame: OutgoingFrame
  resolve(reply: never): void
  reject(error: ClientError): void
  /** Takes back what would end the call. */
  release(): void
  /** Whether it has left by some connection. */
  sent: boolean
}

/** What a server may be asked twice without having been told so. */
const repeatable = new Set(['presence', 'history'])

const givenUp = 'The call was given up.'

/** Requests that wait for their reply. They outlive a connection: what was not answered is asked again on the next. */
export class Calls {
  readonly #clock: ClientEnvironment['clock']
  readonly #link: ClientLink
  readonly #options: ClientOptions
  readonly #pending = new Map<RequestId, Call>()
  #bytes = 0
  #closed: ClientError | undefined
  #lastId = 0

  constructor({ clock }: ClientEnvironment, link: ClientLink, options: ClientOptions) {
    this.#clock = clock
    this.#link = link
    this.#options = options
  }

  /**
   * Sends a request. The promise settles exactly once: by the reply, by an error, or when it is given up.
   *
   * @param mayGo - whether it may go at once if there is a connection; else it waits for {@link retransmit}
   */
  async request<Reply>(
    { type, room, ...rest }: CallMessage,
    { timeoutMs, signal }: CallOptions = {},
    mayGo = true,
  ): Promise<Reply> {
    if (this.#closed !== undefined) throw this.#closed
    const { callTimeoutMs = 30_000, callLimit = 256, queueBytes = 1_048_576 } = this.#options
    const id = ++this.#lastId
    const frame = encodeFrame({ type, room, ...rest, id })
    if (signal?.aborted === true) throw new ClientError('aborted', givenUp)
    if (this.#pending.size >= callLimit || this.#bytes + frame.byteLength > queueBytes) {
      throw new ClientError('queue-full', `${this.#pending.size} calls wait for their answers already.`)
    }
    return new Promise((resolve, reject) => {
      const wait = timeoutMs ?? callTimeoutMs
      const timer = this.#clock.setTimeout(() => this.#reject(id, 'timeout', `No answer within ${wait} ms.`), wait)
      const abort = (): void => this.#reject(id, 'aborted', givenUp)
      signal?.addEventListener('abort', abort)
      const release = (): void => {
        this.#clock.clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
      }
      const call: Call = { type, room, frame, resolve, reject, release, sent: false }
      this.#pending.set(id, call)
      this.#bytes += frame.byteLength
      if (mayGo && this.#link.ready) this.#send(id, call)
    })
  }

  /** Takes an answer. False for what is none, or an error that answers nothing that waits. */
  receive(message: ServerMessage): boolean {
    switch (message.type) {
      case 'error': {
        const call = this.#take(message.id)
        call?.reject(refusal(message))
        return call !== undefined
      }
      case 'ack':
      case 'reply':
      case 'history':
        this.#take(message.id)?.resolve(message as never)
        return true
      default:
        return false
    }
  }

  /** Sends what has not been answered, in the order in which it was asked: what concerns a room, or no room. */
  retransmit(room: string | undefined): void {
    for (const [id, call] of this.#pending) if (call.room === room) this.#send(id, call)
  }

  /**
   * Nobody there would know a retry for what it is: the session is another. Of one that was `resumed` by another server
   * the rooms' logs do, but not who has answered what is about no room.
   */
  rejectUnconfirmed(resumed: boolean): void {
    for (const [id, { sent, type, room }] of this.#pending) {
      if (!sent || (resumed ? room !== undefined : repeatable.has(type))) continue
      this.#reject(id, 'unconfirmed', 'It was sent, and its answer is lost.')
    }
  }

  /** A room is over: rejects what concerns it. */
  rejectRoom(room: string, error: ClientError): void {
    for (const [id, call] of this.#pending) if (call.room === room) this.#take(id)?.reject(error)
  }

  /** Rejects everything, and whatever is asked from now on. */
  close(error: ClientError): void {
    this.#closed = error
    for (const id of this.#pending.keys()) this.#take(id)?.reject(error)
  }

  /** A server that goes away is left as soon as nothing that was sent is unanswered. */
  leaveIfAnswered(): void {
    const { actor, leaving } = this.#link
    if (leaving && ![...this.#pending.values()].some(({ sent }) => sent)) actor.send({ type: 'calls.answered' })
  }

  #send(id: RequestId, call: Call): void {
    call.sent = this.#link.write(call.frame)
    if (!call.sent) this.#take(id)?.reject(tooLarge())
  }

  #reject(id: RequestId, code: ClientErrorCode, text: string): void {
    this.#take(id)?.reject(new ClientError(code, text))
  }

  #take(id: RequestId | undefined): Call | undefined {
    const call = this.#pending.get(id as RequestId)
    if (call === undefined) return undefined
    this.#pending.delete(id as RequestId)
    this.#bytes -= call.frame.byteLength
    call.release()
    this.leaveIfAnswered()
    return call
  }
}
