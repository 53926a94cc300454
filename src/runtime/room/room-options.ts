import type { Json } from '../../protocol/index.ts'

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
}

const policies: readonly unknown[] = ['disconnect', 'drop', 'latest'] satisfies SlowPolicy[]

const defaults: Required<RoomOptions> = {
  history: 100,
  historyMs: 300_000,
  slow: 'disconnect',
  key: ({ key = '', from }) => `${key}\n${from.user}`,
  presence: 'list',
}

/**
 * Declares how rooms behave, for the `rooms` option.
 *
 * @throws RangeError for a number that is none, or an option or value that there is not
 */
export function defineRoom(options: RoomOptions = {}): Required<RoomOptions> {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(defaults, name)) throw new RangeError(`A room has no option '${name}'.`)
  }
  const room = { ...defaults, ...options }
  const { history, historyMs, slow, presence } = room
  for (const [name, value] of Object.entries({ history, historyMs })) {
    if (!(value >= 0)) throw new RangeError(`${name} must be a number ≥ 0, not ${value}`)
  }
  if (!policies.includes(slow)) throw new RangeError(`slow must be one of ${policies.join(', ')}, not ${slow}`)
  if (presence !== 'list' && presence !== 'count')
    throw new RangeError(`presence must be list or count, not ${presence}`)
  return room
}

/** Finds the options of a room: those of its name, else those of the longest pattern that fits. */
export function roomOptionsFinder(
  rooms: Readonly<Record<string, RoomOptions>> = {},
): (name: string) => Required<RoomOptions> {
  const declared = Object.entries(rooms).map(([pattern, options]) => [pattern, defineRoom(options)] as const)
  const exact = new Map(declared.filter(([pattern]) => !pattern.endsWith('*')))
  const prefixes = declared
    .filter(([pattern]) => pattern.endsWith('*'))
    .map(([pattern, options]) => ({ prefix: pattern.slice(0, -1), options }))
    .sort((a, b) => b.prefix.length - a.prefix.length)
  return (name) => exact.get(name) ?? prefixes.find(({ prefix }) => name.startsWith(prefix))?.options ?? defaults
}
