import type { ConnectionLink } from '../connection/connection-link.ts'
import type { Allowance } from '../connection/allowance.ts'
import type { Settings } from '../options.ts'

/** A user who is here: by which connections, and what they may say together. */
export interface PresentUser {
  readonly id: string
  /** A list, and not a set, which would take more than all the rest: by far the most have one. */
  readonly links: ConnectionLink[]
  /** Once something has been said. */
  allowance: Allowance | undefined
}

/** Who is connected, by user. A connection counts from when it is known whose it is until its end. */
export class Users {
  readonly #settings: Settings
  readonly #users = new Map<string, PresentUser>()

  constructor(settings: Settings) {
    this.#settings = settings
  }

  get size(): number {
    return this.#users.size
  }

  get(id: string): PresentUser | undefined {
    return this.#users.get(id)
  }

  /** Whether a user has as many connections as one may have. */
  isFull(id: string): boolean {
    return (this.#users.get(id)?.links.length ?? 0) >= this.#settings.connectionsPerUser
  }

  /** A connection is this user's, and nobody else's any more. */
  enter(link: ConnectionLink, id: string): void {
    if (link.user?.id === id) return
    this.leave(link)
    let user = this.#users.get(id)
    if (user === undefined) {
      user = { id, links: [], allowance: undefined }
      this.#users.set(id, user)
    }
    user.links.push(link)
    link.user = user
  }

  /** The connection is over. */
  leave(link: ConnectionLink): void {
    const { user } = link
    if (user === undefined) return
    link.user = undefined
    user.links.splice(user.links.indexOf(link), 1)
    if (user.links.length === 0) this.#users.delete(user.id)
  }
}
