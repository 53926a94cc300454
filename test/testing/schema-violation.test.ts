import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { schemaViolation, type SchemaSource } from '../../src/testing/index.ts'
import { schemaExamples } from './schema-examples.ts'

const ajv = new Ajv2020({ strict: false, validateFormats: false, ownProperties: true, allErrors: true })
const everything = ['anything at all', 'nothing said']

const violationsOf = (schema: SchemaSource, numRuns = 200): unknown[] =>
  fc.sample(schemaViolation(schema), { numRuns, seed: 11 })

describe('a violation of a schema', () => {
  it.each(Object.entries(schemaExamples).filter(([what]) => !everything.includes(what)))(
    'is never allowed by it: %s',
    (_, schema) => {
      const validate = ajv.compile(schema)
      for (const value of violationsOf(schema)) expect(validate(value), JSON.stringify(value)).toBe(false)
    },
  )

  it('breaks each keyword of an object’s members', () => {
    const schema = {
      type: 'object',
      properties: {
        square: { type: 'integer', minimum: 0, maximum: 8 },
        step: { type: 'number', multipleOf: 0.5, exclusiveMinimum: 0 },
        name: { type: 'string', minLength: 2, maxLength: 20, pattern: '^[a-z]+$' },
        side: { enum: ['left', 'right'] },
        tags: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 20, uniqueItems: true },
      },
      required: ['square', 'step', 'name', 'side', 'tags'],
      additionalProperties: false,
    }
    const validate = ajv.compile(schema)
    const broken = new Set<string>()
    for (const value of violationsOf(schema, 4_000)) {
      validate(value)
      // One fault alone shows that the rest has been left as it was.
      const [error, ...others] = validate.errors ?? []
      if (error !== undefined && others.length === 0) broken.add(`${error.instancePath} ${error.keyword}`)
    }
    const expected = [
      ' type',
      ' required',
      ' additionalProperties',
      '/square type',
      '/square minimum',
      '/square maximum',
      '/step exclusiveMinimum',
      '/step multipleOf',
      '/name minLength',
      '/name maxLength',
      '/name pattern',
      '/name type',
      '/side enum',
      '/tags minItems',
      '/tags uniqueItems',
      '/tags/0 type',
    ]
    expect([...broken]).toEqual(expect.arrayContaining(expected))
    expect(
      violationsOf({ type: 'array', maxItems: 20 }).some((value) => Array.isArray(value) && value.length > 20),
    ).toBe(true)
  })

  it('is refused by the library that the schema comes from', () => {
    const schema = z.object({
      at: z.iso.datetime(),
      even: z.int().refine((value) => value % 2 === 0),
      note: z.coerce.string(),
    })
    for (const value of violationsOf(schema)) expect(schema.safeParse(value).success, JSON.stringify(value)).toBe(false)
  })

  it('does not stand on a format alone, which a validator may pass over', () => {
    const validate = ajv.compile({ type: 'string', format: 'date' })
    for (const value of violationsOf({ type: 'string', format: 'date' })) expect(validate(value)).toBe(false)
  })

  it('of what allows nothing is anything, and of what allows all is an error', () => {
    expect(new Set(violationsOf(false).map((value) => typeof value)).size).toBeGreaterThan(2)
    expect(() => violationsOf(true)).toThrow(expect.objectContaining({ code: 'too-many-refused' }))
    expect(() => schemaViolation({ contains: {} })).toThrow(expect.objectContaining({ code: 'unsupported-schema' }))
  })

  it('shrinks to a small one', () => {
    const schema = { type: 'object', properties: { square: { type: 'integer', minimum: 0 } }, required: ['square'] }
    const { counterexample } = fc.check(
      fc.property(schemaViolation(schema), () => false),
      { seed: 5 },
    )
    expect(JSON.stringify(counterexample?.[0]).length).toBeLessThan(16)
  })
})
