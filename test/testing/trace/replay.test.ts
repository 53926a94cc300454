import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTrace, replayTrace, writeTrace } from 'greenroom/testing'
import type { RuntimeOptions } from '../../../src/runtime/options.ts'
import type { Clock } from '../../../src/runtime/ports/environment.ts'
import { RecordedWorld, type Sent } from './recorded-world.ts'
import { everything, options, play, script, type Step } from './traffic.ts'

const latency = fc.constantFrom<[number, number][]>([0, 0], [0, 3], [5, 80])
/** What was sent, to the byte. */
const shown = (connections: readonly Sent[]) =>
  connections.map(({ frames, closed }) => ({
    frames: frames.map(({ at, payload }) => [at, typeof payload === 'string' ? payload : [...payload]]),
    closed: closed && [closed.at, closed.code, closed.reason],
  }))

/** Records what happens, and replays it. */
async function recordAndReplay(steps: readonly Step[], { seed = 1, latencyMs = [0, 0] as [number, number] } = {}) {
  const world = new RecordedWorld({ seed, network: { latencyMs, splitChance: 0.2 }, options })
  const text = await play(world, steps)
  const [sent, reported] = [structuredClone(shown(world.sent)), structuredClone(byConnection(world.telemetry))]
  await world.close()
  const replay = await replayTrace(readTrace(text), { options: ({ clock }) => options(clock) })
  return { text, sent, reported, replay }
}

/**
 * What was reported of each connection, in order. Of two that come and go in the same ms each may be first: which promise
 * is followed up first is nothing that comes from outside, and not recorded.
 */
function byConnection(telemetry: readonly unknown[]): object {
  const reports = new Map<unknown, unknown[]>()
  for (const { type, connection } of telemetry as readonly { type: unknown; connection?: unknown }[]) {
    reports.set(connection, [...(reports.get(connection) ?? []), type])
  }
  return Object.fromEntries(reports)
}

describe('replayTrace', () => {
  it('of what was recorded on virtual time sends what was sent then, to the byte and to the ms', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), latency, script, async (seed, latencyMs, steps) => {
        const begun: Step[] = [{ do: 'new', who: 'ada' }, { do: 'new', who: 'bob' }, ...steps]
        const { sent, reported, replay } = await recordAndReplay(begun, { seed, latencyMs })
        expect(shown(replay.connections)).toEqual(sent)
        expect(byConnection(replay.telemetry)).toEqual(reported)
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
