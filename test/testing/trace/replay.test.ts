import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeBinary } from 'greenroom/protocol'
import { readTrace, replayTrace, writeTrace, type WireClient } from 'greenroom/testing'
import type { Clock } from '../../../src/runtime/ports/environment.ts'
import type { RuntimeOptions } from '../../../src/runtime/options.ts'
import { RecordedWorld, type Sent } from './recorded-world.ts'

/** Credentials that hold for a minute and take their time to be checked, handlers that take theirs, and small bounds. */
const options = (clock: Clock): RuntimeOptions => {
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

type Step =
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
async function play(world: RecordedWorld, steps: readonly Step[]): Promise<string> {
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

/** What was sent, to the byte. */
const shown = (connections: readonly Sent[]) =>
  connections.map(({ frames, closed }) => ({
    frames: frames.map(({ at, payload }) => [at, typeof payload === 'string' ? payload : [...payload]]),
    closed: closed && [closed.at, closed.code, closed.reason],
  }))

const latency = fc.constantFrom<[number, number][]>([0, 0], [0, 3], [5, 80])
const script = fc.array(step, { minLength: 5, maxLength: 60, size: 'max' })

/** Everything that is meant to be there, one after the other. */
const everything: readonly Step[] = [
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

/** Records what happens, and replays it. */
async function recordAndReplay(steps: readonly Step[], { seed = 1, latencyMs = [0, 0] as [number, number] } = {}) {
  const world = new RecordedWorld({ seed, network: { latencyMs, splitChance: 0.2 }, options })
  const text = await play(world, steps)
  const [sent, reported] = [structuredClone(shown(world.sent)), structuredClone(world.telemetry.map(typeOf))]
  await world.close()
  const replay = await replayTrace(readTrace(text), { options: ({ clock }) => options(clock) })
  return { text, sent, reported, replay }
}

const typeOf = (event: unknown): unknown => (event as { type: unknown }).type

describe('replayTrace', () => {
  it('of what was recorded on virtual time sends what was sent then, to the byte and to the ms', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), latency, script, async (seed, latencyMs, steps) => {
        const begun: Step[] = [{ do: 'new', who: 'ada' }, { do: 'new', who: 'bob' }, ...steps]
        const { sent, reported, replay } = await recordAndReplay(begun, { seed, latencyMs })
        expect(shown(replay.connections)).toEqual(sent)
        expect(replay.telemetry.map(typeOf)).toEqual(reported)
        expect(replay.unrecorded).toBe(0)
      }),
      { numRuns: 100 },
    )
  })

  it('plays resumes, bytes, time-outs, heartbeats, renewals, handlers and slow readers', async () => {
    const { sent, replay } = await recordAndReplay(everything)
    expect(shown(replay.connections)).toEqual(sent)
    const messages = replay.connections.flatMap((connection) => connection.messages)
    const said = new Set(
      messages.flatMap(({ type, resumed, typing }) => [type, `${type} ${String(resumed ?? typing)}`]),
    )
    expect([...said]).toEqual(
      expect.arrayContaining([
        'welcome true',
        'typing true',
        'typing false',
        'authenticated',
        'reply',
        'question',
        'presence',
      ]),
    )
    expect(replay.connections.map(({ closed }) => closed && [closed.code, closed.by])).toEqual([
      [1006, 'client'],
      [4101, 'server'],
      [4101, 'server'],
      [4201, 'server'],
      [4208, 'server'],
      undefined,
    ])
    expect(replay.connections[0]?.frames.filter(({ payload }) => payload instanceof Uint8Array)).toHaveLength(1)
  })

  it('does the same with the same trace every time', async () => {
    const { text } = await recordAndReplay(everything)
    const replays = [1, 2].map(() => replayTrace(readTrace(text), { options: ({ clock }) => options(clock) }))
    const [first, second] = await Promise.all(replays)
    expect(shown(first?.connections ?? [])).toEqual(shown(second?.connections ?? []))
    expect(first?.connections.length).toBe(6)
  })

  it('shows what has changed when the runtime is not what it was', async () => {
    const { text, sent } = await recordAndReplay(everything)
    const trace = readTrace(text)
    const changed = await replayTrace(trace, { options: ({ clock }) => ({ ...options(clock), typingMs: 1_000 }) })
    expect(shown(changed.connections)).not.toEqual(sent)
    const typed = changed.connections[1]?.frames.filter(({ payload }) => String(payload).includes('"typing":')) ?? []
    expect((typed[1]?.at ?? 0) - (typed[0]?.at ?? 0)).toBe(1_000)

    // Guests have ids of their own: there were none then.
    const guests = await replayTrace(trace)
    expect(guests.unrecorded).toBeGreaterThan(0)
  })

  it('goes on when a handler, after a while, has made the runtime read what waited in a socket', async () => {
    const optionsWithBye = (clock: Clock): RuntimeOptions => ({
      inboxCount: 1,
      handlers: {
        bye: async (_data, { connection }) => {
          await new Promise<void>((resolve) => void clock.setTimeout(resolve, 500))
          connection.forbid()
        },
      },
    })
    const world = new RecordedWorld({ options: optionsWithBye })
    const [ada, bob] = [await world.member('ada'), await world.member('bob')]
    ada.send({ type: 'bye' })
    for (const data of ['waits', 'unread', 'unread']) ada.send({ type: 'message', room: 'main', data })
    await world.clock.advance(500)
    bob.send({ type: 'message', room: 'main', data: 'after' })
    await world.clock.advance(0)
    const text = writeTrace(world.recorder)
    const sent = structuredClone(shown(world.sent))
    await world.close()
    expect(text).toContain('"within":"resume"')
    const { connections } = await replayTrace(readTrace(text), { options: ({ clock }) => optionsWithBye(clock) })
    expect(shown(connections)).toEqual(sent)
    expect(connections[1]?.messages.at(-1)).toMatchObject({ data: 'after' })
  })

  it('ends where the recording does, and leaves the rest of the story out', async () => {
    const world = new RecordedWorld()
    const ada = await world.member('ada')
    const text = writeTrace(world.recorder)
    ada.send({ type: 'message', room: 'main', data: 'unheard' })
    await world.clock.advance(1_000)
    const later = writeTrace(world.recorder)
    await world.close()
    const types = async (trace: string): Promise<unknown[]> =>
      (await replayTrace(readTrace(trace))).connections.flatMap(({ messages }) => messages.map(({ type }) => type))
    expect(await types(text)).toEqual(['welcome', 'joined'])
    expect(await types(later)).toEqual(['welcome', 'joined', 'message'])
  })
})
