import type { JoinedMessage, PresenceMessage, ServerMessage } from '../../../protocol/index.ts'
import type { Court } from '../court.ts'
import type { Asked, Tapped, WireListener } from '../wire-tap.ts'

/** A session, as far as it shows on the wire. */
interface Known {
  readonly user: string
  /** The rooms that it is in, and since when (ms). */
  readonly rooms: Map<string, number>
  /** Rooms that it has asked to leave: an answer to an earlier join may still come. */
  readonly leaving: Set<string>
  /** Rooms that it has asked to join and not to leave since: the answer may never have reached anybody. */
  readonly asked: Set<string>
  /** Rooms that it was in when a process ended, and has not joined anew: the next one may take it out of them. */
  readonly unconfirmed: Set<string>
  /** When it last asked to leave a room (ms). */
  readonly left: Map<string, number>
  connection: Tapped | undefined
  attachedAt: number
  /** When its client was back for the first time since the process began (ms); `Infinity` until it is. */
  backAt: number
  /** When it last lost its connection (ms); the server may have noticed later, never sooner. */
  detachedAt: number
}

/**
 * PRESENCE, as far as it is a matter of every moment: a user who is here does not come, one who is not does not go, and
 * nobody is shown as gone who has been away for less than the grace.
 */
export class PresenceChecker implements WireListener {
  readonly #court: Court
  #graceMs: number
  readonly #delayMs: number
  readonly #sessions = new Map<string, Known>()
  /** Rooms that a connection has asked to join before its welcome. */
  readonly #early = new Map<Tapped, readonly string[]>()
  /** Who is in a room, as a connection has been told. */
  readonly #views = new Map<Tapped, Map<string, Set<string>>>()

  /** @param delayMs - how long what a session asks may have to wait before it is done */
  constructor(court: Court, graceMs: number, delayMs: number) {
    this.#court = court
    this.#graceMs = graceMs
    this.#delayMs = delayMs
  }

  /** The process is gone; a store that outlives it has kept the sessions. */
  reset(keepsSessions: boolean): void {
    this.#views.clear()
    if (!keepsSessions) this.#sessions.clear()
    for (const session of this.#sessions.values()) {
      // What the store has yet to write of a connection is lost with the process: it may date the loss from the one before.
      const isKept = this.#court.now > session.attachedAt + this.#delayMs
      if (isKept) this.#detach(session)
      else session.connection = undefined
      session.backAt = Infinity
      for (const room of session.rooms.keys()) session.unconfirmed.add(room)
    }
  }

  /** The clock by which a store dates what it keeps is set: to the next process somebody has been away for longer. */
  clockSet(byMs: number): void {
    this.#graceMs -= Math.abs(byMs)
  }

  /** A session has crashed: it is nowhere any more. */
  forget(session: string | undefined): void {
    if (session !== undefined) this.#sessions.get(session)?.rooms.clear()
  }

  /** A room was given up: nobody is a member any more, those included who cannot be told. */
  roomLost(room: string): void {
    for (const { rooms, asked } of this.#sessions.values()) {
      rooms.delete(room)
      asked.delete(room)
    }
  }

  /** The users whose sessions are in a room and connected, as far as the wire has shown. */
  usersIn(room: string): string[] {
    return this.#usersWith((session) => session.rooms.has(room) && !this.#isForgotten(session, room))
  }

  /** Those, and the users whose sessions have asked to join it: whether they are in, nobody may have been told. */
  usersPerhapsIn(room: string): string[] {
    return this.#usersWith((session) => session.rooms.has(room) || session.asked.has(room))
  }

  #usersWith(isIn: (session: Known) => boolean): string[] {
    const here = [...this.#sessions.values()].filter((session) => session.connection !== undefined && isIn(session))
    return [...new Set(here.map(({ user }) => user))].toSorted()
  }

  opened(connection: Tapped): void {
    this.#views.set(connection, new Map())
  }

  received(connection: Tapped, { type, room = '' }: Asked): void {
    const session = this.#sessions.get(connection.session ?? '')
    // Behind its close frame the server does not read on: what still comes is not done.
    if (session !== undefined && session.connection !== connection) return
    if (type === 'join') {
      if (session === undefined) this.#early.set(connection, [...(this.#early.get(connection) ?? []), room])
      session?.asked.add(room)
      session?.leaving.delete(room)
      session?.unconfirmed.delete(room)
    }
    if (type !== 'leave') return
    session?.rooms.delete(room)
    session?.asked.delete(room)
    session?.leaving.add(room)
    session?.left.set(room, this.#court.now)
  }

  sent(connection: Tapped, message: ServerMessage): void {
    const views = this.#views.get(connection)
    if (views === undefined) return
    switch (message.type) {
      case 'welcome': {
        if (connection.session !== message.session) this.forget(connection.session)
        const known = this.#sessions.get(message.session)
        connection.session = message.session
        connection.user = message.user
        if (known === undefined) {
          const [rooms, left] = [new Map<string, number>(), new Map<string, number>()]
          const [leaving, unconfirmed, asked] = [new Set<string>(), new Set<string>(), new Set<string>()]
          const [attachedAt, detachedAt] = [this.#court.now, -Infinity]
          const { session, user } = message
          this.#sessions.set(session, {
            user,
            rooms,
            leaving,
            left,
            unconfirmed,
            asked,
            connection,
            attachedAt,
            backAt: attachedAt,
            detachedAt,
          })
        } else if (known.connection !== connection) {
          known.connection = connection
          known.attachedAt = this.#court.now
          known.backAt = Math.min(known.backAt, this.#court.now)
          for (const room of this.#early.get(connection) ?? []) {
            known.asked.add(room)
            known.leaving.delete(room)
            known.unconfirmed.delete(room)
          }
        }
        return
      }
      case 'joined':
        this.#joined(connection, message.room)
        views.set(message.room, this.#usersOf(connection, message))
        return
      case 'left':
        views.delete(message.room)
        return
      case 'presence':
        return this.#apply(connection, views.get(message.room), message)
      case 'error':
        if (message.code !== 'room-unavailable' || message.room === undefined) return
        views.delete(message.room)
        // Its session alone: others are known to be out from when the room was given up, and may be in the next by now.
        this.#sessions.get(connection.session ?? '')?.rooms.delete(message.room)
        return
      default:
    }
  }

  #joined({ session }: Tapped, room: string): void {
    const known = this.#sessions.get(session ?? '')
    if (known?.leaving.has(room) === false && !known.rooms.has(room)) known.rooms.set(room, this.#court.now)
  }

  closing(connection: Tapped, code: number): void {
    const session = this.#sessions.get(connection.session ?? '')
    if (session?.connection !== connection) return
    if (code === 4003) session.rooms.clear()
    this.#detach(session)
  }

  ended(connection: Tapped, code: number): void {
    this.#views.delete(connection)
    this.#early.delete(connection)
    const session = this.#sessions.get(connection.session ?? '')
    if (session?.connection !== connection) return
    if (code === 1000) session.rooms.clear()
    this.#detach(session)
  }

  #detach(session: Known): void {
    if (session.connection !== undefined) session.detachedAt = this.#court.now
    session.connection = undefined
  }

  #usersOf({ device, user }: Tapped, { room, members, count }: JoinedMessage): Set<string> {
    const users = new Set(members.map((member) => member.user))
    if (users.size !== members.length) this.#court.accuse('PRESENCE', `${device} is told twice of a user in ${room}`)
    if (count === undefined && user !== undefined && !users.has(user)) {
      this.#court.accuse('PRESENCE', `${device} has joined ${room} and is not in it`)
    }
    return users
  }

  #apply({ device }: Tapped, view: Set<string> | undefined, { room, joined, updated, left }: PresenceMessage): void {
    // Not in by this connection: the answer to its join is going to account for it.
    if (view === undefined) return
    for (const { user } of joined ?? []) {
      if (view.has(user)) this.#court.accuse('PRESENCE', `${device} is told that ${user} comes to ${room}, once more`)
      view.add(user)
    }
    for (const { user } of updated ?? []) {
      if (!view.has(user)) this.#court.accuse('PRESENCE', `${device} hears of ${user}, who is not in ${room}`)
    }
    for (const user of left ?? []) {
      if (!view.delete(user)) this.#court.accuse('PRESENCE', `${device} is told that ${user} leaves ${room}, once more`)
      const here = [...this.#sessions.values()].find((session) => session.user === user && this.#isHere(session, room))
      if (here !== undefined) {
        const since = here.connection === undefined ? `away since ${here.detachedAt} ms` : 'connected'
        this.#court.accuse('PRESENCE', `${device} is told that ${user} leaves ${room}, who is ${since}`)
      }
    }
  }

  /** Whether the server may have taken it out of a room by now that it knew it in only from its store. */
  #isForgotten({ unconfirmed, backAt }: Known, room: string): boolean {
    return unconfirmed.has(room) && this.#court.now > backAt + this.#graceMs - 1
  }

  #isHere(session: Known, room: string): boolean {
    const { rooms, left, connection, attachedAt, detachedAt } = session
    if (this.#isForgotten(session, room)) return false
    const { now } = this.#court
    // What happens in one turn of the event loop is told to one connection after the other: of that turn nothing is known.
    if (!((rooms.get(room) ?? Infinity) < now)) return false
    // It has left, and come again: those who are told of both are told one after the other.
    if (now <= (left.get(room) ?? -Infinity) + this.#delayMs) return false
    return (connection !== undefined && attachedAt < now) || now < detachedAt + this.#graceMs
  }
}
