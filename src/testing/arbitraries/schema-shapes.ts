import type { SchemaDocument } from './schema-document.ts'
import { SchemaError } from './schema-error.ts'
import { canonical, itemRules, propertyRules } from './schema-faults.ts'
import { typeNames, type TypeName } from './schema-keywords.ts'
import type { JsonSchema, JsonSchemaObject } from './schema-source.ts'

/**
 * One way to satisfy a schema: no references and no combinations in it any more, all that they said put together. What
 * cannot be put together is left to a look at the value that comes of it.
 */
export interface Shape {
  readonly types: readonly TypeName[]
  /** The only values, when it names them. */
  readonly values?: readonly unknown[]
  /** What else it says. */
  readonly keywords: JsonSchemaObject
  /** Whether it is reached by a reference that comes back to itself. */
  readonly recursive: boolean
}

const mostShapes = 1_000
const lower = ['minLength', 'minItems', 'minProperties', 'minimum', 'exclusiveMinimum']
const upper = ['maxLength', 'maxItems', 'maxProperties', 'maximum', 'exclusiveMaximum']
const combining = new Set(['$ref', 'allOf', 'anyOf', 'oneOf', 'not', 'type', 'enum', 'const'])
const isAbout = (names: readonly string[], keywords: JsonSchemaObject): boolean =>
  names.some((name) => keywords[name] !== undefined)

const everyType: readonly TypeName[] = typeNames.filter((name) => name !== 'integer')
const nothingSaid: Shape = { types: everyType, keywords: {}, recursive: false }

/** Takes schemas apart into shapes. What it was asked before it answers with the very same objects. */
export class SchemaShapes {
  readonly #document: SchemaDocument
  readonly #known = new Map<JsonSchema, readonly Shape[]>()

  constructor(document: SchemaDocument) {
    this.#document = document
  }

  /** All ways to satisfy a schema; none when it contradicts itself. */
  of(schema: JsonSchema): readonly Shape[] {
    const known = this.#known.get(schema)
    if (known !== undefined) return known
    const shapes = this.#takeApart(schema)
    this.#known.set(schema, shapes)
    return shapes
  }

  #takeApart(schema: JsonSchema): readonly Shape[] {
    if (schema === true) return [nothingSaid]
    if (schema === false || isEverything(schema['not'])) return []
    let shapes: readonly Shape[] = [ownShape(schema)]
    if (schema['$ref'] !== undefined) {
      const target = this.#document.resolve(schema['$ref'], '#')
      const recursive = this.#document.isRecursive(target)
      shapes = bothOf(
        shapes,
        this.of(target).map((shape) => (recursive ? { ...shape, recursive } : shape)),
      )
    }
    for (const one of (schema['allOf'] ?? []) as JsonSchema[]) shapes = bothOf(shapes, this.of(one))
    for (const keyword of ['anyOf', 'oneOf']) {
      const branches = schema[keyword] as readonly JsonSchema[] | undefined
      if (branches === undefined) continue
      shapes = bothOf(
        shapes,
        branches.flatMap((branch) => this.of(branch)),
      )
    }
    return shapes
  }
}

const isEverything = (schema: unknown): boolean =>
  schema === true || (typeof schema === 'object' && schema !== null && Object.keys(schema).length === 0)

/** What a schema says by itself, its references and combinations left out. */
function ownShape(schema: JsonSchemaObject): Shape {
  const { type } = schema as { type?: TypeName | readonly TypeName[] }
  const keywords = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !combining.has(keyword)))
  const lists = [schema['enum'], ...(schema['const'] === undefined ? [] : [[schema['const']]])]
  const [values, others] = lists.filter((list) => list !== undefined) as unknown[][]
  return {
    types: type === undefined ? everyType : typeof type === 'string' ? [type] : type,
    ...(values === undefined ? {} : { values: others === undefined ? values : commonValues(values, others) }),
    keywords: withProperties(keywords, [keywords]),
    recursive: false,
  }
}

function bothOf(some: readonly Shape[], others: readonly Shape[]): readonly Shape[] {
  const shapes = some.flatMap((one) => others.map((other) => merge(one, other)))
  if (shapes.length > mostShapes) {
    throw new SchemaError('unsupported-schema', '#', `There are more than ${mostShapes} ways to satisfy it.`)
  }
  return shapes.filter(({ types, values }) => types.length > 0 && values?.length !== 0)
}

function merge(one: Shape, other: Shape): Shape {
  if (other === nothingSaid) return one
  const values =
    one.values === undefined || other.values === undefined
      ? (one.values ?? other.values)
      : commonValues(one.values, other.values)
  return {
    types: commonTypes(one.types, other.types),
    ...(values === undefined ? {} : { values }),
    keywords: mergeKeywords(one.keywords, other.keywords),
    recursive: one.recursive || other.recursive,
  }
}

function commonTypes(some: readonly TypeName[], others: readonly TypeName[]): TypeName[] {
  const has = (types: readonly TypeName[], name: TypeName): boolean =>
    types.includes(name) || (name === 'integer' && types.includes('number'))
  return typeNames.filter(
    (name) => has(some, name) && has(others, name) && (some.includes(name) || others.includes(name)),
  )
}

function commonValues(some: readonly unknown[], others: readonly unknown[]): unknown[] {
  const known = new Set(others.map(canonical))
  return some.filter((value) => known.has(canonical(value)))
}

function mergeKeywords(one: JsonSchemaObject, other: JsonSchemaObject): JsonSchemaObject {
  const merged: Record<string, unknown> = { ...other, ...one }
  for (const [names, tighter] of [[lower, Math.max] as const, [upper, Math.min] as const]) {
    for (const name of names) {
      if (one[name] === undefined || other[name] === undefined) continue
      merged[name] = tighter(one[name] as number, other[name] as number)
    }
  }
  if (one['required'] !== undefined && other['required'] !== undefined) {
    merged['required'] = [...new Set([...(one['required'] as string[]), ...(other['required'] as string[])])]
  }
  if (one['multipleOf'] !== undefined && other['multipleOf'] !== undefined) {
    merged['multipleOf'] = commonMultiple(one['multipleOf'] as number, other['multipleOf'] as number)
  }
  if (one['uniqueItems'] === true || other['uniqueItems'] === true) merged['uniqueItems'] = true
  if (isAbout(['prefixItems', 'items'], one) && isAbout(['prefixItems', 'items'], other)) mergeItems(merged, one, other)
  return withProperties(merged, [one, other])
}

function commonMultiple(one: number, other: number): number {
  if (!Number.isSafeInteger(one) || !Number.isSafeInteger(other)) return Math.max(one, other)
  let [larger, smaller] = [one, other]
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller]
  return (one / larger) * other
}

function mergeItems(merged: Record<string, unknown>, one: JsonSchemaObject, other: JsonSchemaObject): void {
  const lengths = [one, other].map((schema) => ((schema['prefixItems'] ?? []) as unknown[]).length)
  const rule = (index: number): JsonSchema => all([...itemRules(one, index), ...itemRules(other, index)])
  merged['prefixItems'] = Array.from({ length: Math.max(...lengths) }, (_, index) => rule(index))
  merged['items'] = rule(Infinity)
}

/** Has each named property say all that the parts say of it, by its name, by a pattern, or of those they do not name. */
function withProperties(merged: JsonSchemaObject, parts: readonly JsonSchemaObject[]): JsonSchemaObject {
  if (
    !parts.some((part) =>
      isAbout(['properties', 'required', 'patternProperties', 'additionalProperties', 'propertyNames'], part),
    )
  ) {
    return merged
  }
  const names = new Set(
    parts.flatMap((part) => [...Object.keys(part['properties'] ?? {}), ...((part['required'] ?? []) as string[])]),
  )
  const properties = [...names].map((name) => [name, all(parts.flatMap((part) => propertyRules(part, name)))] as const)
  const common = (keyword: string): object => {
    const said = parts.filter((part) => part[keyword] !== undefined)
    return said.length === 0 ? {} : { [keyword]: all(said.map((part) => [keyword, part[keyword] as JsonSchema])) }
  }
  const patterns = parts.flatMap((part) => Object.keys(part['patternProperties'] ?? {}))
  return {
    ...merged,
    properties: Object.fromEntries(properties),
    ...(patterns.length === 0 ? {} : { patternProperties: mergePatterns(patterns, parts) }),
    ...common('additionalProperties'),
    ...common('propertyNames'),
  }
}

function mergePatterns(patterns: readonly string[], parts: readonly JsonSchemaObject[]): object {
  const ruleOf = (part: JsonSchemaObject, pattern: string): JsonSchema[] => {
    const rules = (part['patternProperties'] ?? {}) as Record<string, JsonSchema>
    return Object.hasOwn(rules, pattern) ? [rules[pattern] ?? true] : []
  }
  return Object.fromEntries(
    patterns.map((pattern) => [
      pattern,
      all(parts.flatMap((part) => ruleOf(part, pattern).map((rule) => [pattern, rule] as const))),
    ]),
  )
}

/** The schema that asks for all of them. */
function all(rules: readonly (readonly [where: string, schema: JsonSchema])[]): JsonSchema {
  const schemas = rules.map(([, schema]) => schema).filter((schema) => schema !== true)
  if (schemas.includes(false)) return false
  const [first = true, ...others] = schemas
  return others.length === 0 ? first : { allOf: schemas }
}
