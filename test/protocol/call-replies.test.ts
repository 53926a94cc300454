import { describe, expect, it } from 'vitest'
import { defineHandler, RequestError } from 'greenroom'
import { Stage } from '../stage.ts'
import { ask, byName, claimOf, greet } from './cast.ts'
import { waitingHandler } from './waiting-handler.ts'

/** A handler that counts how often it is called, and says so. */
function counting(): { readonly count: () => number; readonly handle: () => { times: number } } {
  let times = 0
  return { count: () => times, handle: () => ({ times: ++times }) }
}

describe('a request that is asked again under the same id', () => {
  it('[CALL-4] is given the reply that it had, and not done again', async () => {
    const counter = counting()
    let acked = 0
    let refused = 0
    const stage = new Stage({
      handlers: {
        count: counter.handle,
        note: () => void acked++,
        refuse: () => {
          refused++
          throw new RequestError('no', 'Not you.')
        },
      },
    })
    const ada = await stage.connect()
    for (const [type, id] of [
      ['count', 1],
      ['note', 2],
      ['refuse', 'x'],
    ] as const) {
      const [first] = await ask(stage, ada, { type, id })
      expect(await ask(stage, ada, { type, id }, { type, id, data: 'other' })).toEqual([first, first])
    }
    expect([counter.count(), acked, refused]).toEqual([1, 1, 1])
    expect(await ask(stage, ada, { type: 'count', id: '1' })).toEqual([{ type: 'reply', data: { times: 2 }, id: '1' }])
  })

  it('[CALL-4] is known on another connection of the session, and in no other session', async () => {
    const counter = counting()
    const stage = new Stage({ ...byName, handlers: { count: counter.handle } })
    const ada = await greet(stage, { token: 'ada' })
    const [first] = await ask(stage, ada, { type: 'count', id: 1 })
    ada.socket.cut()
    await stage.clock.advance(30_000)
    const back = await greet(stage, { token: 'ada', resume: claimOf(ada) })
    expect(back.last('welcome')).toMatchObject({ resumed: true })
    expect(await ask(stage, back, { type: 'count', id: 1 })).toEqual([first])
    const other = await greet(stage, { token: 'ada' })
    expect(await ask(stage, other, { type: 'count', id: 1 })).toEqual([{ type: 'reply', data: { times: 2 }, id: 1 }])
  })

  it('[CALL-4] while it is under way is done once, and each asking is answered', async () => {
    const desk = waitingHandler()
    const stage = new Stage({
      handlers: { slow: defineHandler({ concurrent: true, handle: desk.handle }), ordered: desk.handle },
    })
    const ada = await stage.connect()
    expect(await ask(stage, ada, { type: 'slow', id: 1 }, { type: 'slow', id: 1 }, { type: 'slow', id: 2 })).toEqual([])
    expect(desk.calls).toHaveLength(2)
    desk.call(0).finish('one')
    await stage.clock.settle()
    expect(ada.of('reply')).toEqual([
      { type: 'reply', data: 'one', id: 1 },
      { type: 'reply', data: 'one', id: 1 },
    ])
    await ask(stage, ada, { type: 'slow', id: 2 })
    desk.call(1).fail(new Error('broken'))
    await stage.clock.settle()
    expect(ada.of('error')).toMatchObject([{ id: 2 }, { id: 2 }])
    await ask(stage, ada, { type: 'ordered', id: 3 }, { type: 'ordered', id: 3 })
    desk.call(2).finish('three')
    await stage.clock.settle()
    expect(ada.of('reply').slice(2)).toMatchObject([{ data: 'three' }, { data: 'three' }])
    expect(desk.calls).toHaveLength(3)
  })

  it('[CALL-4] after its connection was lost before the reply is done anew, and answered once', async () => {
    const desk = waitingHandler()
    const stage = new Stage({ handlers: { slow: desk.handle } })
    const ada = await greet(stage)
    await ask(stage, ada, { type: 'slow', data: 'first', id: 1 })
    ada.socket.cut()
    const back = await greet(stage, { resume: claimOf(ada) })
    await ask(stage, back, { type: 'slow', data: 'second', id: 1 })
    desk.call(0).finish('the answer to a connection that is gone')
    await stage.clock.settle()
    expect(back.of('reply')).toEqual([])
    desk.call(1).finish('done')
    await stage.clock.settle()
    expect(await ask(stage, back, { type: 'slow', id: 1 })).toEqual([{ type: 'reply', data: 'done', id: 1 }])
    expect(back.of('reply')).toHaveLength(2)
    expect(desk.calls.map(({ context }) => context.signal.aborted)).toEqual([true, false])
  })

  it('[CALL-4] is done again when it failed on the server or took too long', async () => {
    let attempts = 0
    const stage = new Stage({
      handlerTimeoutMs: 100,
      handlers: {
        flaky: () => {
          attempts++
          if (attempts === 1) throw new Error('broken')
          return attempts === 2 ? new Promise(() => {}) : attempts
        },
      },
    })
    const ada = await stage.connect()
    expect(await ask(stage, ada, { type: 'flaky', id: 1 })).toMatchObject([{ code: 'internal', id: 1 }])
    await ask(stage, ada, { type: 'flaky', id: 1 })
    await stage.clock.advance(100)
    expect(ada.last('error')).toMatchObject({ code: 'timeout', id: 1 })
    expect(await ask(stage, ada, { type: 'flaky', id: 1 })).toEqual([{ type: 'reply', data: 3, id: 1 }])
  })
})

describe('the replies that are remembered', () => {
  it('[BOUND] are as many as the limit says; the oldest are forgotten first', async () => {
    const counter = counting()
    const stage = new Stage({ replyCacheCount: 3, handlers: { count: counter.handle } })
    const ada = await stage.connect()
    for (let id = 1; id <= 4; id++) await ask(stage, ada, { type: 'count', id })
    for (const id of [2, 3, 4]) await ask(stage, ada, { type: 'count', id })
    expect(counter.count()).toBe(4)
    await ask(stage, ada, { type: 'count', id: 1 })
    expect(counter.count()).toBe(5)
  })

  it('[BOUND] take as many bytes as the limit says; one that is larger displaces no other', async () => {
    let calls = 0
    const stage = new Stage({
      replyCacheBytes: 1_000,
      handlers: { fill: (size) => (calls++, 'x'.repeat(Number(size))) },
    })
    const ada = await stage.connect()
    const fill = (data: number, id: number) => ask(stage, ada, { type: 'fill', data, id })
    await fill(400, 1)
    await fill(400, 2)
    await fill(2_000, 3)
    await fill(400, 1)
    await fill(400, 2)
    expect(calls).toBe(3)
    await fill(400, 4)
    await fill(400, 2)
    expect(calls).toBe(4)
    await fill(400, 1)
    expect(calls).toBe(5)
    // One that was not kept is done each time, and does not leave an older reply to be given in its place.
    await fill(2_000, 3)
    expect(calls).toBe(6)
    expect(String(ada.last('reply')['data'])).toHaveLength(2_000)
  })

  it('[BOUND] may be none', async () => {
    const counter = counting()
    const stage = new Stage({ replyCacheCount: 0, handlers: { count: counter.handle } })
    const ada = await stage.connect()
    await ask(stage, ada, { type: 'count', id: 1 }, { type: 'count', id: 1 })
    expect(ada.of('reply').map(({ data }) => data)).toEqual([{ times: 1 }, { times: 2 }])
  })
})
