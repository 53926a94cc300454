interface Due {
  readonly callback: () => void
  readonly at: number
}

/** The time of a chart that runs as a model: what is due happens within the call that moves it on. */
export class ModelClock {
  #now: number
  // In the order in which they were set: a chart has few at a time.
  readonly #due = new Set<Due>()

  /** @param startMs - the first moment (ms since the epoch) */
  constructor(startMs = 0) {
    this.#now = startMs
  }

  readonly now = (): number => this.#now

  readonly setTimeout = (callback: () => void, ms: number): unknown => {
    const due = { callback, at: this.#now + Math.max(0, ms) }
    if (due.at !== Infinity) this.#due.add(due)
    return due
  }

  readonly clearTimeout = (due: unknown): void => {
    this.#due.delete(due as Due)
  }

  /** How long until the next call (ms); undefined when none is pending. */
  get nextMs(): number | undefined {
    const next = this.#next()
    return next === undefined ? undefined : next.at - this.#now
  }

  advance(ms: number): void {
    const until = this.#now + ms
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) {
      this.#due.delete(next)
      this.#now = next.at
      next.callback()
    }
    this.#now = until
  }

  #next(): Due | undefined {
    let next: Due | undefined
    for (const due of this.#due) if (next === undefined || due.at < next.at) next = due
    return next
  }
}
