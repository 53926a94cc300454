/** Randomness that comes from a seed, and the few things that one asks of it. */
export class SeededRandom {
  #state: number

  /** @param seed - any number; two generators with the same seed give the same sequence */
  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A number in [0, 1): Tommy Ettinger's mulberry32, with a period of 2³². Not for secrets. */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    const state = this.#state
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  /** Whether something happens that happens so often (0 to 1). */
  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** A generator of its own: what it is asked for changes nothing here. */
  fork(): SeededRandom {
    return new SeededRandom(Math.floor(this.next() * 4_294_967_296))
  }
}
