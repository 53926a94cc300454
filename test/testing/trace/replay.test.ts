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

describe('replayTrace', () => {
  it('of what was recorded on virtual time sends what was sent then, to the byte and to the ms', async () => {
    const latency = fc.constantFrom<[number, number][]>([0, 0], [0, 3], [5, 80])
    const script = fc.array(step, { minLength: 5, maxLength: 60, size: 'max' })
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.nat(), latency, script, async (seed, latencyMs, steps) => {
        const world = new RecordedWorld({ seed, network: { latencyMs, splitChance: 0.2 }, options })
        const text = await play(world, [{ do: 'new', who: 'ada' }, { do: 'new', who: 'bob' }, ...steps])
        const [sent, telemetry] = [structuredClone(shown(world.sent)), structuredClone(world.telemetry)]
        await world.close()
        const replay = await replayTrace(readTrace(text), { options: ({ clock }) => options(clock) })
        expect(shown(replay.connections)).toEqual(sent)
        expect(replay.telemetry.map(String)).toEqual(telemetry.map(String))
        expect(replay.unrecorded).toBe(0)
        for (const { messages, closed } of replay.connections) {
          for (const { type, resumed } of messages) seen.add(resumed === true ? 'resumed' : type)
          seen.add(String(closed?.code))
        }
      }),
      { numRuns: Number(process.env.RUNS ?? 150) },
    )
    console.log(seen)
  })
})
