import { describe, expect, it } from 'vitest'
import { defineHandler } from 'greenroom'
import { encodeBinary } from '../../src/protocol/index.ts'
import { Stage } from '../stage.ts'
import { unrulyConnection } from '../unruly-connection.ts'
import { ask, byName, claimOf, greet, heard, serverEnds } from './cast.ts'
import { waitingHandler } from './waiting-handler.ts'

const say = (data: unknown): object => ({ type: 'message', room: 'main', data })

describe('what waits behind a handler', () => {
  it('[CALL-2] [BOUND] is at most so many messages; then the socket is read no more, and nothing is lost', async () => {
    const desk = waitingHandler()
    const stage = new Stage({ inboxCount: 10, handlers: { slow: desk.handle } })
    const ends = serverEnds(stage)
    const ada = await stage.member()
    const read = (): number => (ends[0]?.link.received ?? 0) - 1
    await ask(stage, ada, { type: 'slow' }, ...Array.from({ length: 9 }, (_, i) => say(i)))
    expect([ends[0]?.link.inbox?.paused, read()]).toEqual([false, 10])
    await ask(stage, ada, ...Array.from({ length: 91 }, (_, i) => say(9 + i)))
    expect([ends[0]?.link.inbox?.paused, read()]).toEqual([true, 11])
    await ask(stage, ada, { type: 'slow' }, ...Array.from({ length: 100 }, (_, i) => say(100 + i)))
    expect(read()).toBe(11)
    desk.call(0).finish()
    await stage.clock.settle()
    expect(heard(ada).map(([, data]) => data)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect([ends[0]?.link.inbox?.paused, read()]).toEqual([true, 112])
    desk.call(1).finish()
    await stage.clock.settle()
    expect(heard(ada).map(([, data]) => data)).toEqual(Array.from({ length: 200 }, (_, i) => i))
    expect([ends[0]?.link.inbox?.paused, read()]).toEqual([false, 202])
  })

  it('[CALL-2] [BOUND] is at most so many bytes, and one message more', async () => {
    const desk = waitingHandler()
    const stage = new Stage({ inboxBytes: 10_000, handlers: { slow: desk.handle } })
    const ends = serverEnds(stage)
    const ada = await stage.member()
    await ask(stage, ada, { type: 'slow' }, ...Array.from({ length: 30 }, (_, i) => say(`${i}`.padEnd(2_000))))
    // Each is kept as it came and as it was parsed.
    expect(ends[0]?.link.received).toBe(1 + 1 + 3)
    desk.call(0).finish()
    await stage.clock.settle()
    expect(heard(ada).map(([, data]) => Number(data))).toEqual(Array.from({ length: 30 }, (_, i) => i))
  })

  it('[CALL-2] [CALL-5] counts bytes as what they are: a picture does not keep an answer from being read', async () => {
    const stage = new Stage({ handlers: { ask: (_data, { connection }) => connection.request('really') } })
    const ada = await stage.member()
    await ask(stage, ada, { type: 'ask', id: 1 })
    const picture = encodeBinary('{"type":"message","room":"main","id":2}', new Uint8Array(20_000))
    await ask(stage, ada, picture, { type: 'reply', id: ada.last('really')['id'], data: 'yes' })
    expect(ada.last('reply')).toMatchObject({ id: 1, data: 'yes' })
    expect(ada.last('ack')).toMatchObject({ id: 2, offset: 1 })
  })

  it('[CALL-2] [BOUND] counts also where it goes to the machine, and behind handlers that are concurrent', async () => {
    const desk = waitingHandler()
    const stage = new Stage({
      connection: unrulyConnection,
      inboxCount: 4,
      handlerConcurrency: 2,
      handlers: { side: defineHandler({ concurrent: true, handle: desk.handle }) },
    })
    const ends = serverEnds(stage)
    const ada = await stage.connect()
    await ask(stage, ada, { type: 'ready' }, { type: 'side' }, { type: 'side' })
    await ask(stage, ada, ...Array.from({ length: 50 }, (_, data) => ({ type: 'move', data })))
    expect(ends[0]?.link.received).toBe(3 + 4)
    desk.call(1).finish()
    await stage.clock.settle()
    expect(ada.of('moved').map(({ data }) => data)).toEqual(
      Array.from({ length: 50 }, (_, to) => ({ moves: to + 1, to })),
    )
  })

  it('[HEARTBEAT-1] is not the client’s silence: while we do not read, its answer may be waiting', async () => {
    const desk = waitingHandler()
    const slow = defineHandler({ timeoutMs: Infinity, handle: desk.handle })
    const stage = new Stage({ inboxCount: 2, handlers: { slow } })
    const ada = await stage.member()
    await ask(stage, ada, { type: 'slow', id: 1 }, say(1), say(2), say(3))
    await stage.clock.advance(34_000)
    expect(ada.closed).toEqual([])
    desk.call(0).finish()
    await stage.clock.advance(3_600_000)
    expect(heard(ada).map(([, data]) => data)).toEqual([1, 2, 3])
    expect(ada.closed).toEqual([])
    // Once we read again it is: a client that went meanwhile is found out.
    await ask(stage, ada, { type: 'slow' }, say(4), say(5), say(6))
    ada.socket.cut({ halfOpen: true })
    desk.call(1).finish()
    await stage.clock.advance(60_000)
    expect(stage.runtime.census.connections).toBe(0)
  })

  it('[HEARTBEAT-1] excuses nobody for ever: a client behind a handler without end may be gone', async () => {
    const desk = waitingHandler()
    const slow = defineHandler({ timeoutMs: Infinity, handle: desk.handle })
    const stage = new Stage({ inboxCount: 2, handlers: { slow } })
    const ada = await stage.member()
    await ask(stage, ada, { type: 'slow', id: 1 }, say(1), say(2), say(3))
    await stage.clock.advance(100_000)
    expect(ada.closed).toEqual([{ code: 4201, reason: 'heartbeat-lost' }])
    expect(desk.call(0).context.signal.aborted).toBe(true)
  })

  it('[CLOSED] does not keep the connection from its end while the socket is not read', async () => {
    const desk = waitingHandler()
    const stage = new Stage({ ...byName, inboxCount: 2, handlers: { slow: desk.handle } })
    const ends = serverEnds(stage)
    const behind = [{ type: 'slow' }, say(1), say(2), say(3)]
    const forbidden = await stage.member('main', { token: 'ada' })
    const leaver = await stage.member('main', { token: 'bob' })
    const lost = await stage.member('main', { token: 'cyd' })
    const replaced = await stage.member('main', { token: 'dan' })
    const watcher = await stage.member('main', { token: 'eve' })
    for (const client of [forbidden, leaver, lost, replaced]) await ask(stage, client, ...behind)
    expect(ends.map(({ link }) => link.inbox?.paused)).toEqual([true, true, true, true, undefined])
    desk.call(0).context.connection.forbid()
    // Its close frame waits behind what it has sent before.
    leaver.socket.close(1000)
    lost.socket.cut()
    await greet(stage, { token: 'dan', resume: claimOf(replaced) })
    expect(forbidden.closed).toEqual([{ code: 4003, reason: 'forbidden' }])
    expect(lost.closed).toMatchObject([{ code: 1006 }])
    expect(replaced.closed).toEqual([{ code: 4009, reason: 'replaced' }])
    expect(leaver.closed).toEqual([])
    expect(desk.calls.map(({ context }) => context.signal.aborted)).toEqual([true, false, true, true])
    // Left are the watcher, the one that replaced another, and the one that has yet to be read to its end.
    expect(stage.runtime.census.connections).toBe(3)
    desk.call(1).finish()
    await stage.clock.settle()
    expect(leaver.closed).toMatchObject([{ code: 1000 }])
    expect(heard(watcher).map(([, data]) => data)).toEqual([1, 2, 3])
    expect(ends.every(({ link }) => link.inbox?.paused !== true)).toBe(true)
  })

  it('[CALL-3] ends by its time when the handler waits for an answer that stands behind too much', async () => {
    const stage = new Stage({
      inboxCount: 3,
      handlers: { ask: (_data, { connection }) => connection.request('name', undefined, { timeoutMs: 1_000 }) },
    })
    const ada = await stage.member()
    await ask(stage, ada, { type: 'ask', id: 1 }, say(1), say(2), say(3), { type: 'reply', id: 1, data: 'Ada' }, say(4))
    await stage.clock.advance(1_000)
    expect(ada.last('error')).toMatchObject({ code: 'timeout', id: 1 })
    expect(heard(ada).map(([, data]) => data)).toEqual([1, 2, 3, 4])
  })
})
