import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { ByteStage, faultOf } from './byte-stage.ts'
import { deliveries } from './delivery.ts'
import { close, frame, opcodes, ping, text } from './raw-frame.ts'
import { echo, echoOfBytes } from './sayings.ts'

const { payload } = echo('hello')

/** What the runtime is told of a code that a client closes with. */
const told: Readonly<Record<number, string>> = {
  1000: 'client-left',
  1002: 'protocol-error',
  1007: 'protocol-error',
  1008: 'protocol-error',
  1009: 'message-too-big',
}

describe.each(deliveries)('a close frame that arrives %s', (_, deliver) => {
  const stage = new ByteStage()

  it.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])(
    '[CLOSED] is answered by its own when its code is %i',
    async (code) => {
      const client = await stage.enter()
      await deliver(client, close(code, 'bye'))
      expect(await stage.ending(client)).toEqual({ code, reason: 'bye', told: told[code] ?? 'socket-lost' })
    },
  )

  it.each([0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])(
    '[FRAME-6] [CLOSED] [ISOLATE] is answered by 1002 when its code is %i',
    async (code) => {
      const client = await stage.enter()
      await deliver(client, close(code, 'bye'))
      expect(await stage.ending(client)).toEqual(faultOf(1002))
    },
  )

  it('[CLOSED] is answered by an empty one when it is empty', async () => {
    const client = await stage.enter()
    await deliver(client, close())
    expect(await stage.ending(client)).toEqual({ code: 1005, reason: '', told: 'socket-lost' })
    expect(client.frames.at(-1)).toEqual({ opcode: opcodes.close, payload: Buffer.alloc(0) })
  })

  it('[FRAME-6] is answered by 1002 when it holds half a code', async () => {
    const client = await stage.enter()
    await deliver(client, frame({ opcode: opcodes.close, payload: Buffer.from([3]) }))
    expect(await stage.ending(client)).toEqual(faultOf(1002))
  })

  it.each(['x'.repeat(123), '€'.repeat(41), `${'😀'.repeat(30)}xyz`])(
    '[CLOSE-3] may hold a reason of 123 bytes: %s',
    async (reason) => {
      const client = await stage.enter()
      await deliver(client, close(1000, reason))
      expect(await stage.ending(client)).toEqual({ code: 1000, reason, told: 'client-left' })
    },
  )

  it('[FRAME-6] [CLOSE-3] is answered by 1002 when its reason has 124 bytes', async () => {
    const client = await stage.enter()
    await deliver(client, close(1000, 'x'.repeat(124)))
    expect(await stage.ending(client)).toEqual(faultOf(1002))
  })

  it.each([
    ['another', close(1001)],
    ['another that is malformed', close(5000)],
    ['a message', text(payload)],
    ['a ping', ping()],
    ['half a frame', text(payload).subarray(0, 9)],
    ['garbage', Buffer.alloc(100_000, 0xff)],
  ])('[CLOSED] [ISOLATE] is the last that is heard when %s follows', async (_name, bytes) => {
    const client = await stage.enter()
    await deliver(client, Buffer.concat([close(1000), bytes]))
    expect(await stage.ending(client)).toEqual({ code: 1000, reason: '', told: 'client-left' })
    expect(client.frames).toHaveLength(2)
  })

  it('[CLOSED] crosses that of the server, which sends no other', async () => {
    const client = await stage.enter()
    stage.connectionOf(client).forbid()
    await deliver(client, close(1000))
    expect(await stage.ending(client)).toEqual({ code: 4003, reason: 'forbidden', told: 'forbidden' })
  })

  it.each([
    ['the same', close(4003, 'forbidden')],
    ['an empty one', close()],
    ['one with another code', close(1000)],
    ['a message, and then one', Buffer.concat([text(payload), ping(), close(4003)])],
    ['one that is malformed', close(1005)],
    ['a malformed frame', text(Buffer.of(0xff))],
  ])('[CLOSED] [ISOLATE] ends a connection that the server closes when the answer is %s', async (_name, bytes) => {
    const client = await stage.enter()
    stage.connectionOf(client).forbid()
    await client.until(() => client.closing !== undefined)
    await deliver(client, bytes)
    expect(await stage.ending(client)).toEqual({ code: 4003, reason: 'forbidden', told: 'forbidden' })
    expect(client.frames).toHaveLength(2)
  })
})

describe('the end of TCP', () => {
  const stage = new ByteStage({ closeTimeoutMs: 250 })
  const message = text(payload)

  it.each([
    ['before anything was said', Buffer.alloc(0)],
    ['within a header', message.subarray(0, 1)],
    ['within a mask', message.subarray(0, 4)],
    ['within a payload', message.subarray(0, 20)],
    ['between fragments', frame({ opcode: opcodes.text, fin: false, payload: 'x' })],
  ])('[CLOSED] [ISOLATE] ends a connection without a close frame %s', async (_name, bytes) => {
    const client = await stage.enter()
    client.write(bytes)
    client.tcp.end()
    expect(await stage.ending(client)).toEqual({ code: 1006, reason: '', told: 'socket-lost' })
    expect(client.frames).toHaveLength(1)
  })

  it.each([
    ['in silence', Buffer.alloc(0)],
    ['within a message', message.subarray(0, 20)],
    ['while it is answered', text(echoOfBytes(65_536).payload)],
  ])('[CLOSED] [ISOLATE] ends a connection by a reset %s', async (_name, bytes) => {
    const client = await stage.enter()
    await client.trickle(bytes, (_, left) => left)
    client.tcp.resetAndDestroy()
    expect(await stage.told(client)).toBe('socket-lost')
  })

  it('comes after what was sent before it has been handled', async () => {
    const client = await stage.enter()
    client.write(text(JSON.stringify({ type: 'join', room: 'pit' })))
    client.tcp.end(text(JSON.stringify({ type: 'message', room: 'pit', data: 'last words' })))
    await stage.ending(client)
    const next = await stage.enter()
    next.write(text(JSON.stringify({ type: 'join', room: 'pit' })))
    await next.until(() => next.messages.length === 2)
    expect(next.messages[1]).toMatchObject({ type: 'joined', offset: 1 })
  })

  it.each([
    ['1000', close(1000), 1000, 'client-left'],
    ['a fault', text(Buffer.of(0xff)), 1007, 'protocol-error'],
  ])(
    '[CLOSE-4] [CLOSED] [BOUND] is forced on who closes by %s, and then stays and sends',
    async (_name, bytes, code, why) => {
      const client = await stage.enter({ halfOpen: true })
      client.write(bytes)
      while (stage.fateOf(client) === undefined) await client.trickle(message, (_, left) => left)
      expect([stage.fateOf(client), client.closing?.code]).toEqual([why, code])
    },
  )

  it('[CLOSE-4] [CLOSED] is forced on who does not answer a close frame', async () => {
    const client = await stage.enter({ halfOpen: true })
    stage.connectionOf(client).forbid()
    expect(await stage.told(client)).toBe('forbidden')
    expect(client.closing).toEqual({ code: 4003, reason: 'forbidden' })
  })
})

describe('a flood after the close frame', () => {
  const stage = new ByteStage({ closeTimeoutMs: 2_000 })

  it('[CLOSED] [ISOLATE] is not read to its end: the server has nothing more to say, and hears no more', async () => {
    const [silent, client] = [await stage.enter({ halfOpen: true }), await stage.enter({ halfOpen: true })]
    const ends = [silent, client].map(async (each) => (await once(each.tcp, 'end'), each))
    for (const each of [silent, client]) {
      stage.connectionOf(each).forbid()
      await each.until(() => each.closing !== undefined)
    }
    client.write(Buffer.concat(Array.from({ length: 100 }, () => text(payload))))
    // The other one, that was closed earlier, is waited for.
    expect(await Promise.race(ends)).toBe(client)
    expect(client.closing).toEqual({ code: 4003, reason: 'forbidden' })
    // Not even a close frame is.
    client.write(close(4003))
    expect(await stage.told(client)).toBe('forbidden')
  })

  it('[CLOSED] is none of what was on its way when the close frame was sent', async () => {
    const client = await stage.enter()
    stage.connectionOf(client).forbid()
    client.write(Buffer.concat([...Array.from({ length: 64 }, () => text(payload)), close(4003)]))
    expect(await stage.ending(client)).toEqual({ code: 4003, reason: 'forbidden', told: 'forbidden' })
  })
})

describe('silence', () => {
  const stage = new ByteStage({ heartbeatMs: 100, heartbeatTimeoutMs: 150, closeTimeoutMs: 100 })

  it('[CLOSED] [ISOLATE] ends a connection that answers no ping', async () => {
    const client = await stage.enter()
    expect(await stage.ending(client)).toEqual({ code: 4201, reason: 'heartbeat-lost', told: 'heartbeat-lost' })
    const kinds = new Set(client.frames.map(({ opcode }) => opcode))
    expect([...kinds]).toEqual([opcodes.text, opcodes.ping, opcodes.close])
  })

  it('[CLOSED] [ISOLATE] is not broken by a frame that trickles in and does not end', async () => {
    const client = await stage.enter()
    client.write(frame({ opcode: opcodes.text, length: 65_536 }).subarray(0, -4))
    while (client.closing === undefined) {
      // A byte whenever the server says something, and its pings go unanswered.
      client.write('x')
      const { length } = client.frames
      await client.until(() => client.frames.length > length)
    }
    expect((await stage.ending(client)).told).toBe('heartbeat-lost')
  })
})
