import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeBinary } from '../../src/protocol/index.ts'
import { Stage, type RawClient } from '../stage.ts'
import { ask, byName, greet, heard, v1 } from './cast.ts'
import { anyText, hostileFrames, mutatedMessage } from './hostile-frames.ts'
import { unrulyConnection } from '../unruly-connection.ts'

/** Two who chat in `main`, and know of nobody else. */
async function chat(stage: Stage): Promise<{ check: () => Promise<void> }> {
  const [ada, bob] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'bob' })]
  const expected: unknown[][] = []
  const before = bob.received.length
  const check = async (): Promise<void> => {
    const data = `line ${expected.length + 1}`
    expected.push([expected.length + 1, data])
    expect(await ask(stage, ada, { type: 'message', room: 'main', data, id: data })).toMatchObject([
      { type: 'message', data },
      { type: 'ack', id: data, offset: expected.length },
    ])
    expect(heard(bob)).toEqual(expected)
    expect(bob.received.slice(before).map(({ type }) => type)).toEqual(expected.map(() => 'message'))
    expect([ada.closed, bob.closed]).toEqual([[], []])
  }
  return { check }
}

const crashes = (stage: Stage): unknown[] => stage.telemetry.filter(({ type }) => type === 'actor.crashed')

describe('two who chat', () => {
  it('[ISOLATE] notice nothing of garbage that a third sends, of every kind', async () => {
    const frame = fc.oneof(
      anyText,
      fc.json(),
      mutatedMessage,
      fc.uint8Array({ maxLength: 200 }),
      mutatedMessage.map((header) => encodeBinary(header, Uint8Array.of(1, 2, 3))),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 40 }), fc.boolean(), async (frames, early) => {
        const stage = new Stage(byName)
        const { check } = await chat(stage)
        const eve = early ? await stage.connect(v1) : await stage.member('pit', { token: 'eve' })
        eve.socket.onmessage = null
        for (const data of frames) eve.socket.send(data as string)
        await check()
        eve.socket.cut()
        await check()
        expect(crashes(stage)).toEqual([])
        await stage.close()
      }),
      { numRuns: 100 },
    )
  })

  it.each(Object.entries(hostileFrames))('[ISOLATE] notice nothing of %s', async (_, frame) => {
    const stage = new Stage({ ...byName })
    const { check } = await chat(stage)
    const eve = await stage.member('pit', { token: 'eve' })
    for (let i = 0; i < 5; i++) {
      eve.send(frame)
      await check()
    }
    expect(eve.closed.every(({ code }) => code === 1009 || code === 4213)).toBe(true)
    expect(crashes(stage)).toEqual([])
  })

  it('[ISOLATE] notice nothing of a connection that crashes, over and over', async () => {
    const stage = new Stage({ ...byName, connection: unrulyConnection })
    const { check } = await chat(stage)
    for (let i = 0; i < 200; i++) {
      const eve = await stage.member('pit', { token: 'eve' })
      await ask(stage, eve, { type: 'throw' })
      expect(eve.closed).toEqual([{ code: 1011, reason: 'crashed' }])
    }
    await check()
    expect(stage.telemetry.some(({ type }) => type === 'runtime.failed')).toBe(false)
    expect(stage.runtime.census.connections).toBe(2)
  })

  it('[ISOLATE] notice nothing of floods of connections, joins, presence and typing elsewhere', async () => {
    const stage = new Stage(byName)
    const { check } = await chat(stage)
    const crowd: RawClient[] = []
    for (let i = 0; i < 50; i++) {
      const eve = await greet(stage, { token: `eve ${i % 3}` })
      for (let n = 0; n < 120; n++) eve.send({ type: 'join', room: `pit ${n}`, presence: i })
      for (let n = 0; n < 50; n++) eve.send({ type: 'typing', room: `pit ${n}`, typing: n % 2 === 0 })
      crowd.push(eve)
    }
    await check()
    for (const [i, { socket }] of crowd.entries()) {
      if (i % 2 === 0) socket.cut()
      else socket.close(1000)
    }
    await check()
    await stage.clock.advance(200_000)
    await check()
    expect(stage.runtime.census).toEqual({ connections: 2, sessions: 2, rooms: 1 })
  })

  it('[ISOLATE] are not reached by a member of their own room who sends what is not allowed', async () => {
    const stage = new Stage(byName)
    const { check } = await chat(stage)
    const eve = await greet(stage, { token: 'ada' })
    await ask(stage, eve, { type: 'join', room: 'main' })
    const [deep, wide] = ['['.repeat(33) + ']'.repeat(33), `[${'0,'.repeat(10_001)}0]`]
    for (const field of [`"data":${deep}`, `"data":${wide}`, '"data":1,"meta":{"values":["regexp"]}', '"x":1']) {
      await ask(stage, eve, `{"type":"message","room":"main",${field}}`)
      await check()
    }
    expect(eve.of('error')).toHaveLength(4)
  })
})
