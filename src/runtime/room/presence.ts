import type { Json, Member } from '../../protocol/index.ts'

/** What changed for the others, if anything did. */
export interface PresenceChange {
  readonly joined?: readonly Member[]
  readonly updated?: readonly Member[]
  readonly left?: readonly string[]
}

/** What a session is shown as. */
export interface Appearance {
  readonly state?: Json | undefined
  /** What it was let in as, where that was said. */
  readonly role?: string | undefined
}

/** What a user's sessions have said last: the order is that of their saying it, and the last one's is shown. */
type Said<Value> = Map<string, Value>

/**
 * Who is in a room, counted by user: pure data. A user with three tabs joins once and leaves once.
 */
export class Presence {
  readonly #users = new Map<string, Said<Json | undefined>>()
  /** Most rooms have none: what a user is, by session. A session that was let in as nothing in particular has no say. */
  readonly #roles = new Map<string, Said<string>>()

  get size(): number {
    return this.#users.size
  }

  /** A session came, or came again. */
  join(user: string, session: string, { state, role }: Appearance = {}): PresenceChange | undefined {
    const sessions = this.#users.get(user)
    if (sessions === undefined) {
      this.#users.set(user, new Map([[session, state]]))
      this.#say(user, session, role)
      return { joined: [this.#member(user)] }
    }
    return this.#change(user, () => {
      this.#say(user, session, role)
      if (state !== undefined) show(sessions, session, state)
      // A tab that says nothing of itself does not hide what another has said.
      else if (!sessions.has(session)) this.#users.set(user, new Map([[session, state], ...sessions]))
    })
  }

  /** A session says something new of itself. Nothing changes when it is not here. */
  update(user: string, session: string, state: Json): PresenceChange | undefined {
    const sessions = this.#users.get(user)
    if (sessions?.has(session) !== true) return undefined
    return this.#change(user, () => show(sessions, session, state))
  }

  /** A session is gone. */
  leave(user: string, session: string): PresenceChange | undefined {
    const sessions = this.#users.get(user)
    if (sessions?.has(session) !== true) return undefined
    if (sessions.size === 1) {
      this.#users.delete(user)
      this.#roles.delete(user)
      return { left: [user] }
    }
    return this.#change(user, () => {
      sessions.delete(session)
      this.#say(user, session, undefined)
    })
  }

  /** A session is something else from now on. Nothing changes when it is not here. */
  assign(user: string, session: string, role: string | undefined): PresenceChange | undefined {
    if (this.#users.get(user)?.has(session) !== true) return undefined
    return this.#change(user, () => this.#say(user, session, role))
  }

  /** The sessions of a user who is here. */
  sessionsOf(user: string): string[] {
    return [...(this.#users.get(user)?.keys() ?? [])]
  }

  /** Everybody who is here, in the order of their coming. */
  members(): Member[] {
    return [...this.#users.keys()].map((user) => this.#member(user))
  }

  #say(user: string, session: string, role: string | undefined): void {
    const roles = this.#roles.get(user)
    if (role === undefined) {
      if (roles?.delete(session) === true && roles.size === 0) this.#roles.delete(user)
    } else if (roles === undefined) this.#roles.set(user, new Map([[session, role]]))
    else show(roles, session, role)
  }

  #change(user: string, act: () => void): PresenceChange | undefined {
    const before = JSON.stringify(this.#member(user))
    act()
    const member = this.#member(user)
    return JSON.stringify(member) === before ? undefined : { updated: [member] }
  }

  #member(user: string): Member {
    const [role, state] = [last(this.#roles.get(user)), last(this.#users.get(user))]
    return { user, ...(role === undefined ? {} : { role }), ...(state === undefined ? {} : { state }) }
  }
}

/** Has the last word. */
function show<Value>(said: Said<Value>, session: string, value: Value): void {
  said.delete(session)
  said.set(session, value)
}

function last<Value>(said: Said<Value> | undefined): Value | undefined {
  return said === undefined ? undefined : [...said.values()].at(-1)
}
