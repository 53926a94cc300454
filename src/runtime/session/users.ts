import type { ConnectionLink } from '../connection/connection-link.ts'
import type { Allowance } from '../connection/allowance.ts'
import { userAllowance } from '../connection/intake.ts'
import type { Settings } from '../options.ts'
import type { Clock } from '../ports/environment.ts'

/** A user who is here: by which connections, and what they may say together. */
export interface PresentUser {
  readonly id: string
  readonly links: Set<ConnectionLink>
  readonly allowance: Allowance
}

/** Who is connected, by user. A connection counts from when it is known whose it is until its end. */
export class Users {
  readonly #settings: Settings
  readonly #clock: Clock
  readonly #users = new Map<string, PresentUser>()

  constructor(settings: Settings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
  }

  get size(): number {
    return this.#users.size
  }

  get(id: string): PresentUser | undefined {
    return this.#users.get(id)
  }

  /** Whether a user has as many connections as one may have. */
  isFull(id: string): boolean {
    return (this.#users.get(id)?.links.size ?? 0) >= this.#settings.connectionsPerUser
  }

  /** A connection is this user's, and nobody else's any more. */
  enter(link: ConnectionLink, id: string): void {
    if (link.user?.id === id) return
    this.leave(link)
    let user = this.#users.get(id)
    if (user === undefined) {
      user = { id, links: new Set(), allowance: userAllowance(this.#settings, this.#clock.now()) }
      this.#users.set(id, user)
    }
    user.links.add(link)
    link.user = user
  }

  /** The connection is over. */
  leave(link: ConnectionLink): void {
    const { user } = link
    if (user === undefined) return
    link.user = undefined
    user.links.delete(link)
    if (user.links.size === 0) this.#users.delete(user.id)
  }
}
