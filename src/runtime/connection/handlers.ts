import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { User } from '../../../machines/index.ts'
import type { RequestId } from '../../protocol/index.ts'
import { checkSchema, type SchemaOutput } from '../ports/schema.ts'
import type { RequestOptions } from './requests.ts'

/** One client's connection, as an application sees it. */
export interface Connection {
  /** Its address, such as `connection:7`. */
  readonly id: string
  /** Whose it is; another once a guest has become a user. */
  readonly user: User
  /** Whether nobody vouches for the user. */
  readonly guest: boolean
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
   * What the data must fit: a schema of Zod, Valibot, ArkType, or another that speaks Standard Schema. `handle` is given
   * what the schema has made of it; what does not fit is answered `invalid-data`, with the schema's issues.
   */
  readonly schema?: StandardSchemaV1
  /** Whether it answers somebody without credentials; they may authenticate, and ask then. @default true */
  readonly guests?: boolean
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

/** A handler whose data is what a schema has made of it. */
export interface CheckedHandlerOptions<S extends StandardSchemaV1> extends Omit<HandlerOptions, 'handle' | 'schema'> {
  readonly schema: S
  readonly handle: (data: SchemaOutput<S>, context: HandlerContext) => unknown
}

const known = new Set(['handle', 'schema', 'guests', 'concurrent', 'timeoutMs'])

/**
 * Declares a handler whose data must fit a schema, that may run beside others, or that has a time of its own.
 *
 * @example
 * ```ts
 * createRuntime({
 *   handlers: {
 *     rename: async (data, { connection }) => db.rename(connection.user.id, nameOf(data)),
 *     move: defineHandler({ schema: z.object({ x: z.number() }), handle: ({ x }) => board.move(x) }),
 *     report: defineHandler({ concurrent: true, timeoutMs: 60_000, handle: (data, { signal }) => report(data, signal) }),
 *   },
 * })
 * ```
 * @throws RangeError when `timeoutMs` is not a time, `guests` neither true nor false, or there is no such option
 * @throws TypeError when `handle` is not a function, or `schema` not a schema
 */
export function defineHandler<S extends StandardSchemaV1>(options: CheckedHandlerOptions<S>): HandlerOptions
export function defineHandler(options: HandlerOptions): HandlerOptions
export function defineHandler(options: HandlerOptions): HandlerOptions {
  for (const name of Object.keys(options)) {
    if (!known.has(name)) throw new RangeError(`A handler has no option '${name}'.`)
  }
  const { handle, timeoutMs = 0, guests = true } = options
  if (typeof guests !== 'boolean') throw new RangeError(`guests must be true or false, not ${String(guests)}`)
  if (typeof handle !== 'function') throw new TypeError(`A handler must be a function, not ${String(handle)}`)
  if (options.schema !== undefined) checkSchema('schema', options.schema)
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
