import type { Allowance } from '../connection/allowance.ts'
import type { Intake } from '../connection/intake.ts'

/** What a user has used up, by the connection that ended last, and by all together. */
export interface Spent {
  readonly intake: Intake | undefined
  readonly allowance: Allowance | undefined
}

/**
 * What users who have gone had used up of what they may say: whoever comes back within seconds goes on with that.
 * Nothing is kept for longer than it takes to fill up again.
 */
export class SpentAllowances {
  readonly #spent = new Map<string, Spent & { readonly fullAt: number }>()

  get size(): number {
    return this.#spent.size
  }

  keep(user: string, { intake, allowance }: Spent, now: number): void {
    this.#sweep(now)
    const fullAt = Math.max(intake?.fullAt ?? now, allowance?.fullAt ?? now)
    if (fullAt > now && fullAt < Infinity) this.#spent.set(user, { intake, allowance, fullAt })
  }

  take(user: string, now: number): Spent | undefined {
    this.#sweep(now)
    const spent = this.#spent.get(user)
    this.#spent.delete(user)
    return spent
  }

  /** Those who went first are over first, or nearly so: one that is not holds up others only until it is. */
  #sweep(now: number): void {
    for (const [user, { fullAt }] of this.#spent) {
      if (fullAt > now) return
      this.#spent.delete(user)
    }
  }
}
