import type { Json, Member } from '../../protocol/index.ts'

/** What changed for the others, if anything did. */
export interface PresenceChange {
  readonly joined?: readonly Member[]
  readonly updated?: readonly Member[]
  readonly left?: readonly string[]
}

/** A user's sessions in the order in which they last said something of themselves; the last one's state is shown. */
type Sessions = Map<string, Json | undefined>

/**
 * Who is in a room, counted by user: pure data. A user with three tabs joins once and leaves once.
 */
export class Presence {
  readonly #users = new Map<string, Sessions>()
  readonly #roles = new Map<string, string>()

  get size(): number {
    return this.#users.size
  }

  /** A session came, or came again. */
  join(user: string, session: string, state: Json | undefined): PresenceChange | undefined {
    const sessions = this.#users.get(user)
    if (sessions === undefined) {
      this.#users.set(user, new Map([[session, state]]))
      return { joined: [this.#member(user)] }
    }
    if (state !== undefined) return this.update(user, session, state)
    // A tab that says nothing of itself does not hide what another has said.
    if (!sessions.has(session)) this.#users.set(user, new Map([[session, state], ...sessions]))
    return undefined
  }

  /** A session says something new of itself. Nothing changes when it is not here. */
  update(user: string, session: string, state: Json): PresenceChange | undefined {
    const sessions = this.#users.get(user)
    if (sessions === undefined) return undefined
    const before = JSON.stringify(this.#shown(user))
    sessions.delete(session)
    sessions.set(session, state)
    return JSON.stringify(state) === before ? undefined : { updated: [this.#member(user)] }
  }

  /** A session is gone. */
  leave(user: string, session: string): PresenceChange | undefined {
    const sessions = this.#users.get(user)
    if (sessions === undefined) return undefined
    const before = this.#shown(user)
    if (!sessions.delete(session)) return undefined
    if (sessions.size === 0) {
      this.#users.delete(user)
      this.#roles.delete(user)
      return { left: [user] }
    }
    const after = this.#shown(user)
    return JSON.stringify(after) === JSON.stringify(before) ? undefined : { updated: [this.#member(user)] }
  }

  /** What a user is here, by the last word on it: told with the next `join` when the user is not here yet. */
  assign(user: string, role: string | undefined): PresenceChange | undefined {
    if (this.#roles.get(user) === role) return undefined
    if (role === undefined) this.#roles.delete(user)
    else this.#roles.set(user, role)
    return this.#users.has(user) ? { updated: [this.#member(user)] } : undefined
  }

  /** The sessions of a user who is here. */
  sessionsOf(user: string): string[] {
    return [...(this.#users.get(user)?.keys() ?? [])]
  }

  /** Everybody who is here, in the order of their coming. */
  members(): Member[] {
    return [...this.#users.keys()].map((user) => this.#member(user))
  }

  #member(user: string): Member {
    const [role, state] = [this.#roles.get(user), this.#shown(user)]
    return { user, ...(role === undefined ? {} : { role }), ...(state === undefined ? {} : { state }) }
  }

  #shown(user: string): Json | undefined {
    return [...(this.#users.get(user)?.values() ?? [])].at(-1)
  }
}
