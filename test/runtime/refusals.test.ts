import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { AuthenticationError, type RefusalCounts, type RefusedFor, type TelemetryEvent } from '../../src/index.ts'
import { Refusals } from '../../src/runtime/refusals.ts'
import { createVirtualEnvironment } from '../../src/testing/index.ts'
import { ask, byName, greet } from '../protocol/cast.ts'
import { Stage } from '../stage.ts'

function refusalsOn() {
  const { clock } = createVirtualEnvironment()
  const told: TelemetryEvent[] = []
  /** When each was told. */
  const times: [type: string, at: number][] = []
  const tell = (event: TelemetryEvent): void => {
    told.push(event)
    times.push([event.type, clock.now()])
  }
  return { clock, told, times, refusals: new Refusals(clock, tell) }
}

const busy = { type: 'connection.refused', reason: 'total' } as const
const tooFast = { type: 'request.refused', reason: 'rate-limited' } as const

describe('refusals', () => {
  it('are reported at once, and what follows within a second together at its end', async () => {
    const { clock, told, refusals } = refusalsOn()
    for (let i = 0; i < 1_000; i++) refusals.note(busy)
    refusals.note(tooFast)
    expect(told).toEqual([
      { ...busy, count: 1 },
      { ...tooFast, count: 1 },
    ])
    await clock.advance(1_000)
    expect(told.slice(2)).toEqual([{ ...busy, count: 999 }])
    await clock.advance(10_000)
    refusals.note(busy)
    expect(told.slice(3)).toEqual([{ ...busy, count: 1 }])
    refusals.close()
  })

  it('are reported once a second for a reason, whatever happens for another', async () => {
    const { clock, times, refusals } = refusalsOn()
    const start = clock.now()
    for (const refusal of [busy, busy]) refusals.note(refusal)
    await clock.advance(600)
    for (const refusal of [tooFast, tooFast, busy]) refusals.note(refusal)
    await clock.advance(5_000)
    refusals.close()
    expect(times.map(([type, at]) => [type, at - start])).toEqual([
      ['connection.refused', 0],
      ['request.refused', 600],
      ['connection.refused', 1_000],
      ['request.refused', 1_600],
    ])
  })

  it('[CLOSED] are all reported in the end, and leave no timer', () => {
    const step = fc.oneof(fc.constantFrom(busy, tooFast), fc.nat(1_500))
    return fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
        const { clock, told, times, refusals } = refusalsOn()
        for (const each of steps) {
          if (typeof each === 'number') await clock.advance(each)
          else refusals.note(each)
        }
        for (const { type } of [busy, tooFast]) {
          const of = times.flatMap(([other, at]) => (other === type ? [at] : []))
          expect(of.every((at, i) => i === 0 || at - (of[i - 1] as number) >= 1_000)).toBe(true)
        }
        refusals.close()
        expect(clock.pending).toBe(0)
        for (const { type, reason } of [busy, tooFast]) {
          const noted = steps.filter((each) => typeof each === 'object' && each.type === type).length
          const reported = told.flatMap((event) => (event.type === type ? [event.count] : []))
          expect(reported.reduce((sum, count) => sum + count, 0)).toBe(noted)
          const counts = type === 'connection.refused' ? refusals.counts.connections : refusals.counts.requests
          expect((counts as Record<string, number>)[reason] ?? 0).toBe(noted)
        }
        const seconds = steps.reduce<number>((sum, each) => sum + (typeof each === 'number' ? each : 0), 0) / 1_000
        expect(told.length).toBeLessThanOrEqual(2 * (Math.floor(seconds) + 2))
      }),
    )
  })

  it('count what each limit has refused, by reason', async () => {
    const stage = new Stage({
      ...byName,
      authenticate: ({ token = '' }) => {
        if (token === 'banned') throw new AuthenticationError('forbidden')
        if (token === 'bad') throw new Error('Who is this?')
        return { id: token }
      },
      connectionsPerUser: 2,
      roomsPerSession: 1,
      messageBurst: 6,
      messagesPerSecond: 1,
      presenceBytes: 10,
    })
    const [ada] = [await greet(stage, { token: 'ada' }), await greet(stage, { token: 'ada' })]
    for (const token of ['ada', 'banned', 'bad', 'bad']) await stage.connect({ token, protocol: '' })
    await ask(stage, ada, '{', { type: 'join', room: 'one' }, { type: 'join', room: 'two' })
    await ask(
      stage,
      ada,
      { type: 'presence', room: 'one', state: 'much too large' },
      { type: 'message', room: 'two', data: 1 },
    )
    await ask(stage, ada, { type: 'ping' }, { type: 'ping' }, { type: 'ping' })
    expect(stage.runtime.refusals).toEqual({
      connections: { user: 1 },
      authentications: { forbidden: 1, 'not-authenticated': 2 },
      requests: {
        'bad-json': 1,
        'too-many-rooms': 1,
        'presence-too-large': 1,
        'not-a-member': 1,
        'rate-limited': 3,
      },
      resumes: {},
      sessions: {},
    })
    await stage.clock.advance(1_000)
    const told = stage.telemetry.filter(({ type }) => type === 'request.refused')
    expect(told).toContainEqual({ type: 'request.refused', reason: 'rate-limited', count: 2 })
  })

  it('of connections have reasons that an application can name', () => {
    expectTypeOf<keyof RefusalCounts['connections']>().toEqualTypeOf<RefusedFor>()
  })
})
