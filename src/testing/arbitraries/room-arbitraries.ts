import fc from 'fast-check'
import { protocolLimits } from '../../protocol/limits.ts'
import { isRoomName } from '../../protocol/room-name.ts'

/** Rooms to speak of: their names, or what makes names. */
export type RoomSource = readonly string[] | fc.Arbitrary<string>

const { roomNameBytes } = protocolLimits

/** Names that are ordinary here and somewhere else are not, and those that are as long as a name may be. */
const odd = [
  '__proto__',
  'constructor',
  '*',
  '{}',
  ':',
  ' ',
  '.',
  '0',
  'room:main',
  '😀',
  'é'.normalize('NFD'),
  '\u202Eroom',
  'x'.repeat(roomNameBytes),
  'é'.repeat(127),
  '€'.repeat(85),
  '😀'.repeat(63),
]

/** Legal names of rooms: plain ones, odd ones, of all that there is in Unicode, and of 255 bytes. */
const anyRoom: fc.Arbitrary<string> = fc
  .oneof(
    { withCrossShrink: true },
    { weight: 3, arbitrary: fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'), minLength: 1 }) },
    { weight: 2, arbitrary: fc.string({ minLength: 1 }) },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  )
  .filter(isRoomName)

/**
 * What makes the names of the rooms that messages are about.
 *
 * @throws TypeError when there are none
 */
export function roomsOf(rooms: RoomSource | undefined): fc.Arbitrary<string> {
  if (rooms === undefined) return anyRoom
  if (!('length' in rooms)) return rooms
  if (rooms.length === 0) throw new TypeError('There are no rooms to speak of.')
  return fc.constantFrom(...rooms)
}

const control = fc
  .oneof(fc.integer({ min: 0, max: 0x1f }), fc.integer({ min: 0x7f, max: 0x9f }))
  .map((code) => String.fromCharCode(code))
const surrogate = fc.integer({ min: 0xd800, max: 0xdfff }).map((code) => String.fromCharCode(code))
const within = (unfit: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(fc.string(), unfit, fc.string()).map((parts) => parts.join(''))

/** Texts that cannot name a room, by what is wrong with them. */
export const unfitRooms = {
  'a room name that is empty': fc.constant(''),
  'a room name that is too long': fc.oneof(
    fc.constantFrom('x'.repeat(roomNameBytes + 1), 'é'.repeat(128), '€'.repeat(86), '😀'.repeat(64)),
    fc.constant('x'.repeat(50_000)),
  ),
  'a room name with a control character': within(control),
  'a room name with half a surrogate pair': within(surrogate),
} satisfies Record<string, fc.Arbitrary<string>>
