import fc from 'fast-check'
import { encodeBinary } from 'greenroom/protocol'
import { writeTrace, type WireClient } from 'greenroom/testing'
import type { Clock } from '../../../src/runtime/ports/environment.ts'
import type { RuntimeOptions } from '../../../src/runtime/options.ts'
import type { RecordedWorld } from './recorded-world.ts'

/** Credentials that hold for a minute and take their time to be checked, handlers that take theirs, and small bounds. */
export const options = (clock: Clock): RuntimeOptions => {
  const later = <Value>(value: Value, ms: number): Promise<Value> =>
    new Promise((resolve) => void clock.setTimeout(() => resolve(value), ms))
  return {
    authenticate: async ({ token = 'bad' }) => {
      if (token === 'bad') throw new Error('Who is this?')
      if (token.endsWith('slow')) await later(undefined, 30)
      return { user: { id: token.replace('slow', '') }, expiresAt: clock.now() + 60_000 }
    },
    handlers: {
      soon: async (data) => data,
      late: (data) => later(data, 500),
      ask: async (_data, { connection }) => connection.request('question', 1, { timeoutMs: 2_000 }),
    },
    rooms: { 'main*': { history: 20 } },
    outboxBytes: 20_000,
    inboxCount: 2,
  }
}

const name = fc.constantFrom('ada', 'bob', 'eve')
const id = fc.option(fc.nat(9), { nil: undefined })
const room = fc.constantFrom('main', 'main', 'main2')

const message = fc.oneof(
  fc.record({ type: fc.constant('join'), room, id }),
  fc.record({ type: fc.constant('leave'), room, id }),
  fc.record({ type: fc.constant('message'), room, id, data: fc.oneof(fc.string(), fc.constant('x'.repeat(3_000))) }),
  fc.record({ type: fc.constant('typing'), room, typing: fc.boolean() }),
  fc.record({ type: fc.constant('history'), room, id }),
  fc.record({ type: fc.constantFrom('soon', 'late', 'ask'), id, data: fc.nat(9) }),
  fc.record({ type: fc.constant('auth'), token: fc.constantFrom('ada', 'bob', 'eve', 'adaslow', 'bad'), id }),
  fc.record({ type: fc.constant('ping'), id }),
  fc.constant({ type: 'no such' }),
)

/** Something that clients do, or that happens to them. */
export type Step =
  | { readonly do: 'send'; readonly who: string; readonly messages: readonly object[] }
  | { readonly do: 'bytes' | 'flood' | 'cut' | 'close' | 'back' | 'freeze' | 'thaw' | 'new'; readonly who: string }
  | { readonly do: 'wait'; readonly ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('send'),
      who: name,
      messages: fc.array(message, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('bytes', 'flood', 'cut', 'close', 'back', 'back', 'freeze', 'thaw', 'new'),
      who: name,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait'),
      ms: fc.oneof(fc.nat(50), fc.constantFrom(500, 3_000, 26_000, 61_000)),
    }),
  },
)

/** Has it happen in a world, and gives its trace. */
export async function play(world: RecordedWorld, steps: readonly Step[]): Promise<string> {
  const clients = new Map<string, WireClient>()
  const claims = new Map<string, object>()
  for (const step of steps) {
    if (step.do === 'wait') {
      await world.clock.advance(step.ms)
      continue
    }
    const { who } = step
    const [device, client] = [world.network.device(who), clients.get(who)]
    const isOpen = client?.socket.readyState === 1
    if (step.do === 'freeze') device.freeze()
    else if (step.do === 'thaw') device.thaw()
    else if (step.do === 'cut') device.cut({ noticedBy: 'both', afterMs: 40 })
    else if (step.do === 'close') client?.socket.close(1000)
    else if (step.do === 'send' && isOpen) for (const message of step.messages) client.send(message)
    else if (step.do === 'bytes' && isOpen) client.socket.send(encodeBinary('{"type":"message","room":"main"}', bytes))
    else if (step.do === 'flood' && isOpen) for (let i = 0; i < 16; i++) client.send(long)
    if (step.do !== 'new' && step.do !== 'back') continue
    const welcome = client?.of('welcome').at(-1)
    if (welcome !== undefined) claims.set(who, { resume: { session: welcome['session'], secret: welcome['secret'] } })
    const comesBack = step.do === 'back'
    const next = await world.connect(who, comesBack ? { protocol: 'greenroom.v1' } : { token: `${who}slow` })
    clients.set(who, next)
    if (next.socket.readyState !== 1) continue
    if (comesBack) next.send({ type: 'hello', token: who, ...claims.get(who) })
    next.send({ type: 'join', room: 'main' })
  }
  return writeTrace(world.recorder)
}

const long = { type: 'message', room: 'main', data: 'x'.repeat(3_000) }

const bytes = Uint8Array.from([0, 1, 127, 128, 255, 10])

/** Whatever clients may do. */
export const script = fc.array(step, { minLength: 5, maxLength: 60, size: 'max' })

/** Everything that is meant to be there, one after the other. */
export const everything: readonly Step[] = [
  { do: 'new', who: 'ada' },
  { do: 'new', who: 'bob' },
  { do: 'wait', ms: 100 },
  { do: 'bytes', who: 'ada' },
  { do: 'send', who: 'ada', messages: [{ type: 'typing', room: 'main', typing: true }] },
  { do: 'wait', ms: 3_000 },
  {
    do: 'send',
    who: 'bob',
    messages: [
      { type: 'late', id: 1 },
      { type: 'message', room: 'main', data: 'after', id: 2 },
    ],
  },
  {
    do: 'send',
    who: 'bob',
    messages: [
      { type: 'ask', id: 3 },
      { type: 'soon', id: 4, data: 5 },
      { type: 'ping', id: 5 },
    ],
  },
  { do: 'wait', ms: 3_000 },
  { do: 'cut', who: 'ada' },
  { do: 'wait', ms: 16_000 },
  { do: 'send', who: 'bob', messages: [{ type: 'message', room: 'main', data: 'missed', id: 6 }] },
  { do: 'back', who: 'ada' },
  { do: 'wait', ms: 36_000 },
  {
    do: 'send',
    who: 'ada',
    messages: [
      { type: 'auth', token: 'adaslow', id: 7 },
      { type: 'auth', token: 'bob', id: 8 },
    ],
  },
  { do: 'wait', ms: 61_000 },
  { do: 'new', who: 'bob' },
  { do: 'wait', ms: 1_000 },
  { do: 'freeze', who: 'bob' },
  { do: 'wait', ms: 40_000 },
  { do: 'new', who: 'bob' },
  { do: 'new', who: 'ada' },
  { do: 'wait', ms: 100 },
  { do: 'freeze', who: 'bob' },
  { do: 'flood', who: 'ada' },
  { do: 'wait', ms: 2_000 },
]
