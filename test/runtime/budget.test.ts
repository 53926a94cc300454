import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { History } from '../../src/index.ts'
import { memoryHistory } from '../../src/runtime/room/memory-history.ts'
import type { VirtualClock } from '../../src/testing/index.ts'
import { Stage, type RawClient } from '../stage.ts'
import { ask, byName, claimOf, greet } from '../protocol/cast.ts'

const say = (data: unknown, id?: number): object => ({ type: 'message', room: 'main', data, id })
const show = (state: unknown, id?: number): object => ({ type: 'presence', room: 'main', state, id })

/** Logs in memory that take their time to say so. */
function laggingHistory(clock: () => VirtualClock, ms: number): History {
  const memory = memoryHistory(() => 'epoch')
  return {
    open: async (room, limits) => {
      const log = await memory.open(room, limits)
      const append = log.append.bind(log)
      log.append = (record, request) => {
        const appended = append(record, request)
        return new Promise((resolve) => void clock().setTimeout(() => resolve(appended), ms))
      }
      return log
    },
  }
}

describe('what is held for clients', () => {
  it('[BOUND] comes to nothing when they have gone, whatever they have done', async () => {
    const act = fc.constantFrom('join', 'leave', 'show', 'say', 'ask', 'cut', 'close', 'return', 'wait')
    const step = fc.record({ act, who: fc.nat(2), size: fc.nat(1_500) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), fc.boolean(), async (steps, lags) => {
        const stage: Stage = new Stage({
          ...byName,
          presenceGraceMs: 1_000,
          resumeWindowMs: 5_000,
          roomLingerMs: 1_000,
          handlers: {
            slow: (data) => new Promise((resolve) => void stage.clock.setTimeout(() => resolve(data), 300)),
          },
          ...(lags && { history: laggingHistory(() => stage.clock, 200) }),
        })
        const clients: RawClient[] = []
        for (const token of ['ada', 'bob', 'cyd']) clients.push(await greet(stage, { token }))
        let id = 0
        for (const { act, who, size } of steps) {
          const client = clients[who] as RawClient
          const text = 'x'.repeat(size)
          if (act === 'join') client.send({ type: 'join', room: 'main', presence: text })
          if (act === 'leave') client.send({ type: 'leave', room: 'main' })
          if (act === 'show') client.send(show(text))
          if (act === 'say') client.send(say(text, ++id))
          if (act === 'ask') client.send({ type: 'slow', data: text, id: ++id })
          if (act === 'cut') client.socket.cut()
          if (act === 'close') client.socket.close(1000)
          if (act === 'wait') await stage.clock.advance(size)
          if (act === 'return') {
            const user = String(client.last('welcome')['user'])
            clients[who] = await greet(stage, { token: user, resume: claimOf(client) })
          }
          expect(stage.runtime.heldBytes).toBeGreaterThanOrEqual(0)
        }
        for (const client of clients) client.socket.close(1000)
        await stage.clock.advance(60_000)
        expect(stage.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
        expect(stage.runtime.heldBytes).toBe(0)
        await stage.close()
      }),
      { numRuns: 100 },
    )
  })

  it('[BOUND] is bounded for all together: states are refused, and speaking goes on', async () => {
    const stage = new Stage({ ...byName, heldTotalBytes: 3_000 })
    const [ada, bob] = [await greet(stage, { token: 'ada' }), await greet(stage, { token: 'bob' })]
    const join = { type: 'join', room: 'main', presence: 'x'.repeat(1_600) }
    await ask(stage, ada, join)
    await ask(stage, bob, join)
    expect(stage.runtime.heldBytes).toBe(2 * 1_602)
    expect(await ask(stage, ada, show('y', 1))).toMatchObject([{ code: 'overloaded', id: 1, room: 'main' }])
    expect(await ask(stage, ada, say('still', 2))).toMatchObject([{ type: 'message' }, { type: 'ack', id: 2 }])
    const cyd = await greet(stage, { token: 'cyd' })
    expect(await ask(stage, cyd, { ...join, id: 3 })).toMatchObject([{ code: 'overloaded', id: 3 }])
    await ask(stage, bob, { type: 'leave', room: 'main' })
    await ask(stage, ada, show('y', 4))
    expect(stage.runtime.heldBytes).toBe(3)
    expect(ada.last('ack')).toMatchObject({ id: 4 })
  })

  it('[BOUND] [CALL-4] when it is too much replies are not remembered, and are given all the same', async () => {
    let calls = 0
    const stage = new Stage({ heldTotalBytes: 500, handlers: { big: () => `${++calls}`.padEnd(400) } })
    const ada = await stage.connect()
    for (const id of [1, 2, 1]) await ask(stage, ada, { type: 'big', id })
    expect(ada.of('reply').map(({ data }) => Number(data))).toEqual([1, 2, 3])
    expect(stage.runtime.heldBytes).toBeLessThanOrEqual(500)
  })

  it('[BOUND] [CALL-2] when it is too much nobody is read whose messages wait', async () => {
    const stage: Stage = new Stage({
      heldTotalBytes: 2_000,
      handlers: { slow: () => new Promise((resolve) => void stage.clock.setTimeout(() => resolve(1), 1_000)) },
    })
    const ada = await stage.member()
    await ask(stage, ada, { type: 'slow' }, ...Array.from({ length: 20 }, (_, i) => say(`${i}`.padEnd(400), i)))
    expect(stage.runtime.heldBytes).toBeLessThan(2 * 2_000)
    await stage.clock.advance(2_000)
    expect(ada.of('ack').map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(stage.runtime.heldBytes).toBe(0)
  })
})
