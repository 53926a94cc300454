import type fc from 'fast-check'
import type { Json } from '../../protocol/messages.ts'
import { kept } from './kept.ts'
import { SchemaDocument } from './schema-document.ts'
import { SchemaError } from './schema-error.ts'
import { checkSchema } from './schema-keywords.ts'
import { openSchema, type JsonSchema, type SchemaSource, type StandardJsonSchema } from './schema-source.ts'
import { ValueArbitraries } from './value-arbitraries.ts'

/**
 * Values that a schema allows.
 *
 * The schema is a JSON Schema (draft 2020-12), or comes from a library that has one of itself; then what the library
 * does not accept is left out. References to `#` and into the schema are followed, to a bounded depth where they come
 * back. `format` is kept for `date-time`, `date`, `time`, `uuid`, `email`, `uri`, `ipv4` and `ipv6`. Values shrink.
 *
 * @throws SchemaError for what a schema may say and the generator cannot satisfy (`contains`, `if`, `dependentSchemas`,
 * `unevaluatedProperties` …), with its path; when no value satisfies it; and, while generating, when 1,000 values in a
 * row were refused
 *
 * @example
 * ```ts
 * const move = schemaArbitrary(z.object({ square: z.int().min(0).max(8) }))
 * fc.assert(fc.property(move, ({ square }) => board.takes(square)))
 * ```
 */
export function schemaArbitrary<Input>(schema: StandardJsonSchema<Input>): fc.Arbitrary<Input>
export function schemaArbitrary(schema: JsonSchema): fc.Arbitrary<Json>
export function schemaArbitrary(schema: SchemaSource): fc.Arbitrary<unknown>
export function schemaArbitrary(schema: SchemaSource): fc.Arbitrary<unknown> {
  const { root, accepts } = openSchema(schema)
  const document = new SchemaDocument(root)
  checkSchema(document)
  const values = new ValueArbitraries(document).ofRoot()
  if (accepts === undefined) return values
  return kept(values, accepts, () => {
    const what = 'Nearly nothing that its JSON Schema allows is accepted by the schema itself.'
    return new SchemaError('too-many-refused', '#', what)
  })
}
