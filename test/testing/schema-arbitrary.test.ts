import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { schemaArbitrary, SchemaError, type JsonSchema, type SchemaSource } from '../../src/testing/index.ts'
import { schemaExamples } from './schema-examples.ts'

const ajv = new Ajv2020({ strict: false, validateFormats: false, ownProperties: true })

/** Values by a schema, the same ones in every run. */
const valuesOf = (schema: SchemaSource, numRuns = 300): unknown[] =>
  fc.sample(schemaArbitrary(schema), { numRuns, seed: 7 })

/** What is thrown where values cannot be made. */
function errorOf(schema: SchemaSource): SchemaError {
  try {
    valuesOf(schema, 1)
  } catch (error) {
    if (error instanceof SchemaError) return error
    throw error
  }
  throw new Error('values can be made of it')
}

const node = z.object({
  name: z.string(),
  get children() {
    return z.array(node).max(3)
  },
})

const ofZod: { readonly [what: string]: z.ZodType } = {
  'texts of formats': z.object({
    email: z.email(),
    uuid: z.uuid(),
    url: z.url(),
    ipv4: z.ipv4(),
    ipv6: z.ipv6(),
    at: z.iso.datetime(),
    elsewhere: z.iso.datetime({ offset: true }),
    date: z.iso.date(),
    time: z.iso.time(),
    nanoid: z.nanoid(),
    base64: z.base64(),
  }),
  'texts that are bounded': z.object({
    some: z.string().min(2).max(4),
    lower: z.string().lowercase(),
    start: z.string().startsWith('a+b'),
    regex: z.string().regex(/^[a-f]{2,}$/),
  }),
  numbers: z.object({ int: z.int().positive(), cents: z.number().multipleOf(0.25), range: z.number().gt(0).lt(1) }),
  'a strict object': z.strictObject({ a: z.string().optional(), b: z.string().nullable(), c: z.never().optional() }),
  'records and tuples': z.object({
    record: z.record(z.string(), z.int()),
    sides: z.record(z.enum(['left', 'right']), z.boolean()),
    pair: z.tuple([z.string(), z.number()]),
    rest: z.tuple([z.string()], z.boolean()),
  }),
  unions: z.union([
    z.literal(['a', 1, null]),
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('move'), square: z.int().min(0).max(8) }),
      z.object({ type: z.literal('resign') }),
    ]),
  ]),
  'an intersection': z.object({ a: z.string() }).and(z.object({ b: z.int() })),
  'a tree': node,
  'a refinement that JSON Schema does not say': z.int().refine((value) => value % 2 === 0),
}

describe('values of a schema', () => {
  it.each(Object.entries(schemaExamples))('satisfy it: %s', (_, schema) => {
    const validate = ajv.compile(schema)
    for (const value of valuesOf(schema)) {
      expect(validate(value), `${JSON.stringify(value)}: ${JSON.stringify(validate.errors)}`).toBe(true)
      // As they are after the wire: no negative zero, no undefined, no prototype of another kind.
      expect(JSON.parse(JSON.stringify(value))).toStrictEqual(value)
    }
  })

  it.each(Object.entries(ofZod))('are taken by the library that it comes from: %s', (_, schema) => {
    for (const value of valuesOf(schema)) {
      expect(schema.safeParse(value), JSON.stringify(value)).toMatchObject({ success: true })
    }
  })

  it('are of the type that the library says', () => {
    const moves: fc.Arbitrary<{ square: number }> = schemaArbitrary(z.object({ square: z.int().min(0).max(8) }))
    fc.assert(fc.property(moves, ({ square }) => square >= 0 && square <= 8))
  })

  it('are as the formats say, offsets and leap days too', () => {
    const [moments, days, times] = ['date-time', 'date', 'time'].map((format) =>
      valuesOf({ type: 'string', format }, 2_000),
    )
    const moment = z.iso.datetime({ offset: true })
    for (const value of [...(moments ?? []), ...(times ?? []).map((time) => `2000-01-01T${String(time)}`)]) {
      expect(moment.safeParse(value), String(value)).toMatchObject({ success: true })
    }
    for (const value of days ?? [])
      expect(z.iso.date().safeParse(value), String(value)).toMatchObject({ success: true })
    expect(moments?.some((text) => /[+-]\d\d:\d\d$/.test(String(text)))).toBe(true)
    expect(moments?.some((text) => /:\d\dZ$/.test(String(text)))).toBe(true)
  })

  it('reach the bounds, and what may be left out is there and is not', () => {
    expect(new Set(valuesOf({ type: 'integer', minimum: -1, maximum: 2 }))).toEqual(new Set([-1, 0, 1, 2]))
    const lengths = valuesOf({ type: 'string', minLength: 2, maxLength: 30 }).map((text) => [...String(text)].length)
    expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([2, 30])
    const objects = valuesOf({ type: 'object', properties: { a: {}, b: {} }, required: ['a'] }) as object[]
    expect(new Set(objects.map((object) => 'b' in object))).toEqual(new Set([true, false]))
    // Members that nobody named are legal as well.
    expect(objects.some((object) => Object.keys(object).some((name) => name !== 'a' && name !== 'b'))).toBe(true)
    const counts = valuesOf({ type: 'array', maxItems: 3 }).map((array) => (array as unknown[]).length)
    expect(new Set(counts)).toEqual(new Set([0, 1, 2, 3]))
    const branches = valuesOf(schemaExamples['one of many by a tag'] ?? false) as { tag: string }[]
    expect(new Set(branches.map(({ tag }) => tag))).toEqual(new Set(['a', 'b', 'c']))
  })

  it('have members of any name, __proto__ too', () => {
    const text = '{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}'
    for (const value of valuesOf(JSON.parse(text) as JsonSchema)) {
      const { value: member } = Object.getOwnPropertyDescriptor(value, '__proto__') ?? {}
      expect(typeof member).toBe('string')
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    }
  })

  it('that contain their own kind do so to some depth, and are of a size that can be sent', () => {
    const values = valuesOf(schemaExamples['a tree of lists'] ?? false, 1_000)
    const depthOf = (value: unknown): number =>
      1 + Math.max(0, ...(value as { kids: unknown[] }).kids.map((kid) => depthOf(kid)))
    const depths = values.map(depthOf)
    expect(Math.max(...depths)).toBeGreaterThan(2)
    expect(Math.max(...depths)).toBeLessThan(16)
    expect(Math.max(...values.map((value) => JSON.stringify(value).length))).toBeLessThan(20_000)
  })

  it('shrink to the simplest that fails', () => {
    const schema: JsonSchema = {
      type: 'object',
      properties: { list: { type: 'array', items: { type: 'integer' } }, name: { type: 'string' }, more: {} },
      required: ['list'],
    }
    const { counterexample } = fc.check(
      fc.property(schemaArbitrary(schema), (value) => (value as { list: number[] }).list.every((n) => n < 10)),
      { seed: 3, numRuns: 1_000 },
    )
    expect(counterexample).toEqual([{ list: [10] }])
  })

  it('of a tree shrink to its smallest that fails', () => {
    const tree = schemaExamples['a tree that must have two branches'] ?? false
    const { counterexample } = fc.check(
      fc.property(schemaArbitrary(tree), (value) => typeof value === 'number'),
      { seed: 3 },
    )
    expect(counterexample).toEqual([{ left: 0, right: 0 }])
  })
})

describe('a schema of which no values can be made', () => {
  it.each([
    { path: '#/properties/a/contains', schema: { properties: { a: { contains: {} } } } },
    { path: '#/items/if', schema: { items: { if: {} } } },
    { path: '#/anyOf/1/unevaluatedProperties', schema: { anyOf: [{}, { unevaluatedProperties: false }] } },
    { path: '#/dependentRequired', schema: { dependentRequired: { a: ['b'] } } },
    { path: '#/nullable', schema: { type: 'string', nullable: true } },
    { path: '#/$defs/x/minContains', schema: { $ref: '#/$defs/x', $defs: { x: { minContains: 1 } } } },
    { path: '#/properties/a~1b/format', schema: { properties: { 'a/b': { format: 'hostname' } } } },
    { path: '#/pattern', schema: { type: 'string', pattern: '^(?=.*\\d).{8,}$' } },
    { path: '#/pattern', schema: { pattern: '(' } },
    { path: '#/exclusiveMinimum', schema: { minimum: 1, exclusiveMinimum: true } },
    { path: '#/type', schema: { type: 'int' } },
    { path: '#/minLength', schema: { minLength: -1 } },
    { path: '#/items', schema: { items: [{}, {}] } },
    { path: '#/$ref', schema: { $ref: 'https://example.com/schema' } },
    { path: '#/properties/a/$ref', schema: { properties: { a: { $ref: '#/$defs/none' } } } },
    { path: '#/items/$id', schema: { items: { $id: 'x' } } },
    { path: '#/anyOf', schema: { anyOf: {} } },
    { path: '#', schema: 'string' },
  ])('is refused for what it says at $path', ({ path, schema }) => {
    expect(errorOf(schema as JsonSchema)).toMatchObject({ code: 'unsupported-schema', path, name: 'SchemaError' })
  })

  it('is refused before a value is made, also when the keyword is unlikely to be met', () => {
    const schema = { anyOf: [{ type: 'null' }, { type: 'object', properties: { a: { items: { contains: {} } } } }] }
    expect(() => schemaArbitrary(schema)).toThrow('#/anyOf/1/properties/a/items/contains: ')
  })

  it.each([
    { what: 'nothing', schema: false },
    { what: 'no type', schema: { allOf: [{ type: 'string' }, { type: 'number' }] } },
    { what: 'no value of an enum', schema: { type: 'number', enum: ['a'] } },
    { what: 'bounds the wrong way round', schema: { type: 'integer', minimum: 2, maximum: 1 } },
    { what: 'a member that cannot be', schema: { type: 'object', properties: { a: false }, required: ['a'] } },
    { what: 'an end that never comes', schema: { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] } },
    { what: 'itself', schema: { $ref: '#' } },
  ])('says so when it allows $what', ({ schema }) => {
    expect(errorOf(schema)).toMatchObject({ code: 'no-values' })
  })

  it('says so when hardly any value satisfies it, and where', () => {
    const never = { type: 'string', not: { type: 'string' } }
    const schema = { type: 'object', properties: { 'a/b': never }, required: ['a/b'] }
    expect(errorOf(schema)).toMatchObject({ code: 'too-many-refused', path: '#/properties/a~1b' })
    expect(errorOf(z.string().refine(() => false))).toMatchObject({ code: 'too-many-refused', path: '#' })
  })

  it('says so when its library has no JSON Schema of it, or answers later', () => {
    const standard = { version: 1 as const, vendor: 'own' }
    expect(errorOf({ '~standard': { ...standard, validate: (value: unknown) => ({ value }) } } as never)).toMatchObject(
      {
        code: 'unsupported-schema',
        message: expect.stringContaining('~standard.jsonSchema') as string,
      },
    )
    expect(errorOf(z.date())).toMatchObject({ code: 'unsupported-schema' })
    expect(errorOf(z.string().refine(async () => true))).toMatchObject({ code: 'asynchronous-schema' })
  })

  it('is not one that is a function, as those of ArkType are', () => {
    const schema = Object.assign(() => undefined, {
      '~standard': {
        version: 1 as const,
        vendor: 'own',
        jsonSchema: { input: ({ target }: { target: string }) => ({ const: target }) },
        validate: (value: unknown) => ({ value }),
      },
    })
    expect(valuesOf(schema, 1)).toEqual(['draft-2020-12'])
  })
})
