import { isObject } from '../../protocol/plain.ts'
import { SchemaError } from './schema-error.ts'

/** A JSON Schema, draft 2020-12: `true` is any value, `false` is none. */
export type JsonSchema = boolean | JsonSchemaObject

/** A JSON Schema that is an object of keywords. */
export interface JsonSchemaObject {
  readonly [keyword: string]: unknown
}

/**
 * Whatever can say its own JSON Schema in the standard way (standardschema.dev): a schema of Zod 4.2 or ArkType 2.1 and
 * later as it is, one of Valibot by way of `toStandardJsonSchema` of `@valibot/to-json-schema`.
 */
export interface StandardJsonSchema<Input = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly types?: { readonly input: Input; readonly output: unknown } | undefined
    readonly jsonSchema: { readonly input: (options: { readonly target: string }) => JsonSchemaObject }
    /** What it does not accept is not generated. */
    readonly validate?: (value: unknown) => unknown
  }
}

/** What values are described by. */
export type SchemaSource = JsonSchema | StandardJsonSchema

/** A schema as the generator reads it. */
export interface OpenedSchema {
  readonly root: JsonSchema
  /** Whether the library that the schema comes from takes a value; of plain JSON Schema there is none. */
  readonly accepts?: (value: unknown) => boolean
}

interface StandardProperties {
  readonly jsonSchema?: { readonly input?: (options: { readonly target: string }) => unknown }
  readonly validate?: (value: unknown) => unknown
}

/**
 * Takes a schema for what it is.
 *
 * @throws SchemaError when it is none, or is a Standard Schema that has no JSON Schema of itself
 */
export function openSchema(source: SchemaSource): OpenedSchema {
  if (typeof source === 'boolean') return { root: source }
  // ArkType's schemas are functions.
  if (!isObject(source) && typeof source !== 'function') {
    throw new SchemaError('unsupported-schema', '#', 'It is no schema.')
  }
  const standard = (source as { readonly '~standard'?: StandardProperties })['~standard']
  if (standard === undefined) return { root: source as JsonSchemaObject }
  return { root: convert(standard), ...(standard.validate === undefined ? {} : { accepts: accepting(standard) }) }
}

function convert({ jsonSchema }: StandardProperties): JsonSchema {
  if (typeof jsonSchema?.input !== 'function') {
    throw new SchemaError('unsupported-schema', '#', 'The schema has no JSON Schema of itself (~standard.jsonSchema).')
  }
  try {
    return jsonSchema.input({ target: 'draft-2020-12' }) as JsonSchema
  } catch (cause) {
    throw new SchemaError('unsupported-schema', '#', `The schema has no JSON Schema of itself: ${String(cause)}`)
  }
}

const accepting =
  ({ validate }: StandardProperties) =>
  (value: unknown): boolean => {
    const result = validate?.(value) as { readonly issues?: unknown; readonly then?: unknown } | undefined
    if (typeof result?.then === 'function') {
      throw new SchemaError('asynchronous-schema', '#', 'The schema validates asynchronously.')
    }
    return result?.issues === undefined
  }
