import fc from 'fast-check'
import { encodeBinary } from '../../protocol/binary.ts'
import { anyId, anyKey } from './message-arbitraries.ts'
import { roomsOf, type RoomSource } from './room-arbitraries.ts'

/** What binary frames are to be about. */
export interface BinarySources {
  /** Names of rooms, or what makes them. @default any legal name */
  readonly rooms?: RoomSource
  /** What they carry. @default up to 1,000 bytes */
  readonly bytes?: fc.Arbitrary<Uint8Array>
}

const maxLength = 1_000
const someBytes = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength, minLength: maxLength }) },
)

/**
 * Legal binary frames of clients.
 *
 * @throws TypeError when `rooms` is an empty list
 *
 * @example
 * ```ts
 * fc.assert(fc.property(binaryMessages({ rooms: ['main'] }), (frame) => socket.send(frame)))
 * ```
 */
export function binaryMessages({ rooms, bytes = someBytes }: BinarySources = {}): fc.Arbitrary<Uint8Array> {
  const header = fc.record(
    { type: fc.constant('message'), room: roomsOf(rooms), volatile: fc.boolean(), key: anyKey, id: anyId },
    { requiredKeys: ['type', 'room'], noNullPrototype: true },
  )
  return fc.tuple(header, bytes).map(([fields, content]) => encodeBinary(JSON.stringify(fields), content))
}
