import type { InspectionEvent, Observer } from 'xstate'
import type { ClientError } from './client-error.ts'
import type { ClientEnvironment } from './environment.ts'
import type { Heard } from './received-message.ts'
import type { WebSocketClass } from './web-socket.ts'

/** What `createClient` takes beside the address. */
export interface ClientOptions {
  /**
   * Who this is. A function is asked again for every connection, and on one before the credentials run out; an answer that
   * takes more than 10 s is too late. One that gives none is a guest's, until {@link Client.authenticate}.
   */
  readonly token?: string | (() => string | undefined | Promise<string | undefined>)
  /** The class of sockets. @default the platform's; Node 20 has none */
  readonly WebSocket?: WebSocketClass
  /** The longest wait before the first further attempt (ms); it doubles with each. @default 500 */
  readonly backoffMs?: number
  /** The longest wait at all (ms). @default 20_000 */
  readonly backoffMaxMs?: number
  /** How long a call waits for its reply, time without a connection included (ms). @default 30_000 */
  readonly callTimeoutMs?: number
  /**
   * Calls that may wait for their replies at once; a server recognises a retry among a session's last 256 requests to
   * a room. @default 256
   */
  readonly callLimit?: number
  /** What these calls may take together (bytes). @default 1_048_576 */
  readonly queueBytes?: number
  /**
   * An XState inspection observer for the client's machine: shows its life in any inspector. A room's is a system of its
   * own: `room.actor.system.inspect`.
   */
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void)
  /** Time and randomness. @default the platform's */
  readonly environment?: ClientEnvironment
}

/** Where a client is in its life: the states of its machine. */
export type ClientStatus = 'idle' | 'connecting' | 'authenticating' | 'open' | 'waiting' | 'suspended' | 'closed'

/** What a client tells. */
export interface ClientEvents {
  status: ClientStatus
  /** A message that is not the protocol's but the application's own. */
  message: { readonly type: string; readonly data?: unknown }
  /** Another user has said something to this one alone. */
  direct: Heard
  /** The server has taken a fresh token; who it says this is. */
  authenticated: string
  error: ClientError
}
