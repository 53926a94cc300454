import fc from 'fast-check'
import type { DataSource } from './data-arbitraries.ts'
import { hostileBinary } from './hostile-binary.ts'
import { hostileData } from './hostile-data.ts'
import { hostileFields, type LegalMessages } from './hostile-fields.ts'
import { hostility, withField, withinSize, type HostileFrame, type Hostility } from './hostile-frame.ts'
import { hostileTexts } from './hostile-texts.ts'
import { messageArbitraries } from './message-arbitraries.ts'
import { roomsOf, type RoomSource } from './room-arbitraries.ts'
import { SchemaError } from './schema-error.ts'
import type { SchemaSource } from './schema-source.ts'
import { schemaViolation } from './schema-violation.ts'

/** What hostile frames are made from. */
export interface HostileSources {
  /** Names of rooms, or what makes them. Where the sender is in them, what is `served` is seen to be. @default any */
  readonly rooms?: RoomSource
  /** The application's own messages, as of {@link messageArbitraries}. @default none */
  readonly messages?: Readonly<Record<string, DataSource>>
  /** What `limits.frameBytes` of the server is. @default 65536 */
  readonly frameBytes?: number
}

const isSchema = (source: DataSource): source is SchemaSource => !(source instanceof fc.Arbitrary)

/** Whether anything breaks a schema: `true`, `{}` and their like allow whatever there is. */
function isBreakable(violation: fc.Arbitrary<unknown>): boolean {
  try {
    return fc.sample(violation, { numRuns: 1, seed: 1 }).length === 1
  } catch (error) {
    if (error instanceof SchemaError && error.code === 'too-many-refused') return false
    throw error
  }
}

function schemaBreakers(messages: Readonly<Record<string, DataSource>>): Hostility[] {
  return Object.entries(messages).flatMap(([type, source]) => {
    if (!isSchema(source)) return []
    const violation = schemaViolation(source)
    if (!isBreakable(violation)) return []
    const frames = violation.map((data) => JSON.stringify({ type, data, id: 1 }))
    return hostility('data that its schema does not allow', 'application', frames, 6)
  })
}

function tooLarge(served: fc.Arbitrary<object>, frameBytes: number): Hostility {
  const padding = 'x'.repeat(frameBytes)
  const frames = fc.oneof(
    served.map((message) => withField(message, 'padding', JSON.stringify(padding))),
    fc.constantFrom(`${padding}x`, `"${padding}"`, new Uint8Array(frameBytes + 1)),
  )
  return hostility('a frame that is too large', 1009, frames, 1)
}

/**
 * Frames that break something, each with a word on what, and on what a server does with it by PROTOCOL.md: text that is
 * no JSON, JSON that is no message, types that nobody knows, fields that are missing or of another kind, rooms that
 * cannot be, data and `meta` beyond their bounds, broken binary frames, and data of the application's own messages that
 * their schemas do not allow.
 *
 * @throws SchemaError for a schema that no values can be made of
 *
 * @example
 * ```ts
 * fc.assert(fc.asyncProperty(hostileFrames({ messages: { move: moveSchema } }), async ({ frame, answer }) => {
 *   socket.send(frame)
 *   if (answer === 'application') expect(await nextMessage()).toMatchObject({ code: 'bad-move' })
 * }))
 * ```
 */
export function hostileFrames({
  rooms,
  messages = {},
  frameBytes = 65_536,
}: HostileSources = {}): fc.Arbitrary<HostileFrame> {
  const roomNames = roomsOf(rooms)
  const arbitraries = messageArbitraries({ rooms: roomNames, messages }) as Readonly<Record<string, unknown>>
  const legal: LegalMessages = (type) => arbitraries[type] as fc.Arbitrary<object>
  const own = Object.keys(messages)
  const served = fc.oneof(
    roomNames.map((room) => ({ type: 'message', room, data: 0, id: 1 })),
    fc.constant({ type: 'ping' }),
  )
  const all = [
    ...hostileTexts(legal('any'), served, own),
    ...hostileFields(legal),
    ...hostileData(legal, own),
    ...hostileBinary(roomNames, own),
    ...schemaBreakers(messages),
    tooLarge(served, frameBytes),
  ]
  return fc
    .oneof(...all.map(({ weight, frames }) => ({ weight, arbitrary: frames })))
    .map((hostile) => withinSize(hostile, frameBytes))
}
