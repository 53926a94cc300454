import { applicationFrame, handlesOf } from '../connection/connection-handle.ts'
import type { Connection } from '../connection/handlers.ts'
import { askAgain } from '../connection/permission.ts'
import type { ConnectionLink } from '../connection/connection-link.ts'
import type { Core } from '../core.ts'
import type { Sessions } from './sessions.ts'

/** A user in an application's hands, here or not. */
export interface UserHandle {
  readonly id: string
  /** The user's connections that take part just now. */
  readonly connections: readonly Connection[]
  /** The ids of the user's sessions, those that wait for their clients included. */
  readonly sessions: readonly string[]
  /**
   * Ends all connections of the user with 4003, and all sessions: their clients stay away. It is no ban: whoever
   * connects anew is let in when `authenticate` says so.
   *
   * @param session - the id of the one session to end; another user's is left alone. @default all
   */
  disconnect(session?: string): void
  /**
   * Sends a message of the application's own to all connections of the user; `client.on('message')` gets it.
   *
   * @throws TypeError for data that cannot be encoded, or a type that is the protocol's
   */
  send(type: string, data?: unknown): void
  /** What the user was allowed to do is asked for again, as after a renewal of credentials. */
  reauthorize(): void
}

/** Finds a user's connections and sessions anew whenever it is asked: it may be kept. */
export function userHandle(core: Core, sessions: Sessions, id: string): UserHandle {
  const links = (): readonly ConnectionLink[] => core.users.get(id)?.links ?? []
  return {
    id,
    get connections() {
      return handlesOf(core, links())
    },
    get sessions() {
      return sessions.ofUser(id).map((session) => session.id)
    },
    disconnect: (only) => {
      for (const session of sessions.ofUser(id)) {
        if (session.link !== undefined || (only !== undefined && session.id !== only)) continue
        core.route(session.address, { type: 'session.leave' })
      }
      for (const link of [...links()]) {
        if (only !== undefined && link.session?.id !== only) continue
        core.route(link.address, { type: 'connection.close', reason: 'forbidden' } as never)
      }
    },
    send: (type, data) => {
      const frame = applicationFrame(type, data)
      for (const { outbox } of links()) outbox.push(frame)
    },
    reauthorize: () => {
      for (const link of [...links()]) askAgain(core, link)
    },
  }
}
