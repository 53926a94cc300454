/**
 * Why no values can be made of a schema:
 *
 * - `unsupported-schema`: it says something that the generator does not know how to satisfy, or is no schema
 * - `no-values`: it contradicts itself, or never comes to an end
 * - `too-many-refused`: nearly all that was made of it was refused, by itself or by the library that it comes from
 * - `asynchronous-schema`: its library answers later, and a generator cannot wait
 */
export type SchemaErrorCode = 'unsupported-schema' | 'no-values' | 'too-many-refused' | 'asynchronous-schema'

/**
 * A schema of which no values can be made. Thrown where the arbitrary is built, as far as it can be known there, else
 * where it generates.
 */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
  /** For programs. */
  readonly code: SchemaErrorCode
  /** Where in the schema, as a JSON Pointer in a fragment: `#/properties/name/contains`. */
  readonly path: string

  constructor(code: SchemaErrorCode, path: string, what: string) {
    super(`${path}: ${what}`)
    this.code = code
    this.path = path
  }
}
