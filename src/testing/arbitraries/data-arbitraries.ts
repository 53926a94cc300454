import fc from 'fast-check'
import { encodeData, type EncodedData } from '../../protocol/codec.ts'
import { protocolLimits } from '../../protocol/limits.ts'
import type { Json } from '../../protocol/messages.ts'
import { isBounded } from '../../protocol/plain.ts'
import { utf8Length } from '../../protocol/room-name.ts'
import { anyJson } from './any-json.ts'
import { kept } from './kept.ts'
import { schemaArbitrary } from './schema-arbitrary.ts'
import { SchemaError } from './schema-error.ts'
import type { SchemaSource } from './schema-source.ts'

/** What data is made of: a schema, or an arbitrary of values, rich ones (`Date`, `Map` …) too. */
export type DataSource = SchemaSource | fc.Arbitrary<unknown>

const { dataDepth, dataNodes } = protocolLimits

/** Arrays in arrays, as many as are asked for. */
export const nested = (depth: number, open = '[', close = ']'): string => open.repeat(depth) + close.repeat(depth)

/** An array of so many elements. */
export const wide = (elements: number): string => `[${'0,'.repeat(elements - 1)}0]`

/** Data that is as deep or has as many parts as it may. */
const atTheBounds = fc.constantFrom(nested(dataDepth), wide(dataNodes)).map((text) => JSON.parse(text) as Json)

const rich = fc.oneof(
  fc.date({ noInvalidDate: true }),
  fc.bigInt(),
  fc.constantFrom(undefined, NaN, Infinity, -Infinity, -0),
  fc.uniqueArray(fc.integer(), { maxLength: 3 }).map((elements) => new Set(elements)),
  fc.dictionary(fc.string(), fc.integer(), { maxKeys: 3 }).map((members) => new Map(Object.entries(members))),
  fc.webUrl().map((address) => new URL(address)),
)
const richData = fc.oneof(
  rich,
  fc.array(rich, { maxLength: 3 }),
  fc.record({ 'a.b': rich, 'c\\': fc.record({ d: rich }) }, { requiredKeys: [] }),
)

const plain: fc.Arbitrary<EncodedData> = anyJson.map((data) => ({ data }))

/** Any data that a message may carry: plain JSON, up to the bounds of it; and what JSON cannot say, with its `meta`. */
const anyData: fc.Arbitrary<EncodedData> = fc.oneof(
  { withCrossShrink: true },
  { weight: 12, arbitrary: plain },
  { weight: 6, arbitrary: richData.map(encodeData) },
  { weight: 1, arbitrary: atTheBounds.map((data) => ({ data })) },
)

const isArbitrary = (source: DataSource): source is fc.Arbitrary<unknown> => source instanceof fc.Arbitrary

/**
 * Data as it travels. Of a schema, values that the protocol has no room for are left out.
 *
 * @throws SchemaError for a schema that no values can be made of
 */
export function dataOf(source: DataSource | undefined): fc.Arbitrary<EncodedData> {
  if (source === undefined || source === true) return anyData
  if (isArbitrary(source)) return source.map(encodeData)
  return kept(
    schemaArbitrary(source),
    isBounded,
    () => new SchemaError('too-many-refused', '#', 'Nearly all of its values are deeper or larger than data may be.'),
  ).map((data) => ({ data: data as Json }))
}

const presenceBytes = 2_048

/** Presence states, which by default are no larger than a server takes unless it is told otherwise. */
export function statesOf(source: DataSource | undefined): fc.Arbitrary<Json> {
  if (source !== undefined) return dataOf(source).map(({ data }) => data)
  return anyJson.filter((state) => utf8Length(JSON.stringify(state)) <= presenceBytes)
}
