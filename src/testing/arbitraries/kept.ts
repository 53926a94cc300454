import fc from 'fast-check'

/** How many values in a row may be refused before it is given up. */
const maxRefused = 1_000

/**
 * Values that are kept of those that another arbitrary makes. Unlike `filter`, which goes on for ever where nothing is
 * kept, this gives up.
 */
class Kept<T> extends fc.Arbitrary<T> {
  readonly #made: fc.Arbitrary<T>
  readonly #keep: (value: T) => boolean
  readonly #giveUp: () => Error

  constructor(made: fc.Arbitrary<T>, keep: (value: T) => boolean, giveUp: () => Error) {
    super()
    this.#made = made
    this.#keep = keep
    this.#giveUp = giveUp
  }

  override generate(random: fc.Random, biasFactor: number | undefined): fc.Value<T> {
    for (let refused = 0; refused < maxRefused; refused++) {
      const made = this.#made.generate(random, biasFactor)
      if (this.#keep(made.value)) return made
    }
    throw this.#giveUp()
  }

  override canShrinkWithoutContext(value: unknown): value is T {
    return this.#made.canShrinkWithoutContext(value) && this.#keep(value)
  }

  override shrink(value: T, context: unknown): fc.Stream<fc.Value<T>> {
    return this.#made.shrink(value, context).filter((smaller) => this.#keep(smaller.value))
  }
}

/**
 * Keeps some of the values that an arbitrary makes.
 *
 * @param giveUp - makes the error that is thrown when 1,000 in a row are refused
 */
export function kept<T>(made: fc.Arbitrary<T>, keep: (value: T) => boolean, giveUp: () => Error): fc.Arbitrary<T> {
  return new Kept(made, keep, giveUp)
}
