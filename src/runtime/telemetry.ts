import type { EndReason } from '../../machines/index.ts'
import type { ErrorCode } from '../protocol/index.ts'
import type { AuthenticationFailure } from './ports/authenticate.ts'
import type { RefusedFor } from './ports/transport.ts'

/**
 * Something was refused, `count` times since it was last reported for that reason: each is reported at most once a
 * second. `runtime.refusals` has the sums.
 */
export type Refusal =
  /**
   * Sockets were not let in: an origin that is not allowed, too many connections in all, not welcomed yet, of one address
   * or of one user, or too many upgrades a second.
   */
  | { readonly type: 'connection.refused'; readonly reason: RefusedFor; readonly count: number }
  /** `authenticate` refused somebody, or failed; the last of them, and what it threw. */
  | {
      readonly type: 'authentication.refused'
      readonly reason: AuthenticationFailure
      readonly connection: string
      readonly error: unknown
      readonly count: number
    }
  /** Requests were answered by an `error` of the protocol: `reason` is its code. */
  | { readonly type: 'request.refused'; readonly reason: ErrorCode; readonly count: number }
  /** Sessions were claimed that there are not (any more), or by a wrong secret, or by another user. */
  | { readonly type: 'resume.refused'; readonly reason: 'unknown'; readonly count: number }
  /** Sessions that waited for their clients ended before their time: there were too many, in all or of one user. */
  | { readonly type: 'session.evicted'; readonly reason: 'total' | 'user'; readonly count: number }

/** What a runtime has to report. Nothing in it is secret: no tokens, no data. */
export type TelemetryEvent =
  | { readonly type: 'connection.opened'; readonly connection: string; readonly user: string }
  | { readonly type: 'connection.closed'; readonly connection: string; readonly reason: EndReason }
  | Refusal
  /** An actor threw. `restarted` tells whether it lives again. */
  | { readonly type: 'actor.crashed'; readonly address: string; readonly error: unknown; readonly restarted: boolean }
  /** A room's log, or the store of sessions, failed at something. */
  | { readonly type: 'storage.failed'; readonly room?: string; readonly error: unknown }
  /** A room failed too often, or its log could not be opened: everybody is out of it. */
  | { readonly type: 'room.givenUp'; readonly room: string }
  /** A function that the application handed in (observer, listener, authenticate) threw where nobody waits for it. */
  | {
      readonly type: 'callback.threw'
      /** The name of the option, or of the handler. */
      readonly callback: string
      /** The room, or the type of message, that it was called for, where it is one of several. */
      readonly of?: string
      readonly error: unknown
    }
  /** More restarts than allowed, or sessions that could not be restored: the runtime closes its connections and stops. */
  | { readonly type: 'runtime.failed'; readonly error?: unknown }

/** Hears what a runtime reports. What it throws is swallowed: reporting must not end what it reports on. */
export type Telemetry = (event: TelemetryEvent) => void

/** Wraps an application's listener so that it cannot throw into the runtime. */
export function safeTelemetry(listener: Telemetry | undefined): Telemetry {
  if (listener === undefined) return () => {}
  return (event) => {
    try {
      listener(event)
    } catch {
      // There is nobody left to tell.
    }
  }
}
