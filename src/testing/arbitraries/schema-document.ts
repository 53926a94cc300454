import { isObject } from '../../protocol/plain.ts'
import { SchemaError } from './schema-error.ts'
import type { JsonSchema, JsonSchemaObject } from './schema-source.ts'

/** A schema within another: the keyword path that leads to it, and whether it is about the same value. */
export interface SubSchema {
  readonly path: string
  readonly schema: JsonSchema
  readonly inPlace: boolean
}

const inPlace = { one: ['not'], many: ['allOf', 'anyOf', 'oneOf'] }
const below = {
  one: ['additionalProperties', 'propertyNames', 'items'],
  many: ['prefixItems'],
  named: ['properties', 'patternProperties'],
}

/** A name as a part of a JSON Pointer. */
export const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

/** One schema with all that stands in it: where references lead, and which of them come back to where they began. */
export class SchemaDocument {
  readonly root: JsonSchema
  readonly #recursive = new Map<JsonSchema, boolean>()

  constructor(root: JsonSchema) {
    this.root = root
  }

  /**
   * Where a reference leads: `#`, or a JSON Pointer in a fragment.
   *
   * @param path - where it stands, for the error
   */
  resolve(reference: unknown, path: string): JsonSchema {
    const unsupported = (what: string): SchemaError => new SchemaError('unsupported-schema', `${path}/$ref`, what)
    if (typeof reference !== 'string' || !/^#(\/|$)/.test(reference)) {
      throw unsupported(`Only references within the schema are followed, as #/$defs/name; not ${String(reference)}.`)
    }
    let place: unknown = this.root
    for (const part of decodeURIComponent(reference).split('/').slice(1)) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      if (typeof place !== 'object' || place === null || !Object.hasOwn(place, key)) {
        throw unsupported(`Nothing is there: ${reference}.`)
      }
      place = (place as Record<string, unknown>)[key]
    }
    if (typeof place !== 'boolean' && !isObject(place)) throw unsupported(`No schema is there: ${reference}.`)
    return place
  }

  /** The schemas that a schema stands on, references followed. */
  *subSchemas(schema: JsonSchema, path: string): Generator<SubSchema> {
    if (typeof schema === 'boolean') return
    if (schema['$ref'] !== undefined) {
      yield { path: String(schema['$ref']), schema: this.resolve(schema['$ref'], path), inPlace: true }
    }
    for (const [keywords, same] of [[inPlace, true] as const, [below, false] as const]) {
      for (const keyword of keywords.one) {
        if (schema[keyword] !== undefined) yield sub(`${path}/${keyword}`, schema[keyword], same)
      }
      for (const keyword of keywords.many) {
        for (const [index, member] of listOf(schema, keyword, path).entries()) {
          yield sub(`${path}/${keyword}/${index}`, member, same)
        }
      }
    }
    for (const keyword of below.named) {
      for (const [name, member] of Object.entries(mapOf(schema, keyword, path))) {
        yield sub(`${path}/${keyword}/${escaped(name)}`, member, false)
      }
    }
  }

  /** Whether a schema stands on itself; without one, whether any in the document does. */
  isRecursive(schema?: JsonSchema): boolean {
    if (schema === undefined) return [this.root, ...this.#below(this.root)].some((one) => this.isRecursive(one))
    const known = this.#recursive.get(schema)
    if (known !== undefined) return known
    const isItself = this.#below(schema).has(schema)
    this.#recursive.set(schema, isItself)
    return isItself
  }

  /** All that a schema stands on, itself only when it comes back to it. */
  #below(schema: JsonSchema): Set<JsonSchema> {
    const seen = new Set<JsonSchema>()
    const waiting = [schema]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      for (const { schema: other } of this.subSchemas(next, '#')) {
        if (seen.has(other)) continue
        seen.add(other)
        waiting.push(other)
      }
    }
    return seen
  }
}

function sub(path: string, schema: unknown, same: boolean): SubSchema {
  if (typeof schema !== 'boolean' && !isObject(schema)) {
    throw new SchemaError('unsupported-schema', path, 'A schema is an object or a boolean.')
  }
  return { path, schema, inPlace: same }
}

function listOf(schema: JsonSchemaObject, keyword: string, path: string): readonly unknown[] {
  const list = schema[keyword] ?? []
  if (!Array.isArray(list)) throw new SchemaError('unsupported-schema', `${path}/${keyword}`, 'It is no list.')
  return list
}

function mapOf(schema: JsonSchemaObject, keyword: string, path: string): Readonly<Record<string, unknown>> {
  const map = schema[keyword] ?? {}
  if (!isObject(map)) throw new SchemaError('unsupported-schema', `${path}/${keyword}`, 'It is no object.')
  return map
}
