import type { DiskTerms } from './virtual-disk.ts'

/**
 * Writes on their way to a disk. They take effect in the order in which they were made, each after a time; when the
 * process is killed, the first of them have, and the rest never do.
 */
export class WriteQueue {
  readonly #terms: DiskTerms
  #waiting: (() => void)[] = []
  #lastAt = -Infinity

  constructor(terms: DiskTerms) {
    this.#terms = terms
    terms.process.atKill(() => {
      for (const write of this.#waiting.slice(0, terms.random.between(0, this.#waiting.length))) write()
      this.#waiting = []
    })
  }

  add(write: () => void): void {
    const { process, after, latencyMs, now: time } = this.#terms
    if (!process.isAlive) return
    this.#waiting.push(write)
    const now = time()
    this.#lastAt = Math.max(now + latencyMs(), this.#lastAt)
    after(() => this.#waiting.shift()?.(), this.#lastAt - now)
  }

  /** Everything takes effect now. */
  flush(): void {
    for (let write = this.#waiting.shift(); write !== undefined; write = this.#waiting.shift()) write()
  }
}
