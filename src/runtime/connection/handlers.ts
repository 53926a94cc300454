import type { User } from '../../../machines/index.ts'
import type { RequestId } from '../../protocol/index.ts'
import type { RequestOptions } from './requests.ts'

/** One client's connection, as an application sees it. */
export interface Connection {
  /** Its address, such as `connection:7`. */
  readonly id: string
  readonly user: User
  /** The id of the session that it owns; survives a reconnect, as the connection does not. */
  readonly session: string
  /** The names of the rooms that the session is in. */
  readonly rooms: readonly string[]
  /**
   * Sends a message of the application's own; the client library hands it to `client.on('message')`.
   *
   * @throws TypeError for data that cannot be encoded, or a type that is the protocol's
   */
  send(type: string, data?: unknown): void
  /**
   * Asks the client for something; its `client.handle(type, …)` answers.
   *
   * @throws RequestError `timeout`, `closed` when the connection ends first, `aborted`, `unknown-type` when the client
   * has no handler for it, or the code that the client's handler gave
   */
  request(type: string, data?: unknown, options?: RequestOptions): Promise<unknown>
  /** Ends the connection with 4003: its client stays away, and its session is over. */
  forbid(): void
}

/** What a handler is told beside the data. */
export interface HandlerContext {
  readonly connection: Connection
  /** The request's id, the same when it is asked again after a reconnect; undefined when no answer is wanted. */
  readonly id: RequestId | undefined
  /** Fires when the connection ends, or the time is up: whoever waits for the result is gone. */
  readonly signal: AbortSignal
}

/**
 * Answers a request of a client's. What it returns is the reply; when it returns nothing, the reply is an `ack`. What
 * it throws is answered `internal`, unless it is a `RequestError`.
 */
export type Handler = (data: unknown, context: HandlerContext) => unknown

/** A handler, and how it is to be called. Made by {@link defineHandler}. */
export interface HandlerOptions {
  readonly handle: Handler
  /**
   * Whether what the client sends after the request may be handled meanwhile. Otherwise it waits for the end of this
   * handler. The request itself waits for what came before it, either way.
   *
   * @default false
   */
  readonly concurrent?: boolean
  /** How long a call may take (ms). @default the runtime's `handlerTimeoutMs` */
  readonly timeoutMs?: number
}

/** What `createRuntime` takes as `handlers`: by the type of the message that they answer. */
export type Handlers = Readonly<Record<string, Handler | HandlerOptions>>

const known = new Set(['handle', 'concurrent', 'timeoutMs'])

/**
 * Declares a handler that may run beside others, or that has a time of its own.
 *
 * @example
 * ```ts
 * createRuntime({
 *   handlers: {
 *     rename: async (data, { connection }) => db.rename(connection.user.id, nameOf(data)),
 *     report: defineHandler({ concurrent: true, timeoutMs: 60_000, handle: (data, { signal }) => report(data, signal) }),
 *   },
 * })
 * ```
 * @throws RangeError when `timeoutMs` is not a time, or there is no such option
 * @throws TypeError when `handle` is not a function
 */
export function defineHandler(options: HandlerOptions): HandlerOptions {
  for (const name of Object.keys(options)) {
    if (!known.has(name)) throw new RangeError(`A handler has no option '${name}'.`)
  }
  const { handle, timeoutMs = 0 } = options
  if (typeof handle !== 'function') throw new TypeError(`A handler must be a function, not ${String(handle)}`)
  if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs must be a number ≥ 0, not ${timeoutMs}`)
  return options
}

/**
 * The handlers by type. A type is what a client says, so they stand in a Map.
 *
 * @throws RangeError, TypeError for one that {@link defineHandler} would not take
 */
export function handlersByType(handlers: Handlers = {}): ReadonlyMap<string, HandlerOptions> {
  return new Map(
    Object.entries(handlers).map(([type, handler]) => [
      type,
      typeof handler === 'object' ? defineHandler(handler) : defineHandler({ handle: handler }),
    ]),
  )
}
