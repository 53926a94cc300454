import type { ErrorMessage, RequestId } from '../protocol/index.ts'
import { ClientError, type ClientErrorCode } from './client-error.ts'
import type { ClientEnvironment } from './environment.ts'

interface Call<Reply = unknown> {
  readonly message: object
  resolve(reply: Reply): void
  reject(error: ClientError): void
  readonly timer: unknown
  /** Whether it has left by some connection. */
  sent: boolean
}

/** Requests that wait for their reply. They outlive a connection: what was not answered is asked again on the next. */
export class Calls {
  readonly #environment: ClientEnvironment
  readonly #transmit: (message: object) => boolean
  readonly #limit: number
  readonly #pending = new Map<RequestId, Call<never>>()
  #lastId = 0

  /**
   * @param transmit - sends now, if there is a connection; tells whether it did
   * @param limit - calls that may wait at once
   */
  constructor(environment: ClientEnvironment, transmit: (message: object) => boolean, limit: number) {
    this.#environment = environment
    this.#transmit = transmit
    this.#limit = limit
  }

  /** Sends a request. The promise settles exactly once: by the reply, by an error, or when its time is up. */
  request<Reply>(message: object, timeoutMs: number): Promise<Reply> {
    if (this.#pending.size >= this.#limit) {
      return Promise.reject(new ClientError('queue-full', `${this.#limit} calls wait for the connection already.`))
    }
    const id = ++this.#lastId
    return new Promise<Reply>((resolve, reject) => {
      const timer = this.#environment.clock.setTimeout(() => {
        this.#pending.delete(id)
        reject(new ClientError('timeout', `No answer within ${timeoutMs} ms.`))
      }, timeoutMs)
      const call: Call<Reply> = { message: { ...message, id }, resolve, reject, timer, sent: false }
      this.#pending.set(id, call)
      call.sent = this.#transmit(call.message)
    })
  }

  /** A reply arrived. */
  settle(id: RequestId, reply: unknown): void {
    this.#take(id)?.resolve(reply as never)
  }

  /** An `error` arrived. False when no call was meant. */
  fail({ id, code, message }: ErrorMessage): boolean {
    const call = id === undefined ? undefined : this.#take(id)
    call?.reject(new ClientError(code, message))
    return call !== undefined
  }

  /** Sends what has not been answered, in the order in which it was asked: what concerns a room, or no room. */
  retransmit(room: string | undefined, write: (message: object) => boolean): void {
    for (const call of this.#pending.values()) {
      if ((call.message as { room?: string }).room === room) call.sent = write(call.message)
    }
  }

  /** The session is another: nobody there would know a retry for what it is. */
  rejectUnconfirmed(): void {
    for (const [id, { sent, message }] of this.#pending) {
      if (!sent || (message as { type?: string }).type !== 'message') continue
      this.#take(id)?.reject(new ClientError('unconfirmed', 'The session was lost before the answer came.'))
    }
  }

  /** Rejects one call. */
  reject(id: RequestId, code: ClientErrorCode, text: string): void {
    this.#take(id)?.reject(new ClientError(code, text))
  }

  /** Rejects what waits, or of that what a room's name selects. */
  rejectAll(code: ClientErrorCode, text: string, room?: string): void {
    for (const [id, { message }] of this.#pending) {
      if (room === undefined || (message as { room?: string }).room === room) {
        this.#take(id)?.reject(new ClientError(code, text))
      }
    }
  }

  #take(id: RequestId): Call<never> | undefined {
    const call = this.#pending.get(id)
    if (call === undefined) return undefined
    this.#pending.delete(id)
    this.#environment.clock.clearTimeout(call.timer)
    return call
  }
}
