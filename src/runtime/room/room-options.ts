import type { Json } from '../../protocol/index.ts'
import { checkSchema, type Schema } from '../ports/schema.ts'

/** A message, as far as a room that conflates looks at it. */
export interface KeyedMessage {
  readonly data: Json
  /** What its sender said that it is about, if anything. */
  readonly key: string | undefined
  readonly from: { readonly user: string; readonly session: string }
}

/**
 * What becomes of messages that a member is too slow to take.
 *
 * - `disconnect`: they wait; a member for whom more waits than its outbox holds is closed with 4208, comes back and
 *   recovers them.
 * - `drop`: they are left out, and the member is told how many. For what is of no use late.
 * - `latest`: of those with the same key only the last waits. For positions, prices, the state of things.
 */
export type SlowPolicy = 'disconnect' | 'drop' | 'latest'

/** How the rooms whose names match a pattern behave. Made by {@link defineRoom}. */
export interface RoomOptions {
  /** Messages kept for those who come back. @default 100 */
  readonly history?: number
  /** How long they are kept (ms). @default 300_000 */
  readonly historyMs?: number
  /** What becomes of messages that a member is too slow to take. @default 'disconnect' */
  readonly slow?: SlowPolicy
  /**
   * Where `slow` is `latest`: which messages stand for one another. What it throws is reported, and the message then
   * stands for itself alone.
   *
   * @default those of the same user with the same `key`
   */
  readonly key?: (message: KeyedMessage) => string
  /** Whether members are told who is here, or only how many: for large rooms. @default 'list' */
  readonly presence?: 'list' | 'count'
  /** Whether somebody without credentials may be in it; they may authenticate, and join then. @default true */
  readonly guests?: boolean
  /**
   * What every message must fit: a schema of Zod, Valibot, ArkType, or another that speaks Standard Schema. Members get
   * what the schema has made of the data; what does not fit is answered `invalid-data`. Bytes are given to it as a
   * `Uint8Array`. What a connection machine publishes is not looked at.
   *
   * @default none: what was said is relayed as it was written
   */
  readonly messageSchema?: Schema | undefined
  /** What every presence state must fit, likewise; it must make plain JSON of it. @default none */
  readonly presenceSchema?: Schema | undefined
}

/** {@link RoomOptions} with everything filled in. */
export type ResolvedRoomOptions = Required<RoomOptions>

const policies: readonly unknown[] = ['disconnect', 'drop', 'latest'] satisfies SlowPolicy[]

const defaults: ResolvedRoomOptions = {
  history: 100,
  historyMs: 300_000,
  slow: 'disconnect',
  key: ({ key = '', from }) => `${key}\n${from.user}`,
  presence: 'list',
  guests: true,
  messageSchema: undefined,
  presenceSchema: undefined,
}

/**
 * Declares how rooms behave, for the `rooms` option.
 *
 * @throws RangeError for a number that is none, or an option or value that there is not
 * @throws TypeError for a schema that is none
 */
export function defineRoom(options: RoomOptions = {}): ResolvedRoomOptions {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(defaults, name)) throw new RangeError(`A room has no option '${name}'.`)
  }
  const room = { ...defaults, ...options }
  const { history, historyMs, slow, presence, guests } = room
  for (const [name, value] of Object.entries({ history, historyMs })) {
    if (!(value >= 0)) throw new RangeError(`${name} must be a number ≥ 0, not ${value}`)
  }
  if (!policies.includes(slow)) throw new RangeError(`slow must be one of ${policies.join(', ')}, not ${slow}`)
  if (presence !== 'list' && presence !== 'count')
    throw new RangeError(`presence must be list or count, not ${presence}`)
  if (typeof guests !== 'boolean') throw new RangeError(`guests must be true or false, not ${String(guests)}`)
  for (const name of ['messageSchema', 'presenceSchema'] as const) {
    if (room[name] !== undefined) checkSchema(name, room[name])
  }
  return room
}

/** Whether there is any room in which what is said must fit a schema. */
export function haveSchemas(rooms: Readonly<Record<string, RoomOptions>> = {}): boolean {
  return Object.values(rooms).some(
    ({ messageSchema, presenceSchema }) => messageSchema !== undefined || presenceSchema !== undefined,
  )
}

/** Finds the options of a room: those of its name, else those of the longest pattern that fits. */
export function roomOptionsFinder(
  rooms: Readonly<Record<string, RoomOptions>> = {},
): (name: string) => ResolvedRoomOptions {
  const declared = Object.entries(rooms).map(([pattern, options]) => [pattern, defineRoom(options)] as const)
  const exact = new Map(declared.filter(([pattern]) => !pattern.endsWith('*')))
  const prefixes = declared
    .filter(([pattern]) => pattern.endsWith('*'))
    .map(([pattern, options]) => ({ prefix: pattern.slice(0, -1), options }))
    .sort((a, b) => b.prefix.length - a.prefix.length)
  return (name) => exact.get(name) ?? prefixes.find(({ prefix }) => name.startsWith(prefix))?.options ?? defaults
}
