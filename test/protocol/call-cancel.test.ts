import { describe, expect, it } from 'vitest'
import { defineHandler } from 'greenroom'
import { Stage, type RawClient } from '../stage.ts'
import { unrulyConnection } from '../unruly-connection.ts'
import { ask, byName, claimOf, greet, heard } from './cast.ts'
import { waitingHandler } from './waiting-handler.ts'

describe('a handler', () => {
  it('[CALL-3] that takes too long is cancelled and its request answered timeout; then its result has no effect', async () => {
    const desk = waitingHandler()
    const stage = new Stage({ handlerTimeoutMs: 1_000, handlers: { slow: desk.handle } })
    const ada = await stage.member()
    await ask(stage, ada, { type: 'slow', id: 1 }, { type: 'message', room: 'main', data: 'behind' })
    await stage.clock.advance(999)
    expect([ada.received.length, desk.call(0).context.signal.aborted]).toEqual([2, false])
    await stage.clock.advance(1)
    expect(desk.call(0).context.signal.aborted).toBe(true)
    expect(ada.received.slice(2)).toMatchObject([{ type: 'error', code: 'timeout', id: 1 }, { type: 'message' }])
    desk.call(0).finish('too late')
    await stage.clock.settle()
    expect(ada.received).toHaveLength(4)
    // It was not remembered either.
    await ask(stage, ada, { type: 'slow', id: 1 })
    desk.call(1).finish('in time')
    await stage.clock.settle()
    expect(ada.last('reply')).toEqual({ type: 'reply', data: 'in time', id: 1 })
  })

  it('[CALL-3] may have a time of its own, and need not have one at all', async () => {
    const desk = waitingHandler()
    const timed = (timeoutMs: number) => defineHandler({ concurrent: true, timeoutMs, handle: desk.handle })
    const stage = new Stage({ handlers: { none: timed(0), short: timed(10), endless: timed(Infinity) } })
    const ada = await stage.connect()
    await ask(stage, ada, { type: 'none', id: 0 }, { type: 'short', id: 1 }, { type: 'endless', id: 2 })
    await stage.clock.advance(10)
    expect(ada.of('error')).toMatchObject([
      { code: 'timeout', id: 0 },
      { code: 'timeout', id: 1 },
    ])
    await stage.clock.advance(86_400_000)
    desk.call(2).finish('at last')
    await stage.clock.settle()
    expect(ada.last('reply')).toEqual({ type: 'reply', data: 'at last', id: 2 })
  })
})

const endings: Record<string, (stage: Stage, client: RawClient) => unknown> = {
  'whose client leaves': (_, { socket }) => socket.close(1000),
  'whose client is cut off': (_, { socket }) => socket.cut(),
  'whose client falls silent': (stage, { socket }) => {
    socket.cut({ halfOpen: true })
    return stage.clock.advance(60_000)
  },
  'whose client is forbidden': (stage) => {
    for (const connection of stage.runtime.connections) connection.forbid()
  },
  'whose credentials run out': (stage) => stage.clock.advance(300_000),
  'whose machine crashes': (_, client) => client.send({ type: 'throw' }),
  'whose server closes': (stage) => void stage.runtime.close(),
  'whose server drains': (stage) => {
    void stage.runtime.drain()
    return stage.clock.advance(2_000)
  },
  '[FENCE] whose session a newer connection takes over': (stage, client) =>
    greet(stage, { token: 'ada', resume: claimOf(client) }),
}

describe('a connection', () => {
  it.each(Object.entries(endings))(
    '[CALL-3] %s: its handlers are cancelled, and nothing that they do has effect',
    async (ending, end) => {
      const desk = waitingHandler()
      const side = waitingHandler()
      const stage: Stage = new Stage({
        authenticate: ({ token = '' }) => ({ user: { id: token }, expiresAt: stage.clock.now() + 200_000 }),
        handlerTimeoutMs: Infinity,
        // One that can be told to crash, and otherwise the one that knows of credentials that run out.
        ...(ending.includes('crashes') ? { connection: unrulyConnection } : {}),
        handlers: { slow: desk.handle, side: defineHandler({ concurrent: true, handle: side.handle }) },
      })
      const ada = await stage.member('main', { token: 'ada' })
      await ask(stage, ada, { type: 'side', id: 1 })
      // A machine's own messages would wait behind it.
      if (!ending.includes('crashes')) await ask(stage, ada, { type: 'slow', id: 2 }, { type: 'side', id: 3 })
      let aborts = 0
      const calls = [...desk.calls, ...side.calls]
      for (const { context } of calls) context.signal.addEventListener('abort', () => aborts++)
      await end(stage, ada)
      await stage.clock.settle()
      expect(aborts).toBe(calls.length)
      const before = ada.received.length
      const later = ada.socket.readyState === 3 ? [] : await ask(stage, ada, { type: 'side', id: 4 })
      for (const { context, finish } of calls) {
        context.connection.send('after', 'the end')
        context.connection.forbid()
        await expect(context.connection.request('name')).rejects.toMatchObject({ code: 'closed' })
        finish('too late')
      }
      await stage.clock.advance(10_000)
      expect([later, ada.received.slice(before)]).toEqual([[], []])
      expect(side.calls).toHaveLength(1)
      expect(stage.runtime.connections.map(({ user }) => user.id)).toEqual(ending.startsWith('[FENCE]') ? ['ada'] : [])
    },
  )

  it('[CALL-3] that ends takes with it what waits behind a handler', async () => {
    const desk = waitingHandler()
    const stage = new Stage({ ...byName, handlers: { slow: desk.handle } })
    const [ada, bob] = [await greet(stage, { token: 'ada' }), await stage.member('main', { token: 'bob' })]
    await ask(stage, ada, { type: 'join', room: 'main' }, { type: 'slow', id: 1 })
    const said = { type: 'message', room: 'main', data: 'once', id: 2 }
    await ask(stage, ada, said)
    const back = await greet(stage, { token: 'ada', resume: claimOf(ada) })
    desk.call(0).finish()
    await stage.clock.settle()
    expect(heard(bob)).toEqual([])
    // It was not acknowledged, so its client sends it again.
    await ask(stage, back, said)
    expect(heard(bob)).toEqual([[1, 'once']])
  })

  it('[CALL-3] whose handler throws on being cancelled has ended all the same', async () => {
    const stage = new Stage({
      handlers: {
        slow: (_data, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason ?? new Error('cancelled')))
          }),
      },
    })
    const ada = await stage.connect()
    await ask(stage, ada, { type: 'slow', id: 1 })
    ada.socket.close(1000)
    await stage.clock.settle()
    expect(stage.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
    expect(stage.telemetry.filter(({ type }) => type === 'callback.threw' || type === 'actor.crashed')).toEqual([])
  })
})
