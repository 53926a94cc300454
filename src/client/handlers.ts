import { RequestError, type Json, type RequestId } from '../protocol/index.ts'
import { encodeFrame, withContent, type OutgoingFrame } from './frames.ts'
import { decodeContent } from './received-message.ts'

/** What a handler is told beside the data. */
export interface HandlerContext {
  /** Fires when the connection goes: nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** Answers a request of the server's. What it throws is answered `internal`, unless it is a {@link RequestError}. */
export type Handler = (data: unknown, context: HandlerContext) => unknown

/** A message of the application's own, as it stands on the wire. */
export interface ApplicationWire {
  readonly type: string
  readonly id?: RequestId
  readonly data?: Json
  readonly meta?: Json
}

/** Who answers what the server asks. */
export class Handlers {
  readonly #handlers = new Map<string, Handler>()
  readonly #failed: (error: unknown) => void

  /** @param failed - is told of what handlers throw that the server is not to know */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /** @throws TypeError when the type has a handler already */
  add(type: string, handler: Handler): () => void {
    if (this.#handlers.has(type)) throw new TypeError(`'${type}' has a handler already.`)
    this.#handlers.set(type, handler)
    return () => {
      if (this.#handlers.get(type) === handler) this.#handlers.delete(type)
    }
  }

  /** Answers a request. Never rejects, whatever a handler returns or throws. */
  async answer(request: ApplicationWire, signal: AbortSignal): Promise<OutgoingFrame> {
    const { type, id } = request
    try {
      const handler = this.#handlers.get(type)
      if (handler === undefined) throw new RequestError('unknown-type', `Nobody here answers '${type}'.`)
      const value = await handler(decodeContent(request), { signal })
      return encodeFrame(withContent({ type: 'reply', id }, value))
    } catch (error) {
      return encodeFrame({ type: 'error', ...this.#refusal(error), id })
    }
  }

  /** What the server is told of an error. */
  #refusal(error: unknown): { code: string; message: string } {
    try {
      if (error instanceof RequestError) {
        const { code, message } = error
        if (typeof code === 'string' && typeof message === 'string') return { code, message }
      }
    } catch {
      // It does not even let itself be looked at.
    }
    this.#failed(error)
    return { code: 'internal', message: 'The request failed.' }
  }
}
