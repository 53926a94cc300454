import fc from 'fast-check'
import type { Json } from '../../protocol/messages.ts'
import { isObject } from '../../protocol/plain.ts'
import { anyJson } from './any-json.ts'
import { kept } from './kept.ts'
import { schemaArbitrary } from './schema-arbitrary.ts'
import { SchemaDocument } from './schema-document.ts'
import { SchemaError } from './schema-error.ts'
import { faultOf } from './schema-faults.ts'
import { openSchema, type JsonSchema, type SchemaSource } from './schema-source.ts'

/**
 * JSON that a schema does not allow: a legal value of which one part is replaced, missing, there too often or just
 * beyond a bound, and now and then something else altogether. Each breaks a keyword other than `format`, which by the
 * standard a validator may pass over; where the schema comes from a library, that library refuses it, too.
 *
 * @throws SchemaError for a schema of which {@link schemaArbitrary} throws one, unless it is that no value satisfies
 * it; and, while generating, when 1,000 values in a row satisfied it
 *
 * @example
 * ```ts
 * fc.assert(fc.property(schemaViolation(moveSchema), (data) => !moveSchema.safeParse(data).success))
 * ```
 */
export function schemaViolation(schema: SchemaSource): fc.Arbitrary<Json> {
  const { root, accepts = () => false } = openSchema(schema)
  const document = new SchemaDocument(root)
  const isBroken = (value: Json): boolean =>
    [true, false].every((formats) => faultOf(root, value, { document, formats }) !== undefined) && !accepts(value)
  const legal = legalValues(schema)
  const broken = legal === undefined ? anyJson : mutated(legal, boundsOf(document))
  return kept(broken, isBroken, () => {
    return new SchemaError('too-many-refused', '#', 'Nearly everything satisfies it.')
  })
}

function legalValues(schema: SchemaSource): fc.Arbitrary<Json> | undefined {
  try {
    return schemaArbitrary(schema) as fc.Arbitrary<Json>
  } catch (error) {
    if (error instanceof SchemaError && error.code === 'no-values') return undefined
    throw error
  }
}

/** Values of every kind, and those just beyond the bounds that the schema names anywhere. */
function boundsOf(document: SchemaDocument): Json[] {
  const values: Json[] = [null, true, 0, -1, 0.5, 1e308, '', '0', [], {}, [null], { '': null }]
  const seen = new Set<JsonSchema>()
  const visit = (schema: JsonSchema): void => {
    if (typeof schema === 'boolean' || seen.has(schema)) return
    seen.add(schema)
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema as Record<string, number>
    if (minimum !== undefined) values.push(minimum - 1)
    if (maximum !== undefined) values.push(maximum + 1)
    if (multipleOf !== undefined) values.push(multipleOf / 2)
    for (const bound of [exclusiveMinimum, exclusiveMaximum]) if (bound !== undefined) values.push(bound)
    const { minLength = 0, maxLength = Infinity } = schema as Record<string, number>
    if (minLength > 1) values.push('x'.repeat(minLength - 1))
    if (maxLength <= longest) values.push('x'.repeat(maxLength + 1))
    for (const { schema: part } of document.subSchemas(schema, '#')) visit(part)
  }
  visit(document.root)
  return values
}

/** How long a text or an array may get to be longer than allowed. */
const longest = 10_000

/** Replaces one part of a value. Undefined takes it away. */
type Change = (part: Json) => Json | undefined

function mutated(legal: fc.Arbitrary<Json>, values: readonly Json[]): fc.Arbitrary<Json> {
  const changes: fc.Arbitrary<Change> = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...values).map((value) => () => value) },
    { weight: 1, arbitrary: anyJson.map((value) => () => value) },
    { weight: 1, arbitrary: fc.constant(() => undefined) },
    { weight: 2, arbitrary: fc.tuple(fc.string(), anyJson, fc.constantFrom(1, 50)).map(grow) },
  )
  return fc.tuple(legal, fc.nat(), changes).map(([value, where, change]) => {
    const places = countParts(value)
    return changeAt(value, { left: where % places }, change) ?? null
  })
}

/** Makes an object have a member more, an array and a text be longer, a number larger. */
const grow =
  ([name, value, times]: [string, Json, number]): Change =>
  (part) => {
    if (Array.isArray(part)) return [...part, ...Array.from({ length: times }, () => part[0] ?? value)]
    if (isObject(part)) return Object.fromEntries([...Object.entries(part), [name, value]]) as Json
    if (typeof part === 'string') return part + name
    return typeof part === 'number' && Math.abs(part) < 1e300 ? part * 1.5 : value
  }

function countParts(value: Json): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((sum: number, part: Json) => sum + countParts(part), 1)
}

/** Changes the part that is so many steps away, walking all of them, the whole first. */
function changeAt(value: Json, steps: { left: number }, change: Change): Json | undefined {
  if (steps.left-- === 0) return change(value)
  if (typeof value !== 'object' || value === null) return value
  const changed = Object.entries(value).flatMap(([name, part]: [string, Json]) => {
    const other = steps.left < 0 ? part : changeAt(part, steps, change)
    return other === undefined ? [] : [[name, other] as const]
  })
  return Array.isArray(value) ? changed.map(([, part]) => part) : Object.fromEntries(changed)
}
