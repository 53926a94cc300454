import fc from 'fast-check'
import type { Json } from '../../protocol/messages.ts'

/** As it comes back from the wire: JSON knows no negative zero. */
const overTheWire = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json

const sizes = { depthSize: 'xsmall', maxDepth: 4 } as const

/** Any JSON of a size that can be read: of plain text mostly, of all that there is in Unicode now and then. */
export const anyJson: fc.Arbitrary<Json> = fc
  .oneof(
    { withCrossShrink: true },
    { weight: 3, arbitrary: fc.jsonValue(sizes) },
    { weight: 1, arbitrary: fc.jsonValue({ ...sizes, stringUnit: 'binary' }) },
  )
  .map(overTheWire)
