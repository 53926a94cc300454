import { sessionMachine, type Identity, type User } from '../../../machines/index.ts'
import type { ServerMessage } from '../../protocol/index.ts'
import type { ConnectionLink } from '../connection/connection-link.ts'
import { implement } from '../actors/actor-system.ts'
import type { Core } from '../core.ts'
import { Frame } from '../ports/frame.ts'
import { withLanes, type LanedLogic } from '../actors/lanes.ts'
import type { Outbox } from '../connection/outbox.ts'
import type { DetachedSessions } from './detached-sessions.ts'
import type { Permissions } from './permissions.ts'
import type { RecentIds } from './recent-ids.ts'
import type { Replies } from './replies.ts'

/**
 * Who somebody is to others. A guest who turns out to be a user is another from then on; each room goes by the one that
 * it knows, until it is told in its turn.
 */
export interface Persona {
  /** The user's id. */
  readonly user: string
  /** The `from` of messages, encoded once. */
  readonly from: string
}

/** The record of a session: what survives a reconnect. Its actor decides over it. */
export class Session {
  readonly id: string
  /** Changes once at most: when a guest turns out to be somebody. */
  user: User
  /** Whether the user is a guest: then the secret is all that there is to know a former client by. */
  guest: boolean
  readonly address: string
  persona: Persona
  /** The addresses of the rooms it is in, or has asked to be in, by name. */
  readonly rooms = new Map<string, string>()
  /** What its client has to show to get it back; undefined until it has, for a session of a former process. */
  secret: string | undefined
  /** The outbox of the connection that owns the session: what a broadcast walks. */
  outbox: Outbox | undefined
  /** The number of the claim by which its connection owns it. */
  fence = 0
  /** The count that its client gave that claim; undefined when it does not count. */
  attempt: number | undefined
  /** Since when it has had no connection (ms since the epoch). */
  detachedAt: number | undefined
  /** Rooms that it was in when a former process ended, and that its client has not joined anew. */
  unconfirmed: Set<string> | undefined
  /** When this process took it in, if it has had no connection since (ms since the epoch). */
  restoredAt: number | undefined
  /** What it has been allowed to do, as it was asked: by room, once it was asked. */
  permissions: Permissions | undefined
  /** What it was let into rooms as, by room, where that was said. */
  roles: Map<string, string> | undefined
  /** What its requests were answered, once there was one. */
  replies: Replies | undefined
  /** The ids of its messages to other users, once there was one. */
  directIds: RecentIds | undefined
  #link: ConnectionLink | undefined

  constructor(id: string, secret: string | undefined, { user, guest = false }: Identity) {
    this.id = id
    this.secret = secret
    this.user = user
    this.guest = guest
    this.address = `session:${id}`
    this.persona = personaOf(user, id)
  }

  /** Who was a guest is this user from now on, and nothing that the guest was allowed. */
  become(user: User): void {
    this.user = user
    this.guest = false
    this.persona = personaOf(user, this.id)
    this.permissions = undefined
    this.roles = undefined
  }

  /** The `from` of what is not said in a room. */
  get from(): string {
    return this.persona.from
  }

  /** The connection that owns the session, while there is one. */
  get link(): ConnectionLink | undefined {
    return this.#link
  }

  set link(link: ConnectionLink | undefined) {
    this.#link = link
    this.outbox = link?.outbox
  }

  /** Sends to the session's client, if it is connected. */
  send(message: ServerMessage): void {
    this.outbox?.push(Frame.of(message))
  }

  /** For inspectors: no secret, no references. */
  toJSON(): object {
    return { id: this.id, user: this.user, rooms: [...this.rooms.keys()] }
  }
}

const personaOf = ({ id }: User, session: string): Persona => ({
  user: id,
  from: JSON.stringify({ user: id, session }),
})

/** Marries the session's chart to its record and to the rooms that it is in. */
export function sessionLogic(core: Core, changed: (session: Session) => void, detached: DetachedSessions): LanedLogic {
  const { presenceGraceMs, resumeWindowMs } = core.settings
  const sessionOf = (context: { session: object }): Session => context.session as Session
  const routeToRooms = (session: Session, type: string): void => {
    for (const room of session.rooms.values()) core.route(room, { type, session, message: undefined } as never)
  }
  const graceMs = Math.min(presenceGraceMs, resumeWindowMs)
  /** How long ago a session of a former process had lost its connection when this one took it in (ms). */
  const age = ({ detachedAt, restoredAt }: Session): number =>
    restoredAt === undefined || detachedAt === undefined ? 0 : Math.max(0, restoredAt - detachedAt)
  const turnAway = (link: ConnectionLink): void => {
    core.route(link.address, { type: 'connection.close', reason: 'replaced' } as never)
  }
  const machine = implement(sessionMachine, {
    actions: {
      own: ({ context, event }) => {
        if (event.type !== 'session.attach') return
        const session = sessionOf(context)
        const former = session.link
        const link = event.link as ConnectionLink
        session.link = link
        session.fence = event.fence
        session.attempt = event.attempt ?? session.attempt
        session.detachedAt = undefined
        link.session = session
        detached.delete(session)
        changed(session)
        if (former === undefined || former === link) return
        former.session = undefined
        turnAway(former)
      },
      turnAway: ({ event }) => {
        if (event.type === 'session.attach') turnAway(event.link as ConnectionLink)
      },
      disown: ({ context, event }) => {
        const session = sessionOf(context)
        session.link = undefined
        const since = event.type === 'session.detach' ? event.at : undefined
        const now = core.environment.clock.now()
        session.detachedAt = since ?? now
        session.restoredAt = since === undefined ? undefined : now
        changed(session)
        const evicted = detached.add(session)
        if (evicted === undefined) return
        core.refusals.note({ type: 'session.evicted', reason: evicted.reason })
        core.route(evicted.session.address, { type: 'session.evict' })
      },
      withdraw: ({ context }) => routeToRooms(sessionOf(context), 'room.withdraw'),
      reappear: ({ context }) => routeToRooms(sessionOf(context), 'room.reappear'),
      leaveRooms: ({ context }) => routeToRooms(sessionOf(context), 'room.leave'),
      leaveForgotten: ({ context }) => {
        const session = sessionOf(context)
        for (const name of session.unconfirmed ?? []) {
          const room = session.rooms.get(name)
          if (room === undefined) continue
          core.route(room, { type: 'room.leave', session, message: undefined, mayAskAgain: true } as never)
        }
        session.unconfirmed = undefined
      },
    },
    guards: {
      isNewest: ({ context, event }) => {
        if (event.type !== 'session.attach') return false
        const { attempt, fence, link } = sessionOf(context)
        // What a client sent by a connection that it has given up since may arrive, and be claimed, last. Where nobody
        // has the session, nothing can be taken from anybody, whatever somebody has counted up to.
        if (link !== undefined && attempt !== undefined && event.attempt !== undefined) return event.attempt > attempt
        return event.fence > fence
      },
      longGone: ({ event }) =>
        event.type === 'session.detach' &&
        event.at !== undefined &&
        event.at + presenceGraceMs <= core.environment.clock.now(),
    },
    delays: {
      // Durations, not differences between what a clock said: somebody may set it meanwhile.
      presenceGrace: ({ context }) => Math.max(0, graceMs - age(sessionOf(context))),
      untilForgotten: ({ context }) => (sessionOf(context).unconfirmed === undefined ? Infinity : presenceGraceMs),
      untilExpired: ({ context }) => Math.max(0, resumeWindowMs - Math.max(graceMs, age(sessionOf(context)))),
    },
  })
  return withLanes(machine, { hot: [], ...core.lanes })
}
