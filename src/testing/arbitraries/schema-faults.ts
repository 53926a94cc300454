import { isObject } from '../../protocol/plain.ts'
import type { SchemaDocument } from './schema-document.ts'
import { patternOf } from './schema-keywords.ts'
import type { JsonSchema, JsonSchemaObject } from './schema-source.ts'
import { formats } from './string-formats.ts'

/** What a value is held against. */
export interface Holding {
  readonly document: SchemaDocument
  /** Whether a format is a promise, or only a remark; by the standard it may be either. */
  readonly formats: boolean
}

type Check = (schema: JsonSchemaObject, value: unknown, holding: Holding) => boolean

/**
 * The first keyword of a schema that a value breaks, as a path of keywords; nothing when it keeps them all. The schema
 * has been seen to be one that is understood.
 */
export function faultOf(schema: JsonSchema, value: unknown, holding: Holding, path = '#'): string | undefined {
  if (schema === true) return undefined
  if (schema === false) return path
  for (const [keyword, check] of checks) {
    if (schema[keyword] !== undefined && !check(schema, value, holding)) return `${path}/${keyword}`
  }
  return faultOfParts(schema, value, holding, path)
}

const keeps = (schema: unknown, value: unknown, holding: Holding): boolean =>
  faultOf(schema as JsonSchema, value, holding) === undefined

const ofNumber =
  (keyword: string, holds: (value: number, bound: number) => boolean): Check =>
  (schema, value) =>
    typeof value !== 'number' || holds(value, schema[keyword] as number)

const ofSize =
  (keyword: string, sizeOf: (value: unknown) => number | undefined): Check =>
  (schema, value) => {
    const size = sizeOf(value)
    if (size === undefined) return true
    return keyword.startsWith('min') ? size >= (schema[keyword] as number) : size <= (schema[keyword] as number)
  }

const lengthOf = (value: unknown): number | undefined => (typeof value === 'string' ? [...value].length : undefined)
const itemsOf = (value: unknown): number | undefined => (Array.isArray(value) ? value.length : undefined)
const membersOf = (value: unknown): number | undefined => (isObject(value) ? Object.keys(value).length : undefined)

const checks: readonly (readonly [keyword: string, check: Check])[] = Object.entries({
  type: ({ type }, value) => (Array.isArray(type) ? type : [type]).some((name) => isOfType(value, name)),
  const: (schema, value) => isEqual(schema['const'], value),
  enum: (schema, value) => (schema['enum'] as unknown[]).some((one) => isEqual(one, value)),
  minimum: ofNumber('minimum', (value, bound) => value >= bound),
  maximum: ofNumber('maximum', (value, bound) => value <= bound),
  exclusiveMinimum: ofNumber('exclusiveMinimum', (value, bound) => value > bound),
  exclusiveMaximum: ofNumber('exclusiveMaximum', (value, bound) => value < bound),
  multipleOf: ofNumber('multipleOf', (value, bound) => Number.isInteger(value / bound)),
  minLength: ofSize('minLength', lengthOf),
  maxLength: ofSize('maxLength', lengthOf),
  minItems: ofSize('minItems', itemsOf),
  maxItems: ofSize('maxItems', itemsOf),
  minProperties: ofSize('minProperties', membersOf),
  maxProperties: ofSize('maxProperties', membersOf),
  uniqueItems: ({ uniqueItems }, value) =>
    uniqueItems !== true || !Array.isArray(value) || new Set(value.map(canonical)).size === value.length,
  pattern: ({ pattern }, value) => typeof value !== 'string' || patternOf(pattern as string).test(value),
  format: ({ format }, value, { formats: asserted }) =>
    !asserted || typeof value !== 'string' || (formats.get(format as string)?.accepts(value) ?? true),
  required: ({ required }, value) =>
    !isObject(value) || (required as string[]).every((name) => Object.hasOwn(value, name)),
  propertyNames: ({ propertyNames }, value, holding) =>
    !isObject(value) || Object.keys(value).every((name) => keeps(propertyNames, name, holding)),
  not: ({ not }, value, holding) => !keeps(not, value, holding),
  anyOf: ({ anyOf }, value, holding) => (anyOf as unknown[]).some((one) => keeps(one, value, holding)),
  oneOf: ({ oneOf }, value, holding) => (oneOf as unknown[]).filter((one) => keeps(one, value, holding)).length === 1,
} satisfies Record<string, Check>)

/** The parts of which the fault is one within them, so that its path leads further in. */
function faultOfParts(schema: JsonSchemaObject, value: unknown, holding: Holding, path: string): string | undefined {
  if (schema['$ref'] !== undefined) {
    const fault = faultOf(holding.document.resolve(schema['$ref'], path), value, holding, `${path}/$ref`)
    if (fault !== undefined) return fault
  }
  for (const [index, one] of ((schema['allOf'] ?? []) as JsonSchema[]).entries()) {
    const fault = faultOf(one, value, holding, `${path}/allOf/${index}`)
    if (fault !== undefined) return fault
  }
  const parts: Iterable<readonly [string | number, unknown]> = Array.isArray(value)
    ? value.entries()
    : isObject(value)
      ? Object.entries(value)
      : []
  for (const [key, part] of parts) {
    const rules = typeof key === 'number' ? itemRules(schema, key) : propertyRules(schema, key)
    for (const [where, rule] of rules) {
      const fault = faultOf(rule, part, holding, `${path}/${where}`)
      if (fault !== undefined) return fault
    }
  }
  return undefined
}

/** What a schema says of the element at an index, and where. */
export function itemRules(schema: JsonSchemaObject, index: number): [where: string, schema: JsonSchema][] {
  const { prefixItems = [], items } = schema as { prefixItems?: JsonSchema[]; items?: JsonSchema }
  const first = prefixItems[index]
  if (first !== undefined) return [[`prefixItems/${index}`, first]]
  return items === undefined ? [] : [['items', items]]
}

/** What a schema says of the member of a name, and where. */
export function propertyRules(schema: JsonSchemaObject, name: string): [where: string, schema: JsonSchema][] {
  const { properties, patternProperties, additionalProperties } = schema as {
    properties?: Record<string, JsonSchema>
    patternProperties?: Record<string, JsonSchema>
    additionalProperties?: JsonSchema
  }
  const rules: [string, JsonSchema][] = []
  const own = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined
  if (own !== undefined) rules.push([`properties/${name}`, own])
  for (const [pattern, rule] of Object.entries(patternProperties ?? {})) {
    if (patternOf(pattern).test(name)) rules.push([`patternProperties/${pattern}`, rule])
  }
  if (rules.length === 0 && additionalProperties !== undefined) {
    rules.push(['additionalProperties', additionalProperties])
  }
  return rules
}

function isOfType(value: unknown, name: unknown): boolean {
  switch (name) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === name
  }
}

/** A value as a text that is the same for equal ones, in whatever order their members stand. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isObject(value)) return JSON.stringify(value)
  const members = Object.keys(value).toSorted()
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`
}

/** Whether two values say the same in JSON. */
const isEqual = (one: unknown, other: unknown): boolean => one === other || canonical(one) === canonical(other)
