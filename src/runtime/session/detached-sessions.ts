import type { Session } from './session.ts'

/** How many sessions may wait for their clients. */
export interface DetachedLimits {
  readonly total: number
  readonly perUser: number
}

/** A session that has to go, and why. */
export interface Eviction {
  readonly session: Session
  readonly reason: 'total' | 'user'
}

/**
 * The sessions that wait for their clients, longest first. Whoever comes and goes without end is not to fill the memory
 * with them, and no user is to push out another's by it: a user who has too many loses one of their own.
 */
export class DetachedSessions {
  readonly #limits: DetachedLimits
  // Sets keep the order of insertion.
  readonly #all = new Set<Session>()
  readonly #byUser = new Map<string, Set<Session>>()

  constructor(limits: DetachedLimits) {
    this.#limits = limits
  }

  /** A session waits from now on. */
  add(session: Session): Eviction | undefined {
    this.delete(session)
    this.#all.add(session)
    const { id } = session.user
    let own = this.#byUser.get(id)
    if (own === undefined) this.#byUser.set(id, (own = new Set()))
    own.add(session)
    if (own.size > this.#limits.perUser) return this.#evict(own, 'user')
    return this.#all.size > this.#limits.total ? this.#evict(this.#all, 'total') : undefined
  }

  /** It waits no more. */
  delete(session: Session): void {
    if (!this.#all.delete(session)) return
    const own = this.#byUser.get(session.user.id)
    own?.delete(session)
    if (own?.size === 0) this.#byUser.delete(session.user.id)
  }

  #evict(sessions: ReadonlySet<Session>, reason: Eviction['reason']): Eviction | undefined {
    for (const session of sessions) {
      this.delete(session)
      return { session, reason }
    }
    return undefined
  }
}
