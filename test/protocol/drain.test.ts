import { describe, expect, it } from 'vitest'
import { RuntimeTrunk } from '../../src/runtime/runtime.ts'
import { askingConnection } from '../asking-connection.ts'
import { Stage, type RawClient } from '../stage.ts'
import { ask, byName, heard, v1 } from './cast.ts'
import { waitingHandler } from './waiting-handler.ts'

/** Begins to drain, and notes when that has come to its end. */
function drain(stage: Stage, withinMs?: number): { endedAfter: number | undefined } {
  const begun = stage.clock.now()
  const seen: { endedAfter: number | undefined } = { endedAfter: undefined }
  void stage.runtime.drain(withinMs === undefined ? {} : { withinMs }).then(() => {
    seen.endedAfter = stage.clock.now() - begun
  })
  return seen
}

const restarted = { code: 1012, reason: 'server-closing' }

describe('a runtime that drains', () => {
  it('[GOODBYE-1] takes nobody more, and says goodbye once to everybody that it has', async () => {
    const stage = new Stage()
    const clients = [await stage.member(), await stage.member(), await stage.connect()]
    expect(stage.runtime.ready).toBe(true)
    const seen = drain(stage)
    expect(stage.runtime.ready).toBe(false)
    const late = await stage.connect()
    expect([late.received, late.closed]).toEqual([[], [restarted]])
    await stage.clock.advance(500)
    for (const client of clients) {
      expect(client.of('goodbye')).toMatchObject([{ type: 'goodbye', reason: 'draining' }])
      const after = Number(client.last('goodbye')['reconnectAfter'])
      expect(Number.isInteger(after) && after >= 0 && after <= 100).toBe(true)
      expect(client.closed).toEqual([])
    }
    await stage.clock.advance(30_000)
    expect(clients.map(({ closed }) => closed)).toEqual(clients.map(() => [restarted]))
    expect(clients.map((client) => client.of('goodbye').length)).toEqual([1, 1, 1])
    expect(stage.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
    expect(stage.clock.pending).toBe(0)
    // Three are gone as soon as they may be.
    expect(seen.endedAfter).toBeLessThanOrEqual(1_200)
  })

  it('[GOODBYE-2] answers what is under way, and what comes before the client goes', async () => {
    const desk = waitingHandler()
    const stage = new Stage({ ...byName, handlers: { slow: desk.handle } })
    const ada = await stage.member('main', { token: 'ada' })
    const bob = await stage.member('main', { token: 'bob' })
    await ask(stage, ada, { type: 'slow', id: 1 }, { type: 'message', room: 'main', data: 'behind', id: 2 })
    drain(stage)
    await stage.clock.advance(500)
    expect(ada.last('goodbye')).toBeDefined()
    await ask(stage, bob, { type: 'message', room: 'main', data: 'crossing', id: 1 })
    desk.call(0).finish('done')
    await stage.clock.settle()
    expect(ada.last('reply')).toMatchObject({ data: 'done', id: 1 })
    expect(heard(bob)).toEqual([
      [1, 'crossing'],
      [2, 'behind'],
    ])
    expect([ada, bob].map((client) => client.of('ack').map(({ id }) => id))).toEqual([[2], [1]])
    // What is not done by then is cancelled.
    await ask(stage, ada, { type: 'slow', id: 3 })
    await stage.clock.advance(600)
    expect(desk.call(1).context.signal.aborted).toBe(true)
    expect(ada.closed).toEqual([restarted])
  })

  it('[GOODBYE-2] lets a client go before it is closed, and waits for nobody who has gone', async () => {
    const stage = new Stage()
    const clients = [await stage.member(), await stage.member()]
    const seen = drain(stage)
    await stage.clock.advance(100)
    for (const { socket } of clients) socket.close()
    await stage.clock.advance(100)
    expect(clients.map(({ closed }) => closed)).toMatchObject([[{ code: 1005 }], [{ code: 1005 }]])
    expect(seen.endedAfter).toBeLessThanOrEqual(200)
  })

  it('[GOODBYE-1] closes with 1012 whoever is not yet let in, and whose machine knows of no goodbye', async () => {
    const quiet = new Stage({ authenticate: () => new Promise(() => {}) })
    const waiting = [await quiet.connect(v1), await quiet.connect({ token: 'x' })]
    drain(quiet)
    await quiet.clock.advance(200)
    expect(waiting.map(({ closed, received }) => [closed, received])).toEqual([
      [[restarted], []],
      [[restarted], []],
    ])
    const stage = new Stage({ connection: askingConnection })
    const asked = await stage.connect()
    const seen = drain(stage)
    await stage.clock.advance(200)
    expect([asked.closed, asked.of('goodbye')]).toEqual([[restarted], []])
    expect(seen.endedAfter).toBeLessThanOrEqual(200)
  })

  it('[CLOSED] waits for silent clients no longer than for any others', async () => {
    const stage = new Stage()
    const silent = await stage.member()
    silent.socket.cut({ halfOpen: true })
    const paused = await stage.member()
    paused.socket.pause()
    const seen = drain(stage)
    await stage.clock.advance(6_500)
    expect(seen.endedAfter).toBeLessThanOrEqual(1_100 + 5_000)
    expect(stage.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
  })

  it.each([0, 1, 300])('[GOODBYE-1] closes whoever is still here after withinMs (%i)', async (withinMs) => {
    const stage = new Stage()
    const clients = [await stage.member(), await stage.member()]
    const seen = drain(stage, withinMs)
    await stage.clock.advance(withinMs)
    expect(clients.map(({ closed }) => closed)).toEqual([[restarted], [restarted]])
    expect(seen.endedAfter).toBe(withinMs)
  })

  it('[CLOSED] is closed at once when it is told to close', async () => {
    const stage = new Stage({ drainPerSecond: 1 })
    const clients: RawClient[] = []
    for (let i = 0; i < 10; i++) clients.push(await stage.member())
    const seen = drain(stage)
    await stage.clock.advance(3_000)
    const gone = clients.filter(({ closed }) => closed.length > 0).length
    expect(gone).toBeGreaterThan(0)
    expect(gone).toBeLessThan(10)
    const closed = stage.runtime.close()
    await stage.clock.settle()
    await closed
    expect(clients.map(({ closed: [close] }) => close)).toEqual(clients.map(() => restarted))
    expect(seen.endedAfter).toBe(3_000)
  })

  it('[GOODBYE-1] says goodbye once although it is told to drain twice, and both come to an end', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    const first = drain(stage)
    await stage.clock.advance(50)
    const second = drain(stage, 0)
    await stage.clock.advance(2_000)
    expect(ada.of('goodbye')).toHaveLength(1)
    expect([first.endedAfter, second.endedAfter].every((ms) => ms !== undefined && ms <= 1_200)).toBe(true)
    await stage.runtime.drain()
    await stage.runtime.close()
  })

  it('[CLOSED] ends when there is nobody, and when there was never anybody', async () => {
    const stage = new Stage()
    const seen = drain(stage)
    await stage.clock.settle()
    expect(seen.endedAfter).toBe(0)
    const late = await stage.connect()
    expect(late.closed).toMatchObject([{ code: 1006 }])
    const unused = new RuntimeTrunk({ environment: stage.environment })
    await unused.drain()
    expect(unused.ended).toBe(true)
  })

  it.each([-1, NaN, '5' as unknown as number])('[GOODBYE-1] takes no %s for a time', async (withinMs) => {
    const stage = new Stage()
    const ada = await stage.member()
    await expect(stage.runtime.drain({ withinMs })).rejects.toThrow(RangeError)
    expect(stage.runtime.ready).toBe(true)
    expect(await ask(stage, ada, { type: 'ping' })).toEqual([{ type: 'pong' }])
  })
})
