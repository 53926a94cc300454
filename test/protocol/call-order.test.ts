import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineHandler } from 'greenroom'
import { Stage } from '../stage.ts'
import { unrulyConnection } from '../unruly-connection.ts'
import { lobbyConnection } from '../../examples/lobby/lobby-connection.ts'
import { ask, byName, claimOf, greet, heard } from './cast.ts'
import { waitingHandler } from './waiting-handler.ts'

describe('what follows a request', () => {
  it('[CALL-2] waits for its handler: joins, messages, errors and other requests, in their order', async () => {
    const desk = waitingHandler()
    const stage = new Stage({ ...byName, handlers: { slow: desk.handle, quick: () => 'quick' } })
    const [ada, bob] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'bob' })]
    const before = await ask(
      stage,
      ada,
      { type: 'slow', id: 1 },
      { type: 'message', room: 'main', data: 'behind', id: 2 },
      'not JSON',
      { type: 'quick', id: 3 },
      { type: 'join', room: 'side', id: 4 },
      { type: 'message', room: 'side', data: 'there', id: 5 },
      { type: 'slow', id: 6 },
      { type: 'leave', room: 'side', id: 7 },
    )
    expect([before, heard(bob)]).toEqual([[], []])
    desk.call(0).finish()
    await stage.clock.settle()
    const so = (): unknown[] => ada.received.slice(3).map(({ type, id, code }) => code ?? id ?? type)
    expect(so()).toEqual([1, 'message', 2, 'bad-json', 3, 4, 'message', 5])
    expect(heard(bob)).toEqual([[1, 'behind']])
    desk.call(1).finish()
    await stage.clock.settle()
    expect(so().slice(8)).toEqual([6, 7])
  })

  it('[CALL-2] does not concern other connections of the same user, or of anybody', async () => {
    const desk = waitingHandler()
    const stage = new Stage({ ...byName, handlers: { slow: desk.handle } })
    const [tab, other] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'ada' })]
    await ask(stage, tab, { type: 'slow', id: 1 })
    await ask(stage, other, { type: 'message', room: 'main', data: 'now', id: 1 })
    expect(heard(tab)).toEqual([[1, 'now']])
  })

  it('[CALL-2] overtakes it where it is a ping', async () => {
    const desk = waitingHandler()
    const stage = new Stage({ handlers: { slow: desk.handle } })
    const ada = await stage.connect()
    const overtaking = await ask(stage, ada, { type: 'slow' }, { type: 'slow' }, { type: 'ping', id: 'p' })
    expect(overtaking).toEqual([{ type: 'pong', id: 'p' }])
  })

  it('[CALL-2] overtakes one that is declared concurrent, and that one a slow one is not', async () => {
    const [slow, side] = [waitingHandler(), waitingHandler()]
    const handlers = { slow: slow.handle, side: defineHandler({ concurrent: true, handle: side.handle }) }
    const stage = new Stage({ handlers })
    const ada = await stage.member()
    const say = { type: 'message', room: 'main', data: 'now', id: 3 }
    const ids = async (): Promise<unknown[]> => {
      await stage.clock.settle()
      return ada.received.slice(2).map(({ type, id }) => id ?? type)
    }
    await ask(stage, ada, { type: 'side', id: 1 }, { type: 'side', id: 2 }, say)
    expect(await ids()).toEqual(['message', 3])
    side.call(1).finish()
    side.call(0).finish()
    expect(await ids()).toEqual(['message', 3, 2, 1])
    // Behind an ordered one it waits like everything else.
    await ask(stage, ada, { type: 'slow', id: 4 }, { type: 'side', id: 5 })
    expect([slow.calls.length, side.calls.length]).toEqual([1, 2])
    slow.call(0).finish()
    await stage.clock.settle()
    expect(side.calls).toHaveLength(3)
  })

  it('[CALL-2] waits when as many handlers are at work as may be', async () => {
    const desk = waitingHandler()
    const stage = new Stage({
      handlerConcurrency: 2,
      handlers: { side: defineHandler({ concurrent: true, handle: desk.handle }) },
    })
    const ada = await stage.connect()
    const asked = [1, 2, 3, 4].map((id) => ({ type: 'side', id, data: id }))
    await ask(stage, ada, ...asked, { type: 'quick', id: 5 })
    expect(desk.calls.map(({ data }) => data)).toEqual([1, 2])
    desk.call(1).finish()
    await stage.clock.settle()
    expect(desk.calls.map(({ data }) => data)).toEqual([1, 2, 3])
    desk.call(0).finish()
    desk.call(2).finish()
    await stage.clock.settle()
    expect(desk.calls.map(({ data }) => data)).toEqual([1, 2, 3, 4])
    expect(ada.received.slice(1).map(({ id }) => id)).toEqual([2, 1, 3, 5])
  })

  it.each([0, 1])('[CALL-2] is handled in the end where handlerConcurrency is %i', async (handlerConcurrency) => {
    const stage = new Stage({ handlerConcurrency, handlers: { echo: async (data) => data } })
    const ada = await stage.connect()
    const replies = await ask(stage, ada, ...[1, 2, 3].map((id) => ({ type: 'echo', data: id, id })), { type: 'hello' })
    expect(replies.map(({ type, id }) => id ?? type)).toEqual(['welcome', 1, 2, 3])
  })

  it('[CALL-2] waits where it goes to the machine, which is asked only then', async () => {
    const desk = waitingHandler()
    const stage = new Stage({ connection: unrulyConnection, handlers: { slow: desk.handle } })
    const ada = await stage.connect()
    const behind = [
      { type: 'ready', id: 2 },
      { type: 'move', data: 7, id: 3 },
      { type: 'ready', id: 4 },
    ]
    expect(await ask(stage, ada, { type: 'slow', id: 1 }, ...behind)).toEqual([])
    desk.call(0).finish()
    await stage.clock.settle()
    const answers = ada.received.slice(1).map(({ type, id, code }) => code ?? id ?? type)
    expect(answers).toEqual([1, 'your turn', 2, 'moved', 3, 'not-allowed'])
  })

  it('[CALL-2] [ORDER] comes after what the machine does about a message before it', async () => {
    const desk = waitingHandler()
    const stage = new Stage({ connection: lobbyConnection, handlers: { slow: desk.handle } })
    const ada = await stage.connect()
    await ask(
      stage,
      ada,
      { type: 'slow' },
      { type: 'ready' },
      // The machine has joined the room by now, and publishes before us.
      { type: 'message', room: 'table', data: 'mine', id: 1 },
      { type: 'start' },
      { type: 'move', data: { square: 4 }, id: 2 },
      { type: 'message', room: 'table', data: 'then', id: 3 },
    )
    desk.call(0).finish()
    await stage.clock.settle()
    expect(ada.of('error')).toEqual([])
    expect(heard(ada)).toEqual([
      [1, 'mine'],
      [2, { square: 4, move: 1 }],
      [3, 'then'],
    ])
    expect(ada.of('ack').map(({ id }) => id)).toHaveLength(3)
  })

  it('[CALL-2] waits also where it continues another session', async () => {
    const desk = waitingHandler()
    const stage = new Stage({ handlers: { slow: desk.handle, who: (_, { connection }) => connection.session } })
    const old = await greet(stage)
    old.socket.cut()
    const ada = await stage.connect()
    const fresh = ada.last('welcome')['session']
    const resume = claimOf(old)
    await ask(stage, ada, { type: 'who', id: 1 }, { type: 'slow', id: 2 }, { type: 'hello', resume, id: 3 })
    await ask(stage, ada, { type: 'who', id: 4 })
    desk.call(0).finish()
    await stage.clock.settle()
    expect(ada.received.slice(1).map(({ type, id, data }) => [type, id, data])).toEqual([
      ['reply', 1, fresh],
      ['ack', 2, undefined],
      ['welcome', 3, undefined],
      ['reply', 4, resume.session],
    ])
  })

  it('[CALL-2] is handled in order over any mixture of handlers, messages and durations', async () => {
    const step = fc.record({ kind: fc.constantFrom('slow', 'say', 'move', 'ping'), ms: fc.nat({ max: 3 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.nat({ max: 5 }),
        fc.boolean(),
        async (steps, inboxCount, watched) => {
          const done: unknown[] = []
          const stage: Stage = new Stage({
            connection: unrulyConnection,
            inboxCount,
            ...(watched ? { inspect: () => {} } : {}),
            handlers: {
              slow: async (data) => {
                const { ms, n } = data as { ms: number; n: number }
                await new Promise<void>((resolve) => void stage.clock.setTimeout(resolve, ms))
                done.push(n)
              },
            },
          })
          const ada = await stage.member()
          await ask(stage, ada, { type: 'ready' })
          for (const [n, { kind, ms }] of steps.entries()) {
            const message = {
              slow: { data: { ms, n } },
              say: { type: 'message', room: 'main', data: n },
              move: {},
              ping: {},
            }
            ada.send({ type: kind, ...message[kind as keyof typeof message], id: n })
            if (ms === 0) await stage.clock.advance(1)
          }
          await stage.clock.advance(200)
          const ordered = steps.flatMap(({ kind }, n) => (kind === 'ping' ? [] : [n]))
          expect(ada.of('ack').map(({ id }) => id)).toEqual(ordered)
          expect(ada.of('pong').map(({ id }) => id)).toEqual(
            steps.flatMap(({ kind }, n) => (kind === 'ping' ? [n] : [])),
          )
          expect(done).toEqual(steps.flatMap(({ kind }, n) => (kind === 'slow' ? [n] : [])))
          await stage.close()
        },
      ),
      { numRuns: 60 },
    )
  })
})
