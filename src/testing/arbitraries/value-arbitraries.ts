import fc from 'fast-check'
import { anyJson } from './any-json.ts'
import { arrayArbitrary } from './array-arbitrary.ts'
import { kept } from './kept.ts'
import { numberArbitrary } from './number-arbitrary.ts'
import { objectArbitrary } from './object-arbitrary.ts'
import type { SchemaDocument } from './schema-document.ts'
import { SchemaError } from './schema-error.ts'
import { faultOf } from './schema-faults.ts'
import { typeNames, type TypeName } from './schema-keywords.ts'
import { SchemaShapes, type Shape } from './schema-shapes.ts'
import type { JsonSchema, JsonSchemaObject } from './schema-source.ts'
import { stringArbitrary } from './string-arbitrary.ts'

/** Makes what values of a part of a schema are made by; nothing when that part has no values. */
type ArbitraryOf = (schema: JsonSchema, path: string) => fc.Arbitrary<unknown> | undefined

/** Where in a schema something is made. */
export interface Place {
  readonly path: string
  readonly arbitraryOf: ArbitraryOf
  /** How much of what may be there in any number is made. */
  readonly amounts: fc.ArrayConstraints
}

/** What makes the values of one type. */
interface Maker {
  readonly keywords: JsonSchemaObject
  readonly place: Place
}

const makers: { readonly [Name in TypeName]: (maker: Maker) => fc.Arbitrary<unknown> | undefined } = {
  null: () => fc.constant(null),
  boolean: () => fc.boolean(),
  integer: ({ keywords }) => numberArbitrary(keywords, true),
  number: ({ keywords }) => numberArbitrary(keywords, false),
  string: ({ keywords, place }) => stringArbitrary(keywords, place.path),
  array: ({ keywords, place }) => arrayArbitrary(keywords, place),
  object: ({ keywords, place }) => objectArbitrary(keywords, place),
}

/** One of several ways to make a value, and how far it is from the simplest kind of value there is. */
interface Ranked {
  readonly rank: number
  readonly arbitrary: fc.Arbitrary<unknown>
}

/** How often a schema may come back to itself: few times for what is quick to read, more where nothing else will do. */
const budgets = [3, 16, 32]

/** Makes arbitraries of the parts of one schema. */
export class ValueArbitraries {
  readonly #document: SchemaDocument
  readonly #shapes: SchemaShapes
  readonly #amounts: fc.ArrayConstraints
  readonly #known = new Map<JsonSchema, Map<number, fc.Arbitrary<unknown> | undefined>>()

  constructor(document: SchemaDocument) {
    this.#document = document
    this.#shapes = new SchemaShapes(document)
    // Where values contain values of their own kind, many of each make very many.
    this.#amounts = {
      depthIdentifier: fc.createDepthIdentifier(),
      ...(document.isRecursive() ? { size: 'xsmall' } : {}),
    }
  }

  /**
   * What makes the values of the whole schema.
   *
   * @throws SchemaError when there are none
   */
  ofRoot(): fc.Arbitrary<unknown> {
    const { root } = this.#document
    for (const budget of budgets) {
      const found = this.#of(root, budget, '#')
      if (found !== undefined) return found
    }
    throw new SchemaError('no-values', '#', 'No value satisfies it.')
  }

  #of(schema: JsonSchema, budget: number, path: string): fc.Arbitrary<unknown> | undefined {
    if (schema === true) return anyJson
    const known = this.#known.get(schema) ?? new Map<number, fc.Arbitrary<unknown> | undefined>()
    this.#known.set(schema, known)
    if (!known.has(budget)) known.set(budget, this.#make(schema, budget, path))
    return known.get(budget)
  }

  #make(schema: JsonSchema, budget: number, path: string): fc.Arbitrary<unknown> | undefined {
    const made = this.#shapes.of(schema).flatMap((shape) => {
      const rest = shape.recursive ? budget - 1 : budget
      return rest < 0 ? [] : this.#ofShape(schema, shape, rest, path)
    })
    // The first is what the others shrink to.
    const [first, ...others] = made.toSorted((one, other) => one.rank - other.rank).map(({ arbitrary }) => arbitrary)
    if (first === undefined) return undefined
    return kept(
      others.length === 0 ? first : fc.oneof({ withCrossShrink: true }, first, ...others),
      (value) => this.#satisfies(schema, value),
      () => new SchemaError('too-many-refused', path, 'Nearly nothing that is made of it satisfies it.'),
    )
  }

  #ofShape(schema: JsonSchema, shape: Shape, budget: number, path: string): Ranked[] {
    const { keywords, types, values } = shape
    if (values !== undefined) {
      const fit = values.filter((value) => this.#satisfies(schema, value))
      return fit.length === 0 ? [] : [{ rank: 0, arbitrary: fc.constantFrom(...fit) }]
    }
    if (types.length > 3 && Object.keys(keywords).length === 0) return [{ rank: 0, arbitrary: anyJson }]
    const arbitraryOf: ArbitraryOf = (part, where) => this.#of(part, budget, where)
    const place = { path, arbitraryOf, amounts: this.#amounts }
    return types.flatMap((name) => {
      const arbitrary = makers[name]({ keywords, place })
      return arbitrary === undefined ? [] : [{ rank: typeNames.indexOf(name), arbitrary }]
    })
  }

  #satisfies(schema: JsonSchema, value: unknown): boolean {
    return faultOf(schema, value, { document: this.#document, formats: true }) === undefined
  }
}
