import type { Budget } from '../budget.ts'

/** Bounds what waits in one room for its log: to be opened, to be written, or for an earlier request. */
export class Backlog {
  readonly #limitBytes: number
  readonly #budget: Budget
  #bytes = 0

  constructor(limitBytes: number, budget: Budget) {
    this.#limitBytes = limitBytes
    this.#budget = budget
  }

  /** Takes something in, if there is room here and in the process. */
  add(bytes: number): boolean {
    if (this.#bytes + bytes > this.#limitBytes || !this.#budget.take(bytes)) return false
    this.#bytes += bytes
    return true
  }

  /** Whether there is no more room. */
  get full(): boolean {
    return this.#bytes >= this.#limitBytes || this.#budget.spent
  }

  /** Takes something in that cannot be turned away any more. */
  force(bytes: number): void {
    this.#bytes += bytes
    this.#budget.force(bytes)
  }

  /** It waits no more. */
  remove(bytes: number): void {
    this.#bytes -= bytes
    this.#budget.give(bytes)
  }

  /** Nothing waits any more: the room is gone. */
  clear(): void {
    this.remove(this.#bytes)
  }
}
