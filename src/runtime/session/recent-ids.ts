import type { RequestId } from '../../protocol/index.ts'

/** The ids of a session's requests that were done, so that one that comes again is not done again: the oldest go first. */
export class RecentIds {
  // A set keeps the order of insertion.
  readonly #ids = new Set<RequestId>()
  readonly #limit: number

  /** @param limit - how many are remembered */
  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#ids.size
  }

  has(id: RequestId): boolean {
    return this.#ids.has(id)
  }

  add(id: RequestId): void {
    this.#ids.delete(id)
    this.#ids.add(id)
    if (this.#ids.size <= this.#limit) return
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest)
      return
    }
  }
}
