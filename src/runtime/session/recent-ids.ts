import type { RequestId } from '../../protocol/index.ts'
import type { Budget } from '../budget.ts'

/** What an id takes, roughly (bytes): a text of its own, and its place in the set. */
const sizeOf = (id: RequestId): number => 64 + (typeof id === 'string' ? id.length : 0)

/** The ids of a session's requests that were done, so that one that comes again is not done again: the oldest go first. */
export class RecentIds {
  // A set keeps the order of insertion.
  readonly #ids = new Set<RequestId>()
  readonly #limit: number
  readonly #budget: Budget

  /** @param limit - how many are remembered */
  constructor(limit: number, budget: Budget) {
    this.#limit = limit
    this.#budget = budget
  }

  has(id: RequestId): boolean {
    return this.#ids.has(id)
  }

  /** Remembers one that is not there yet. */
  add(id: RequestId): void {
    this.#ids.add(id)
    this.#budget.force(sizeOf(id))
    for (const oldest of this.#ids) {
      if (this.#ids.size <= this.#limit && !this.#budget.spent) return
      this.#forget(oldest)
    }
  }

  /** Forgets everything: the session is over. */
  clear(): void {
    for (const id of this.#ids) this.#forget(id)
  }

  #forget(id: RequestId): void {
    this.#ids.delete(id)
    this.#budget.give(sizeOf(id))
  }
}
