import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenBucket } from '../../src/runtime/connection/token-bucket.ts'
import { Stage } from '../stage.ts'
import { ask, byName, claimOf, heard, serverEnds } from './cast.ts'

const say = (data: unknown, id?: number): object => ({ type: 'message', room: 'main', data, id })
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

describe('what a client sends', () => {
  it('[RATE-1] beyond its rate is answered with the time to wait, is not kept, and is taken after it', async () => {
    const stage = new Stage({ messagesPerSecond: 10, messageBurst: 5 })
    const bob = await stage.member()
    const ada = await stage.member()
    await stage.clock.advance(1_000)
    const replies = await ask(stage, ada, ...times(7, (i) => say(i, i)))
    const refused = replies.filter(({ type }) => type === 'error')
    expect(refused).toMatchObject([5, 6].map((id) => ({ code: 'rate-limited', id, room: 'main', retryAfterMs: 100 })))
    expect(heard(bob)).toEqual(times(5, (i) => [i + 1, i]))
    await stage.clock.advance(99)
    expect(await ask(stage, ada, say(5, 5))).toMatchObject([{ code: 'rate-limited', retryAfterMs: 1 }])
    await stage.clock.advance(1)
    expect(await ask(stage, ada, say(5, 5))).toMatchObject([
      { type: 'message', offset: 6 },
      { type: 'ack', id: 5 },
    ])
    expect(ada.closed).toEqual([])
  })

  it('[RATE-1] is counted by its bytes as well, in UTF-8, and a frame that is taken at all fits once', async () => {
    const stage = new Stage({ bytesPerSecond: 1_000, bytesBurst: 1, frameBytes: 10_000 })
    const ada = await stage.member()
    await stage.clock.advance(10_000)
    const small = await ask(stage, ada, say('€'.repeat(3_000), 1), say('€'.repeat(1_000), 2))
    expect(small.map(({ type, id }) => [type, id])).toEqual([
      ['message', undefined],
      ['ack', 1],
      ['error', 2],
    ])
    expect(small[2]).toMatchObject({ code: 'rate-limited', retryAfterMs: expect.any(Number) })
    await stage.clock.advance((small[2] as unknown as { retryAfterMs: number }).retryAfterMs)
    expect(await ask(stage, ada, say('€'.repeat(1_000), 2))).toMatchObject([{ type: 'message' }, { type: 'ack' }])
  })

  it('[RATE-3] is counted when it is a ping or a pong, too: a flood of them is closed with 4229', async () => {
    for (const kind of ['ping', 'pong'] as const) {
      const stage = new Stage({ messagesPerSecond: 10, messageBurst: 20, refusalBurst: 5 })
      const ends = serverEnds(stage)
      const [ada, bob] = [await stage.member(), await stage.member()]
      for (let i = 0; i < 19; i++) ends[0]?.link[kind]()
      await stage.clock.settle()
      expect(ada.closed).toEqual([])
      for (let i = 0; i < 30; i++) ends[0]?.link[kind]()
      await stage.clock.settle()
      expect([ada.closed, bob.closed]).toMatchObject([[{ code: 4229, reason: 'rate-limited' }], []])
    }
  })

  it('[RATE-1] is limited for whoever sends too much, and for nobody else', async () => {
    const stage = new Stage({ ...byName, messagesPerSecond: 10, messageBurst: 20 })
    const loud = await stage.member('main', { token: 'loud' })
    const quiet = await stage.member('main', { token: 'quiet' })
    await ask(stage, loud, ...times(60, (i) => say(i, i)))
    const replies = await ask(stage, quiet, say('still heard', 1))
    expect(replies.at(-1)).toMatchObject({ type: 'ack', id: 1 })
    expect(quiet.of('error')).toEqual([])
  })

  it('[RATE-1] and is one too many as an answer to the server, fails the request that it was the answer to', async () => {
    const stage = new Stage({ messagesPerSecond: 1, messageBurst: 1 })
    const ada = await stage.connect()
    await ask(stage, ada, { type: 'ping' })
    const [connection] = stage.runtime.connections
    const asked = connection?.request('confirm')
    const failed = expect(asked).rejects.toMatchObject({ code: 'rate-limited' })
    await stage.clock.settle()
    await ask(stage, ada, { type: 'reply', id: ada.last('confirm')['id'], data: true })
    await failed
  })

  it('[RATE-2] is counted for all connections of a user together', async () => {
    const stage = new Stage({ ...byName, userMessagesPerSecond: 1, userMessageBurst: 10 })
    const tabs = await Promise.all(times(4, () => stage.connect({ token: 'ada' })))
    const bob = await stage.connect({ token: 'bob' })
    const answers = await Promise.all(tabs.map((tab) => ask(stage, tab, ...times(4, (id) => ({ type: 'ping', id })))))
    expect(answers.flat().filter(({ type }) => type === 'pong')).toHaveLength(10)
    expect(answers.flat().filter(({ code }) => code === 'rate-limited')).toHaveLength(6)
    expect(await ask(stage, bob, { type: 'ping' })).toEqual([{ type: 'pong' }])
  })

  it('[RATE-3] too fast and goes on doing so is closed with 4229, and its session waits', async () => {
    const stage = new Stage({ ...byName, messagesPerSecond: 10, messageBurst: 10, refusalBurst: 5 })
    const ada = await stage.connect({ token: 'ada' })
    const pings = times(16, (id) => ({ type: 'ping', id }))
    expect((await ask(stage, ada, ...pings.slice(0, 15))).map(({ type }) => type)).toEqual([
      ...times(10, () => 'pong'),
      ...times(5, () => 'error'),
    ])
    expect(ada.closed).toEqual([])
    await ask(stage, ada, ...pings)
    expect(ada.closed).toEqual([{ code: 4229, reason: 'rate-limited' }])
    const back = await stage.connect({ protocol: 'greenroom.v1' })
    await ask(stage, back, { type: 'hello', token: 'ada', resume: claimOf(ada) })
    expect(back.last('welcome')).toMatchObject({ resumed: true })
  })

  it('[RATE-4] unreadable too often in a row is closed with 4213; one that is readable begins anew', async () => {
    const stage = new Stage({ malformedCount: 3 })
    const ada = await stage.connect()
    for (let i = 0; i < 5; i++) await ask(stage, ada, '{', '[]', '{"type":"none"}', { type: 'ping' })
    expect(ada.closed).toEqual([])
    await ask(stage, ada, '{', '[]', { type: 'join', room: '' })
    expect(ada.closed).toEqual([])
    await ask(stage, ada, '{')
    expect(ada.closed).toEqual([{ code: 4213, reason: 'limit-reached' }])
  })

  it('[RATE-4] unreadable is no less in a row for the pings and pongs of WebSocket between', async () => {
    const stage = new Stage({ malformedCount: 3 })
    const ends = serverEnds(stage)
    const ada = await stage.connect()
    for (const frame of ['{', '[]', '{', '[]']) {
      expect(ada.closed).toEqual([])
      await ask(stage, ada, frame)
      ends[0]?.link.ping()
      ends[0]?.link.pong()
      await stage.clock.settle()
    }
    expect(ada.closed).toEqual([{ code: 4213, reason: 'limit-reached' }])
  })
})

describe('the connections of a user', () => {
  it('[RATE-5] are counted: one more is closed with 4213, and let in when another has gone', async () => {
    const stage = new Stage({ ...byName, connectionsPerUser: 2 })
    const [first, second] = [await stage.connect({ token: 'ada' }), await stage.connect({ token: 'ada' })]
    const third = await stage.connect({ token: 'ada' })
    await stage.clock.settle()
    expect(third.closed).toEqual([{ code: 4213, reason: 'limit-reached' }])
    expect((await stage.connect({ token: 'bob' })).closed).toEqual([])
    first.socket.close(1000)
    await stage.clock.settle()
    const fourth = await stage.connect({ token: 'ada' })
    await stage.clock.settle()
    expect([second.closed, fourth.closed]).toEqual([[], []])
    expect(fourth.of('welcome')).toHaveLength(1)
  })

  it('[RATE-5] are not too many for one that resumes a session, whose old socket stands half open', async () => {
    const stage = new Stage({ ...byName, connectionsPerUser: 1 })
    const ada = await stage.connect({ token: 'ada' })
    const back = await stage.connect({ protocol: 'greenroom.v1' })
    await ask(stage, back, { type: 'hello', token: 'ada', resume: claimOf(ada) })
    expect(back.last('welcome')).toMatchObject({ resumed: true })
    expect(ada.closed).toMatchObject([{ code: 4009 }])
  })

  it('[RATE-5] leave nothing behind, however they end', async () => {
    const waiting: (() => void)[] = []
    const stage = new Stage({
      connectionsPerUser: 1,
      authenticate: ({ token = '' }) =>
        token === 'slow' ? new Promise((resolve) => waiting.push(() => resolve({ id: 'ada' }))) : { id: 'ada' },
    })
    for (let i = 0; i < 3; i++) {
      const slow = await stage.connect({ token: 'slow' })
      slow.socket.close()
      await stage.clock.settle()
      for (const resolve of waiting.splice(0)) resolve()
      await stage.clock.settle()
      const ada = await stage.connect({ token: 'fast' })
      expect(ada.of('welcome')).toHaveLength(1)
      ada.socket.close()
      await stage.clock.settle()
    }
  })
})

describe('a token bucket', () => {
  it('never gives more than its burst and what has flowed in, and keeps its word on how long to wait', () => {
    const step = fc.record({ wait: fc.integer({ min: -50, max: 2_000 }), count: fc.integer({ min: 1, max: 12 }) })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(step),
        (rate, burst, steps) => {
          const bucket = new TokenBucket(rate, burst, 0)
          let [now, flowed, taken] = [0, 0, 0]
          for (const { wait, count } of steps) {
            now += wait
            flowed += Math.max(0, wait)
            if (bucket.take(now, count)) {
              taken += count
              expect(taken).toBeLessThanOrEqual(burst + (flowed * rate) / 1_000 + 1e-6)
              continue
            }
            const waitMs = bucket.retryAfterMs(now, count)
            expect(waitMs === Infinity).toBe(count > burst)
            if (waitMs === Infinity) continue
            now += waitMs
            flowed += waitMs
            expect(bucket.take(now, count)).toBe(true)
            taken += count
          }
        },
      ),
    )
  })
})
