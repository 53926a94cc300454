import fc from 'fast-check'
import { propertyRules } from './schema-faults.ts'
import { kept } from './kept.ts'
import { escaped } from './schema-document.ts'
import { SchemaError } from './schema-error.ts'
import type { JsonSchema, JsonSchemaObject } from './schema-source.ts'
import { stringArbitrary } from './string-arbitrary.ts'
import type { Place } from './value-arbitraries.ts'

type Entry = [name: string, value: unknown]

const absent = Symbol('absent')

/** Objects that a schema's keywords allow; none when no object can be. */
export function objectArbitrary(keywords: JsonSchemaObject, place: Place): fc.Arbitrary<object> | undefined {
  const { minProperties = 0, maxProperties = Infinity } = keywords as {
    minProperties?: number
    maxProperties?: number
  }
  const named = namedProperties(keywords, place)
  if (named === undefined || minProperties > maxProperties || named.required > maxProperties) return undefined
  const others = otherProperties(keywords, place)
  const missing = Math.max(0, minProperties - named.possible)
  if (others === undefined && missing > 0) return undefined
  const isMeant = isAskedFor(keywords) || missing > 0
  const most = isMeant ? Math.min(maxProperties - named.required, 0xffff) : 2
  const counts = { minLength: missing, maxLength: Math.min(most, maxProperties - named.required) }
  const more: fc.Arbitrary<Entry[]> =
    others === undefined
      ? fc.constant([])
      : fc.uniqueArray(others, { ...place.amounts, ...counts, selector: ([name]) => name })
  const members = fc.tuple(named.entries, isMeant ? more : seldom(more))
  return members.map(([known, unknown]) => Object.fromEntries([...known, ...unknown]))
}

/** Whether a schema speaks of members without naming them; what it says nothing of is legal, and rare. */
const isAskedFor = ({ additionalProperties, patternProperties, propertyNames }: JsonSchemaObject): boolean =>
  additionalProperties !== undefined || patternProperties !== undefined || propertyNames !== undefined

const seldom = (more: fc.Arbitrary<Entry[]>): fc.Arbitrary<Entry[]> =>
  fc.oneof({ weight: 7, arbitrary: fc.constant<Entry[]>([]) }, more)

function namedProperties(keywords: JsonSchemaObject, { path, arbitraryOf }: Place) {
  const { properties = {}, required = [] } = keywords as {
    properties?: Record<string, JsonSchema>
    required?: readonly string[]
  }
  const entries: fc.Arbitrary<Entry | typeof absent>[] = []
  for (const [name, schema] of Object.entries(properties)) {
    const value = arbitraryOf(schema, `${path}/properties/${escaped(name)}`)
    const isRequired = required.includes(name)
    if (value === undefined && isRequired) return undefined
    if (value === undefined) continue
    const entry = value.map((content): Entry => [name, content])
    entries.push(isRequired ? entry : fc.option(entry, { nil: absent, freq: 3 }))
  }
  return {
    required: required.length,
    possible: entries.length,
    entries: fc.tuple(...entries).map((members) => members.filter((member): member is Entry => member !== absent)),
  }
}

/** Members that are not named: some by a pattern, the others by a rule for all the rest. */
function otherProperties(keywords: JsonSchemaObject, { path, arbitraryOf }: Place): fc.Arbitrary<Entry> | undefined {
  const { properties = {}, patternProperties = {} } = keywords as Record<string, Record<string, JsonSchema>>
  const { additionalProperties = true, propertyNames = true } = keywords as Record<string, JsonSchema>
  const names =
    propertyNames === true
      ? fc.string()
      : arbitraryOf(otherNames(propertyNames, Object.keys(properties)), `${path}/propertyNames`)
  if (names === undefined) return undefined
  const kinds: fc.Arbitrary<Entry>[] = []
  const add = (name: fc.Arbitrary<unknown>, rule: JsonSchema, where: string, fits: (name: string) => boolean): void => {
    const value = arbitraryOf(rule, `${path}/${where}`)
    if (value === undefined) return
    const free = kept(
      name as fc.Arbitrary<string>,
      (text) => !Object.hasOwn(properties, text) && fits(text),
      () => new SchemaError('too-many-refused', `${path}/${where}`, 'There are hardly any names for its members.'),
    )
    kinds.push(fc.tuple(free, value))
  }
  const rulesOf = (name: string): number => propertyRules(keywords, name).length
  for (const [pattern, rule] of Object.entries(patternProperties)) {
    // One that several patterns are about would have to satisfy all their rules.
    const only = (name: string): boolean => rulesOf(name) === 1
    add(stringArbitrary({ pattern }, path) ?? names, rule, `patternProperties/${escaped(pattern)}`, only)
  }
  const rest = { ...keywords, additionalProperties: false }
  add(names, additionalProperties, 'additionalProperties', (name) => propertyRules(rest, name)[0]?.[1] === false)
  const [first, ...more] = kinds
  return first === undefined || more.length === 0 ? first : fc.oneof({ withCrossShrink: true }, ...kinds)
}

/** Names are texts, whatever else their schema would allow; and those that are named already are spoken for. */
const otherNames = (schema: JsonSchema, taken: readonly string[]): JsonSchema => ({
  allOf: [schema, { type: 'string' }],
  not: { enum: taken },
})
