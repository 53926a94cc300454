import { Break } from './expectation.ts'

/** Awaits what comes over one socket, and does not wait for ever. */
export class Patience {
  readonly #who: string
  readonly #ms: number
  readonly #waiting = new Set<() => void>()

  /**
   * @param who - whose socket it is, for people
   * @param ms - how long what is awaited may take, unless it is said otherwise
   */
  constructor(who: string, ms: number) {
    this.#who = who
    this.#ms = ms
  }

  /** Something has happened: whoever waits looks again. */
  look(): void {
    for (const look of this.#waiting) look()
  }

  /**
   * Awaits something.
   *
   * @param what - what is awaited, for people
   * @param find - asked whenever something has happened; what it returns is the answer, unless it is undefined
   * @param end - how the socket has ended, once it has; then nothing can come any more
   * @throws Break when it has not come in time, or cannot come
   */
  until<T>(what: string, find: () => T | undefined, end: () => string | undefined, withinMs = this.#ms): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(look)
      }
      const fail = (came: string): void => {
        done()
        reject(new Break(`${what}, for ${this.#who}`, came))
      }
      const look = (): void => {
        const found = find()
        const ended = end()
        if (found !== undefined) {
          done()
          resolve(found)
        } else if (ended !== undefined) fail(ended)
      }
      const timer = setTimeout(() => fail(`nothing of the kind within ${withinMs} ms`), withinMs)
      this.#waiting.add(look)
      look()
    })
  }
}
