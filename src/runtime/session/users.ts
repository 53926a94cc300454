import type { ConnectionLink } from '../connection/connection-link.ts'
import type { Allowance } from '../connection/allowance.ts'
import { isStricterByUser, userAllowance } from '../connection/intake.ts'
import type { Settings } from '../options.ts'
import type { Clock } from '../ports/environment.ts'
import { SpentAllowances } from './spent-allowances.ts'

/** A user who is here: by which connections, and what they may say together. */
export interface PresentUser {
  readonly id: string
  /** A list, and not a set, which would take more than all the rest: by far the most have one. */
  readonly links: ConnectionLink[]
  /** Where the limits of one connection alone are not enough: there are several, or the user's are stricter. */
  allowance: Allowance | undefined
}

/**
 * Who is connected, by user. A connection counts from when it is known whose it is until it is closed, whatever
 * becomes of its socket.
 */
export class Users {
  readonly #settings: Settings
  readonly #clock: Clock
  readonly #isStricter: boolean
  readonly #users = new Map<string, PresentUser>()
  readonly #spent = new SpentAllowances()

  constructor(settings: Settings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
    this.#isStricter = isStricterByUser(settings)
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
      const spent = this.#spent.take(id, this.#clock.now())
      link.intake = spent?.intake ?? link.intake
      user = { id, links: [], allowance: spent?.allowance }
      this.#users.set(id, user)
    }
    user.links.push(link)
    if (this.#isStricter || user.links.length > 1) {
      user.allowance ??= userAllowance(this.#settings, this.#clock.now())
    }
    link.user = user
  }

  /** The connection is over. */
  leave(link: ConnectionLink): void {
    const { user } = link
    if (user === undefined) return
    link.user = undefined
    user.links.splice(user.links.indexOf(link), 1)
    if (user.links.length > 0) return
    this.#users.delete(user.id)
    this.#spent.keep(user.id, { intake: link.intake, allowance: user.allowance }, this.#clock.now())
  }
}
