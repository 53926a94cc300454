/** Something that a store was asked for and has yet to answer. */
export interface Errand {
  answer(): void
  fail(): void
}

/** What a store says that cannot. */
export const failure = (what: string): Error => new Error(`The disk failed to ${what}.`)

/** What a store was asked for: answered at once, or when the test says. */
export class Errands {
  /** Whether it is the test that answers. */
  lag = false
  readonly waiting: Errand[] = []
  readonly #what: string

  constructor(what: string) {
    this.#what = what
  }

  get size(): number {
    return this.waiting.length
  }

  /** Begins one; its effect is that of `act`, which is called when it is answered. */
  begin<T>(act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const errand = { answer: () => resolve(act()), fail: () => reject(failure(this.#what)) }
      if (this.lag) this.waiting.push(errand)
      else errand.answer()
    })
  }

  /** Answers one of them, by default the one that has waited longest. */
  answer(index = 0): void {
    this.waiting.splice(index, 1)[0]?.answer()
  }

  fail(index = 0): void {
    this.waiting.splice(index, 1)[0]?.fail()
  }

  answerAll(): void {
    while (this.waiting.length > 0) this.answer()
  }
}
