import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeData, encodeData, type Json } from '../../src/protocol/index.ts'

const throughTheWire = (value: unknown): unknown =>
  decodeData(JSON.parse(JSON.stringify(encodeData(value))) as { data: Json; meta?: Json })

/** Keys that mean something to superjson's paths, and those that mean something to JavaScript but not to it. */
const key = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('a.b', '.', 'a\\', 'a\\.b', '', '0', 'length', 'toString', 'toJSON', 'values', 'v', 'json', 'meta'),
)

const leaf = fc.oneof(
  fc.string(),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.bigInt(),
  fc.constantFrom(null, undefined, NaN, Infinity, -Infinity, -0),
  fc.date({ noInvalidDate: true }),
  fc.webUrl().map((url) => new URL(url)),
)

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((elements) => new Set(elements)),
  ),
}))

describe('the codec', () => {
  it('[DATA-1] gives back what it was given: JSON and everything that superjson adds, however nested', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(throughTheWire(given)).toStrictEqual(given)
      }),
      { numRuns: 1_000 },
    )
  })

  it('[DATA-1] writes no meta for plain JSON, and the very value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (given) => {
        fc.pre(
          !JSON.stringify(given, (_, part: unknown) => (Object.is(part, -0) ? 'minus zero' : part)).includes(
            'minus zero',
          ),
        )
        const encoded = encodeData(given)
        expect(encoded).not.toHaveProperty('meta')
        expect(encoded.data).toBe(given)
      }),
    )
  })

  it('[DATA-1] takes what it is given or throws a TypeError, and never writes what it could not read', () => {
    const anything = fc.anything({
      key,
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withObjectString: true,
      withSparseArray: true,
      withTypedArray: true,
    })
    fc.assert(
      fc.property(anything, (given) => {
        try {
          encodeData(given)
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
          return
        }
        throughTheWire(given)
      }),
      { numRuns: 1_000 },
    )
  })

  it.each([
    ['a function', () => {}],
    ['a symbol', Symbol('x')],
    ['a regular expression', /x/],
    ['an error', new Error('x')],
    ['a typed array', new Uint8Array(2)],
    ['an instance of a class', Object.create({ inherits: true }) as object],
    ['a promise', Promise.resolve()],
    ['a weak map', new WeakMap()],
    ['a time that is none', new Date(NaN)],
    ['a regular expression inside', { at: new Date(0), x: [/x/] }],
    ['a prototype for a key, beside what needs meta', { at: new Date(0), constructor: 1 }],
  ])('[DATA-1] does not take %s', (_, given) => {
    expect(() => encodeData(given)).toThrow(TypeError)
  })

  it('[DATA-2] does not take what is too deep, has too many parts, or comes round to itself', () => {
    const nest = (depth: number, inner: unknown = 0): unknown => (depth === 0 ? inner : [nest(depth - 1, inner)])
    const circle: Record<string, unknown> = { a: 1 }
    circle['circle'] = { circle }
    const exceeding = [
      nest(33),
      nest(33, new Date(0)),
      nest(5_000),
      nest(5_000, new Date(0)),
      Array.from({ length: 10_001 }, () => 0),
      Array.from({ length: 10_001 }, () => 1n),
      new Set(Array.from({ length: 10_001 }, (_, i) => i)),
      Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i])),
      Array.from({ length: 1_001 }, () => undefined),
      { ['x'.repeat(513)]: new Date(0) },
      circle,
    ]
    for (const given of exceeding) expect(() => encodeData(given)).toThrow(TypeError)
    for (const given of [nest(32), Array.from({ length: 10_000 }, () => 0), Array.from({ length: 1_000 }, () => 1n)]) {
      expect(throughTheWire(given)).toStrictEqual(given)
    }
  })

  it('[META-2] rebuilds what anybody sent, or throws a TypeError; and no prototype is touched', () => {
    const path = fc.oneof(key, fc.constantFrom('__proto__.x', 'constructor', 'a.0', '0.0.1', 'a\\x', '1'))
    const annotation = fc.constantFrom('Date', 'bigint', 'undefined', 'number', 'set', 'map', 'URL', 'regexp', 'Error')
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        fc.tuple(annotation),
        fc.tuple(annotation, fc.dictionary(path, tie('tree'), { maxKeys: 3 })),
        fc.dictionary(path, tie('tree'), { maxKeys: 3 }),
      ),
    }))
    const before = Reflect.ownKeys(Object.prototype).length
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.oneof(tree, fc.jsonValue()),
        fc.constantFrom(undefined, 0, 1),
        (data, values, v) => {
          const sent = { data, meta: { values, ...(v === undefined ? {} : { v }) } }
          try {
            decodeData(JSON.parse(JSON.stringify(sent)) as { data: Json; meta: Json })
          } catch (error) {
            expect(error).toBeInstanceOf(TypeError)
          }
          expect(Reflect.ownKeys(Object.prototype)).toHaveLength(before)
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
