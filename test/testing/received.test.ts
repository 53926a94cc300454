import { describe, expect, it } from 'vitest'
import { createTestRuntime } from '../../src/testing/index.ts'
import { on } from './played.ts'

const errorOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(String, (error: Error) => error.message)

describe('receives', () => {
  it('finds what has come before, and moves the time on to what comes later, no further', async () => {
    await on(createTestRuntime({ network: { latencyMs: [40, 40] } }), async (test) => {
      const ada = await test.member('main')
      const start = test.clock.now()
      expect(await ada.receives('joined', { room: 'main' })).toBe(ada.last('joined'))
      expect(test.clock.now()).toBe(start)
      ada.send({ type: 'message', room: 'main', data: 1 })
      ada.send({ type: 'message', room: 'main', data: 2 })
      expect(await ada.receives('message', { data: 1 })).toMatchObject({ offset: 1 })
      expect(test.clock.now()).toBe(start + 80)
      expect(ada.of('message').map(({ data }) => data)).toEqual([1, 2])
    })
  })

  it('gives up after the time that it was given, and says what came instead', async () => {
    await on(createTestRuntime(), async (test) => {
      const ada = await test.connect({ device: 'ada' })
      const start = test.clock.now()
      ada.send({ type: 'join', room: 'main', id: 1 })
      const error = await errorOf(ada.receives('joined', { room: 'other' }, { withinMs: 50 }))
      expect(test.clock.now()).toBe(start + 50)
      const [first = '', ...instead] = error.split('\n  ')
      expect(first).toBe('ada did not receive {"type":"joined","room":"other"} within 50 ms, but')
      expect(instead.map((text) => JSON.parse(text) as unknown)).toEqual(ada.received)
      expect(instead.at(-1)).toContain('"room":"main"')
      expect(() => ada.last('pong')).toThrow(`no pong among ${JSON.stringify(ada.received)}`)
    })
  })

  it('says when nothing came at all', async () => {
    await on(createTestRuntime(), async (test) => {
      test.network.device('phone').reach = 'refused'
      const ada = await test.connect({ device: 'phone' })
      expect(await errorOf(ada.receives('welcome'))).toBe(
        'phone did not receive {"type":"welcome"} within 1000 ms, but\n  nothing\nIt was closed with 1006.',
      )
    })
  })

  it('looks for what must be there at least, however deep; lists as they are', async () => {
    await on(createTestRuntime(), async (test) => {
      const ada = await test.member('main')
      const data = { a: { b: 1, c: [{ d: 1, e: 2 }, 3] }, n: null, not: Number.MAX_SAFE_INTEGER }
      ada.send({ type: 'message', room: 'main', data })
      await ada.receives('message')
      const finds = async (data: unknown): Promise<boolean> =>
        ada.receives('message', { data }, { withinMs: 1 }).then(
          () => true,
          () => false,
        )
      const there = [{}, { a: {} }, { a: { b: 1 }, n: null }, { a: { c: [{ d: 1 }, 3] } }, data]
      for (const each of there) expect([each, await finds(each)]).toEqual([each, true])
      const absent = [
        { b: 1 },
        { a: { b: 2 } },
        { a: { c: [{ d: 1 }] } },
        { a: { c: [3, { d: 1 }] } },
        { a: { c: { d: 1 } } },
        { n: {} },
        { n: undefined, z: 0 },
        null,
        '{}',
        { a: { b: { c: 1 } } },
      ]
      for (const each of absent) expect([each, await finds(each)]).toEqual([each, false])
    })
  })

  it('may be waited for by several at once', async () => {
    await on(createTestRuntime({ network: { latencyMs: [20, 60] } }), async (test) => {
      const members = [await test.member('main'), await test.member('main'), await test.member('main')]
      const start = test.clock.now()
      members[0]?.send({ type: 'message', room: 'main', data: 'to all' })
      await Promise.all(members.map((member) => member.receives('message', { data: 'to all' })))
      expect(test.clock.now()).toBeGreaterThan(start)
      expect(test.clock.now()).toBeLessThanOrEqual(start + 120)
    })
  })
})
