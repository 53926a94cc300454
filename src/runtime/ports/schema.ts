import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isThenable } from './eventually.ts'
import { errorCodes, RequestError, type DataIssue } from '../../protocol/index.ts'

/** What a schema is: of Zod, Valibot, ArkType, or whatever else speaks Standard Schema (standardschema.dev). */
export type Schema<Output = unknown> = StandardSchemaV1<unknown, Output>

/** What a schema makes of what it is given. */
export type SchemaOutput<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>

/** How much of what a schema finds wrong is told: issues, parts of a path, and characters of each text. */
const told = { issues: 16, pathLength: 32, textLength: 200 }

/**
 * Checks that an option is a schema.
 *
 * @throws TypeError when it is not
 */
export function checkSchema(name: string, schema: unknown): void {
  const standard = (schema as { '~standard'?: { version?: unknown; validate?: unknown } } | null | undefined)?.[
    '~standard'
  ]
  if (standard?.version !== 1 || typeof standard.validate !== 'function') {
    throw new TypeError(`${name} must be a schema that speaks Standard Schema, such as Zod's`)
  }
}

/**
 * What a schema makes of a value: at once, or in time when the schema is asynchronous.
 *
 * @throws RequestError `invalid-data` when it does not fit, with its issues
 */
export function validate(schema: Schema<never> | Schema, value: unknown): unknown {
  const result = schema['~standard'].validate(value)
  return isThenable(result) ? Promise.resolve(result).then(outputOf) : outputOf(result)
}

function outputOf(result: StandardSchemaV1.Result<unknown>): unknown {
  if (result.issues === undefined) return result.value
  throw new RequestError('invalid-data', errorCodes['invalid-data'], issuesOf(result.issues))
}

function issuesOf(issues: readonly StandardSchemaV1.Issue[]): DataIssue[] {
  return issues.slice(0, told.issues).map(({ message, path = [] }) => ({
    message: shortened(message),
    path: path.slice(0, told.pathLength).map((part) => {
      const key = typeof part === 'object' ? part.key : part
      return typeof key === 'number' ? key : shortened(key)
    }),
  }))
}

/** What clients wrote stands in some issues. */
const shortened = (text: unknown): string => String(text).slice(0, told.textLength)
