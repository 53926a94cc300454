import fc from 'fast-check'
import type { DiskFault } from '../disk/virtual-disk.ts'
import type { CutOptions } from '../network/network-link.ts'

/** The rooms of a simulated world, each with another policy. */
export const rooms = ['hall', 'count:stand', 'latest:prices', 'drop:video', 'attic', 'cellar'] as const

/** Who visits: the user of each visitor. Two are tabs of one user. */
export const visitors = ['ada', 'ada', 'bob', 'cyd', 'dan', 'eve'] as const

/** What can be made to crash. */
export type CrashTarget = 'connection' | 'session' | 'heartbeat' | 'room'

/** What an intruder does. */
export type Intrusion = (typeof intrusions)[number]

const intrusions = [
  'takes over',
  'takes over',
  'guesses',
  'babbles',
  'renews',
  'renews',
  'is silent',
  'is refused',
  'speaks first',
  'comes back late',
  'comes too late',
  'floods',
] as const

/** Something that is done in a simulated world; `who` and `room` count from 0. */
export type SimulationAction =
  | { readonly do: 'join' | 'leave' | 'history'; readonly who: number; readonly room: number }
  | { readonly do: 'say'; readonly who: number; readonly room: number; readonly size: number; readonly binary: boolean }
  | { readonly do: 'shout' | 'presence' | 'flood'; readonly who: number; readonly room: number }
  | { readonly do: 'type'; readonly who: number; readonly room: number; readonly typing: boolean }
  | { readonly do: 'call'; readonly who: number; readonly kind: 'echo' | 'slow' | 'fail' | 'ask back' | 'never' }
  | { readonly do: 'quit' | 'wake' | 'go offline' | 'go online' | 'token fails' | 'token is bad'; readonly who: number }
  | ({ readonly do: 'cut'; readonly who: number } & Required<CutOptions>)
  | { readonly do: 'stall' | 'freeze' | 'sleep' | 'refuse' | 'ignore'; readonly who: number; readonly forMs: number }
  | { readonly do: 'lose'; readonly who: number; readonly count: number }
  | { readonly do: 'crash'; readonly what: CrashTarget; readonly who: number; readonly room: number }
  | { readonly do: 'crash everything' }
  | { readonly do: 'kill'; readonly forMs: number; readonly noticed: boolean }
  | { readonly do: 'stop'; readonly forMs: number }
  | { readonly do: 'set clock'; readonly byMs: number }
  | { readonly do: 'drain' | 'close'; readonly withinMs: number }
  | { readonly do: 'disk fails'; readonly at: DiskFault }
  | { readonly do: 'disk is slow'; readonly forMs: number }
  | { readonly do: 'log is lost'; readonly room: number }
  | { readonly do: 'intruder'; readonly who: number; readonly room: number; readonly does: Intrusion }

/** An action, and how long after the one before it is done (ms). */
export interface SimulationStep {
  readonly afterMs: number
  readonly action: SimulationAction
}

/** What a simulated world is like. */
export interface SimulationSetting {
  /** What is on a disk; the rest ends with its process. */
  readonly store: 'nothing' | 'logs' | 'sessions' | 'both'
  /** How long what is sent is under way at most (ms). */
  readonly latencyMs: number
  /** How long an operation of the disk, and `authenticate`, take at most (ms). */
  readonly diskMs: number
  /** How long credentials hold (ms); undefined when they do not end. */
  readonly tokenMs: number | undefined
}

/** A run: what the world is like, and what is done in it. */
export interface SimulationPlan {
  readonly setting: SimulationSetting
  readonly steps: readonly SimulationStep[]
}

const who = fc.nat({ max: visitors.length - 1 })
const room = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.nat({ max: rooms.length - 1 }) },
)
const duration = fc.integer({ min: 1, max: 80 }).map((tenths) => tenths * 100)
const act = <Name extends SimulationAction['do'], Fields extends object>(
  name: Name,
  fields: { [Field in keyof Fields]: fc.Arbitrary<Fields[Field]> },
): fc.Arbitrary<SimulationAction> =>
  fc.record({ do: fc.constant(name), ...fields }) as unknown as fc.Arbitrary<SimulationAction>

const size = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.constant(6_000) })
const kind = fc.constantFrom('echo', 'slow', 'fail', 'ask back', 'never')

const work: fc.WeightedArbitrary<SimulationAction>[] = [
  { weight: 12, arbitrary: act('join', { who, room }) },
  { weight: 3, arbitrary: act('leave', { who, room }) },
  { weight: 30, arbitrary: act('say', { who, room, size, binary: fc.boolean() }) },
  { weight: 2, arbitrary: act('flood', { who, room }) },
  { weight: 3, arbitrary: act('shout', { who, room }) },
  { weight: 10, arbitrary: act('type', { who, room, typing: fc.boolean() }) },
  { weight: 5, arbitrary: act('presence', { who, room }) },
  { weight: 2, arbitrary: act('history', { who, room }) },
  { weight: 4, arbitrary: act('call', { who, kind }) },
  { weight: 2, arbitrary: act('quit', { who }) },
  { weight: 1, arbitrary: act('wake', { who }) },
  { weight: 1, arbitrary: act('go offline', { who }) },
  { weight: 1, arbitrary: act('go online', { who }) },
]

const noticedBy = fc.constantFrom('both', 'client', 'client', 'server', 'nobody')
const crashTarget = fc.constantFrom('connection', 'session', 'heartbeat', 'room', 'room')
const diskFault = fc.constantFrom('append', 'append', 'crash', 'read', 'open', 'create', 'claim', 'restore')
const intrusion = fc.constantFrom(...intrusions)

const faults: fc.WeightedArbitrary<SimulationAction>[] = [
  { weight: 8, arbitrary: act('cut', { who, noticedBy, afterMs: fc.constantFrom(0, 0, 50, 2_000) }) },
  { weight: 4, arbitrary: act('stall', { who, forMs: duration }) },
  { weight: 4, arbitrary: act('freeze', { who, forMs: duration.map((ms) => ms * 3) }) },
  { weight: 2, arbitrary: act('sleep', { who, forMs: duration.map((ms) => ms * 5) }) },
  { weight: 2, arbitrary: act('refuse', { who, forMs: duration }) },
  { weight: 2, arbitrary: act('ignore', { who, forMs: duration.map((ms) => ms * 3) }) },
  { weight: 2, arbitrary: act('lose', { who, count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: act('token fails', { who }) },
  { weight: 1, arbitrary: act('token is bad', { who }) },
  { weight: 1, arbitrary: act('crash everything', {}) },
  { weight: 4, arbitrary: act('crash', { what: crashTarget, who, room }) },
  { weight: 2, arbitrary: act('kill', { forMs: duration, noticed: fc.boolean() }) },
  { weight: 1, arbitrary: act('stop', { forMs: duration.map((ms) => ms * 8) }) },
  {
    weight: 1,
    arbitrary: act('set clock', { byMs: fc.constantFrom(-100_000, -30_000, -1_000, 1_000, 10_000, 30_000) }),
  },
  { weight: 1, arbitrary: act('drain', { withinMs: fc.constantFrom(0, 1_000, 5_000) }) },
  { weight: 1, arbitrary: act('close', { withinMs: fc.constant(0) }) },
  { weight: 4, arbitrary: act('disk fails', { at: diskFault }) },
  { weight: 1, arbitrary: act('disk is slow', { forMs: duration }) },
  { weight: 1, arbitrary: act('log is lost', { room }) },
  { weight: 4, arbitrary: act('intruder', { who, room, does: intrusion }) },
]

const setting: fc.Arbitrary<SimulationSetting> = fc.record({
  store: fc.constantFrom('both', 'nothing', 'both', 'logs', 'sessions'),
  latencyMs: fc.constantFrom(0, 20, 200, 800),
  diskMs: fc.constantFrom(0, 20, 200),
  tokenMs: fc.constantFrom(undefined, undefined, 20_000),
})

/** Runs of at most so many steps, and at least half as many; shorter and simpler ones when they shrink. */
export function planArbitrary({ steps = 60, withFaults = true } = {}): fc.Arbitrary<SimulationPlan> {
  const action = fc.oneof(...work, ...(withFaults ? faults : []))
  const afterMs = fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.constantFrom(1, 10, 100) },
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 30 }).map((tenths) => tenths * 100) },
  )
  const step = fc.record({ afterMs, action })
  const list = (minLength: number): fc.Arbitrary<SimulationStep[]> =>
    fc.array(step, { minLength, maxLength: steps, size: 'max' })
  return fc.record({ setting, steps: new Shortened(list(Math.floor(steps / 2)), list(0)) })
}

/** Values of one arbitrary that shrink to values of another: lists that are long, unless they can be short. */
class Shortened<T> extends fc.Arbitrary<T> {
  readonly #made: fc.Arbitrary<T>
  readonly #shrunk: fc.Arbitrary<T>

  constructor(made: fc.Arbitrary<T>, shrunk: fc.Arbitrary<T>) {
    super()
    this.#made = made
    this.#shrunk = shrunk
  }

  generate(random: fc.Random, biasFactor: number | undefined): fc.Value<T> {
    return this.#made.generate(random, biasFactor)
  }

  canShrinkWithoutContext(value: unknown): value is T {
    return this.#shrunk.canShrinkWithoutContext(value)
  }

  shrink(value: T, context: unknown): fc.Stream<fc.Value<T>> {
    return this.#shrunk.shrink(value, context)
  }
}

/** A step as a line. */
export function describeStep({ afterMs, action }: SimulationStep): string {
  const { do: name, who: visitor, room: place, ...rest } = action as SimulationAction & { who?: number; room?: number }
  const parts = [`+${afterMs} ms`.padEnd(9)]
  if (visitor !== undefined) parts.push(visitorName(visitor))
  parts.push(name)
  if (place !== undefined) parts.push(rooms[place] ?? '')
  for (const [field, value] of Object.entries(rest)) parts.push(`${field}=${String(value)}`)
  return parts.join(' ')
}

/** What a visitor is called. */
export function visitorName(index: number): string {
  return `${visitors[index]}-${index + 1}`
}
