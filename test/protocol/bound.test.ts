import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'
import { ask, byName, claimOf, greet, serverEnds, v1 } from './cast.ts'

const outboxBytes = 1_048_576
const say = (bytes: number): object => ({ type: 'message', room: 'main', data: 'x'.repeat(bytes) })

describe('what waits for a reader', () => {
  it('[BOUND] that stops is at most the outbox and a frame; it is closed with 4208 and all of it dropped', async () => {
    const stage = new Stage(byName)
    const ends = serverEnds(stage)
    const slow = await stage.member('main', { token: 'slow' })
    const loud = await stage.member('main', { token: 'loud' })
    slow.socket.pause()
    let most = 0
    for (let i = 0; i < 60; i++) {
      await ask(stage, loud, say(60_000))
      most = Math.max(most, ends[0]?.link.outbox.bytes ?? 0)
    }
    expect(most).toBeGreaterThan(outboxBytes / 2)
    expect(most).toBeLessThanOrEqual(outboxBytes + 65_536)
    expect(ends[0]?.closeFrames).toEqual([4208])
    expect(ends[0]?.link.outbox.writable).toBe(false)
    await stage.clock.advance(1_000)
    expect(ends[0]?.link.outbox.bytes).toBe(0)
    expect(stage.runtime.census.connections).toBe(1)
    expect(loud.of('message')).toHaveLength(60)
    expect(loud.closed).toEqual([])
  })

  it('[BOUND] is not counted against one that reads, however much passes through', async () => {
    const stage = new Stage(byName)
    const ends = serverEnds(stage)
    const [reader, loud] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'bob' })]
    for (let i = 0; i < 10; i++) await ask(stage, loud, ...Array.from({ length: 10 }, () => say(60_000)))
    expect(reader.of('message')).toHaveLength(100)
    expect(ends.map(({ link }) => link.outbox.bytes)).toEqual([0, 0])
    // A pause that ends in time costs nothing either.
    reader.socket.pause()
    await ask(stage, loud, ...Array.from({ length: 10 }, () => say(60_000)))
    reader.socket.resume()
    await ask(stage, loud, say(1))
    expect(reader.of('message')).toHaveLength(111)
    expect(reader.closed).toEqual([])
  })

  it('[BOUND] is recovered by GAPLESS when the reader comes back', async () => {
    const stage = new Stage(byName)
    const slow = await stage.member('main', { token: 'slow' })
    const loud = await stage.member('main', { token: 'loud' })
    const { epoch } = slow.last('joined')
    slow.socket.pause()
    for (let i = 0; i < 30; i++) await ask(stage, loud, say(60_000))
    slow.socket.resume()
    await stage.clock.advance(1_000)
    expect(slow.closed).toEqual([{ code: 4208, reason: 'slow-consumer' }])
    const offset = Number(slow.of('message').at(-1)?.['offset'] ?? 0)
    expect(slow.of('message').map((message) => message['offset'])).toEqual(
      Array.from({ length: offset }, (_, i) => i + 1),
    )
    const back = await greet(stage, { token: 'slow', resume: claimOf(slow) })
    expect(back.last('welcome')).toMatchObject({ resumed: true })
    const [joined] = await ask(stage, back, { type: 'join', room: 'main', since: { epoch, offset } })
    expect(joined).toMatchObject({ recovered: true, offset: 30 })
    expect(joined?.['messages']).toHaveLength(30 - offset)
  })

  it('[BOUND] is as much for a reader of its own replies, and for one that is told of others’ presence', async () => {
    const stage = new Stage({ ...byName, messagesPerSecond: Infinity, userMessagesPerSecond: Infinity })
    const ends = serverEnds(stage)
    const deaf = await stage.member('main', { token: 'deaf' })
    const loud = await stage.member('main', { token: 'loud' })
    deaf.socket.pause()
    let most = 0
    for (let i = 0; i < 300; i++) {
      const state = `${i}`.padEnd(2_000, 'x')
      const asked = Array.from({ length: 50 }, (_, id) => ({ type: 'ping', id: `${id}`.padEnd(64, '.') }))
      for (const message of asked) deaf.send(message)
      await ask(stage, loud, { type: 'presence', room: 'main', state })
      most = Math.max(most, ends[0]?.link.outbox.bytes ?? 0)
    }
    expect(most).toBeLessThanOrEqual(outboxBytes + 65_536)
    expect(ends[0]?.closeFrames).toEqual([4208])
  })

  it('[BOUND] may be more by the answers that it asked for, up to their own limit', async () => {
    const stage = new Stage({ replayBytes: 500_000 })
    const ends = serverEnds(stage)
    const [deaf, loud] = [await stage.member(), await stage.member()]
    for (let i = 0; i < 10; i++) await ask(stage, loud, say(60_000))
    deaf.socket.pause()
    let most = 0
    for (let i = 0; i < 20; i++) {
      await ask(stage, deaf, { type: 'history', room: 'main' }, { type: 'join', room: 'main' })
      most = Math.max(most, ends[0]?.link.outbox.bytes ?? 0)
    }
    expect(most).toBeGreaterThan(outboxBytes)
    expect(most).toBeLessThanOrEqual(2 * outboxBytes + 500_000 + 65_536)
    await stage.clock.advance(5_000)
    expect(ends[0]?.link.outbox.bytes).toBe(0)
  })

  it('[BOUND] stays within its limit over any traffic and any limit', async () => {
    const step = fc.record({ bytes: fc.integer({ min: 0, max: 60_000 }), times: fc.integer({ min: 1, max: 12 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 1_000, 100_000, 300_000),
        fc.array(step, { maxLength: 12 }),
        async (limit, steps) => {
          const stage = new Stage({ ...byName, outboxBytes: limit })
          const ends = serverEnds(stage)
          const slow = await stage.member('main', { token: 'slow' })
          const loud = await stage.member('main', { token: 'loud' })
          slow.socket.pause()
          for (const { bytes, times } of steps) {
            await ask(stage, loud, ...Array.from({ length: times }, () => say(bytes)))
            // Below 64 KiB a batch leaves at the end of the turn; nobody asks how much there is before it has that size.
            expect(ends[0]?.link.outbox.bytes).toBeLessThanOrEqual(Math.max(limit, 131_072) + 65_536)
          }
          expect(loud.closed).toEqual([])
          await stage.close()
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('what a client sends', () => {
  it('[BOUND] is held within 16 messages and 64 KiB before the welcome, and then let go of', async () => {
    const stage = new Stage()
    const ends = serverEnds(stage)
    const clients = await Promise.all(Array.from({ length: 20 }, () => stage.connect(v1)))
    for (const client of clients) for (let i = 0; i < 100; i++) client.send({ type: 'ping', x: 'x'.repeat(10_000) })
    await stage.clock.settle()
    for (const { closed } of clients) expect(closed).toEqual([{ code: 4213, reason: 'limit-reached' }])
    expect(ends.map(({ closeFrames }) => closeFrames)).toEqual(clients.map(() => [4213]))
    expect(stage.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
  })
})
