import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AnyActorRef, InspectionEvent } from 'xstate'
import { Stage, type RawClient } from '../stage.ts'

const room = fc.constantFrom('a', 'b')

const message = fc.oneof(
  fc.record({ type: fc.constant('join'), room, id: fc.nat(9) }),
  fc.record({ type: fc.constant('leave'), room, id: fc.nat(9) }),
  fc.record({ type: fc.constant('message'), room, data: fc.jsonValue({ maxDepth: 1 }), id: fc.nat(9) }),
  fc.record({ type: fc.constant('typing'), room, typing: fc.boolean() }),
  fc.record({ type: fc.constant('presence'), room, state: fc.nat(9) }),
  fc.record({ type: fc.constant('history'), room, id: fc.nat(9) }),
  fc.record({ type: fc.constant('ping'), id: fc.nat(9) }),
  fc.record({ type: fc.constant('nonsense') }),
)

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('send' as const), who: fc.nat(2), message }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 100, 3_000, 16_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'close' as const), who: fc.nat(2) }) },
)

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** Plays a script and gives all that three clients received, and all that was reported. */
async function play(steps: readonly Step[], watched: boolean): Promise<unknown> {
  const stage = new Stage(watched ? { inspect: () => {} } : {})
  const clients: RawClient[] = []
  for (let i = 0; i < 3; i++) clients.push(await stage.member('a'))
  for (const { do: what, ...rest } of steps) {
    if (what === 'wait') await stage.clock.advance((rest as { ms: number }).ms)
    const client = clients[(rest as { who?: number }).who ?? -1]
    if (what === 'send') client?.send((rest as { message: object }).message)
    if (what === 'cut') client?.socket.cut()
    if (what === 'close') client?.socket.close(1000)
  }
  await stage.clock.advance(20_000)
  await stage.close()
  return { received: clients.map(({ received, closed }) => ({ received, closed })), telemetry: stage.telemetry }
}

describe('a watched system', () => {
  it('behaves as one that nobody watches: fast lanes change nothing but the time it takes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        expect(await play(steps, true)).toEqual(await play(steps, false))
      }),
      { numRuns: 60 },
    )
  })

  it('shows every actor, every event and every step', async () => {
    const events: InspectionEvent[] = []
    const stage = new Stage({ inspect: (event) => events.push(event) })
    const ada = await stage.member('main')
    ada.send({ type: 'message', room: 'main', data: 'hi' })
    ada.send({ type: 'typing', room: 'main', typing: true })
    await stage.clock.settle()
    const ids = events.flatMap((event) => (event.type === '@xstate.actor' ? [(event.actorRef as AnyActorRef).id] : []))
    expect(ids.map((id) => id.replace(/:.*/, ''))).toEqual(
      expect.arrayContaining(['supervisor', 'connection', 'heartbeat', 'session', 'room']),
    )
    const actions = events.flatMap((event) => (event.type === '@xstate.action' ? [event.action.type] : []))
    expect(actions).toEqual(expect.arrayContaining(['admit', 'handleMessage', 'deliver', 'publish', 'announceTyping']))
    // Whoever looks at it may write it down: no secrets, no cycles.
    const written = events.map((event) => JSON.stringify('snapshot' in event ? event.snapshot : event.type)).join('')
    expect(written).not.toContain(String(ada.last('welcome')['secret']))
  })

  it('is watched from when somebody asks until they have seen enough', async () => {
    const stage = new Stage()
    const ada = await stage.member('main')
    const actions: string[] = []
    const say = async (): Promise<void> => {
      ada.send({ type: 'message', room: 'main', data: 'hi' })
      await stage.clock.settle()
    }
    await say()
    const end = stage.runtime.inspect((event) => {
      if (event.type === '@xstate.action') actions.push(event.action.type)
    })
    await say()
    expect(actions).toEqual(['handleMessage', 'deliver', 'publish'])
    end()
    end()
    await say()
    expect(actions).toHaveLength(3)
    expect(ada.of('message')).toHaveLength(3)
  })

  it('[ISOLATE] goes on when its observer throws', async () => {
    const stage = new Stage({
      inspect: () => {
        throw new Error('observer')
      },
    })
    const ada = await stage.member('main')
    ada.send({ type: 'message', room: 'main', data: 'hi' })
    await stage.clock.settle()
    expect(ada.last('message')).toMatchObject({ data: 'hi' })
    expect(stage.telemetry).toContainEqual(expect.objectContaining({ type: 'callback.threw', callback: 'inspect' }))
  })
})
