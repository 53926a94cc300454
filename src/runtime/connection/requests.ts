import { decodeData, encodeData, RequestError, type ReplyMessage, type RequestId } from '../../protocol/index.ts'
import type { Clock } from '../ports/environment.ts'

/** How long a request may take, and what ends it before. */
export interface RequestOptions {
  /** @default the runtime's `requestTimeoutMs` (ms) */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

interface Pending {
  resolve(data: unknown): void
  reject(error: Error): void
  release(): void
}

/** What the server has asked one client for. */
export class Requests {
  readonly #clock: Clock
  readonly #transmit: (message: object) => void
  readonly #pending = new Map<RequestId, Pending>()
  #lastId = 0

  constructor(clock: Clock, transmit: (message: object) => void) {
    this.#clock = clock
    this.#transmit = transmit
  }

  /**
   * Asks, and resolves with the answer.
   *
   * @throws RequestError `timeout`; `closed` when the connection ends first; `aborted` by the signal; else the code that
   * the client gave
   */
  ask(type: string, data: unknown, timeoutMs: number, signal?: AbortSignal): Promise<unknown> {
    const content = data === undefined ? {} : encodeData(data)
    if (signal?.aborted === true) return Promise.reject(aborted(type))
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#take(id)?.reject(aborted(type))
      const timer = this.#clock.setTimeout(() => {
        this.#take(id)?.reject(new RequestError('timeout', `No answer to '${type}' within ${timeoutMs} ms.`))
      }, timeoutMs)
      signal?.addEventListener('abort', onAbort, { once: true })
      const release = (): void => {
        this.#clock.clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
      }
      this.#pending.set(id, { resolve, reject, release })
      this.#transmit({ type, ...content, id })
    })
  }

  /** The client has answered. What nobody waits for any more is passed over. */
  settle({ id, data, meta, error }: ReplyMessage): void {
    const pending = this.#take(id)
    if (pending === undefined) return
    if (error !== undefined) return pending.reject(new RequestError(error.code, error.message))
    try {
      pending.resolve(decodeData({ ...(data === undefined ? {} : { data }), ...(meta === undefined ? {} : { meta }) }))
    } catch (cause) {
      pending.reject(new RequestError('bad-meta', String(cause)))
    }
  }

  /** The connection is over. */
  close(): void {
    for (const id of [...this.#pending.keys()]) {
      this.#take(id)?.reject(new RequestError('closed', 'The connection ended before the answer came.'))
    }
  }

  #take(id: RequestId): Pending | undefined {
    const pending = this.#pending.get(id)
    if (pending === undefined) return undefined
    this.#pending.delete(id)
    pending.release()
    return pending
  }
}

function aborted(type: string): RequestError {
  return new RequestError('aborted', `'${type}' was given up.`)
}
