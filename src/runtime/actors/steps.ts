/**
 * Knows whether some actor is in the middle of a step, and runs what must not happen there when the outermost step is
 * over. Actors process depth first: one's action may set off another's step. A new actor is created between steps, as
 * XState itself does with the children of a machine; within an action its development build warns of each.
 */
export class Steps {
  #depth = 0
  #waiting: (() => void)[] = []

  enter(): void {
    this.#depth++
  }

  leave(): void {
    if (--this.#depth > 0 || this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const action of waiting) action()
  }

  /** Runs an action now, or as soon as the step that is going on is over. */
  after(action: () => void): void {
    if (this.#depth === 0) action()
    else this.#waiting.push(action)
  }
}
