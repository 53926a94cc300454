import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { ByteStage, faultOf } from './byte-stage.ts'
import { deliveries } from './delivery.ts'
import { close, cut, fragments, frame, opcodes, ping, text } from './raw-frame.ts'
import { echo } from './sayings.ts'

const { payload, data } = echo('hello')
const pong = (payload = ''): Buffer => frame({ opcode: opcodes.pong, payload })

describe.each(deliveries)('control frames that arrive %s', (_, deliver) => {
  const stage = new ByteStage()

  it.each([0, 1, 125])('have pings of %i bytes answered by the same bytes', async (bytes) => {
    const client = await stage.enter()
    const payload = Buffer.alloc(bytes, 0xfe)
    await deliver(client, ping(payload))
    await client.until(() => client.pongs.length === 1)
    expect(client.frames[1]).toEqual({ opcode: opcodes.pong, payload })
  })

  it('have ten pings answered in their order', async () => {
    const client = await stage.enter()
    const payloads = Array.from({ length: 10 }, (_, i) => `payload ${i}`)
    await deliver(client, Buffer.concat(payloads.map((each) => ping(each))))
    await client.until(() => client.pongs.length === 10)
    expect(client.pongs).toEqual(payloads)
  })

  it('have pongs that nobody asked for passed over', async () => {
    const client = await stage.enter()
    await deliver(client, Buffer.concat([pong(), pong('unasked'), text(payload), pong('x'.repeat(125))]))
    await client.until(() => client.messages.length === 2)
    expect(client.messages[1]).toMatchObject({ type: 'reply', data })
    expect(client.frames).toHaveLength(2)
  })

  it('are taken between the fragments of a message, which comes whole', async () => {
    const client = await stage.enter()
    const parts = fragments(opcodes.text, cut(payload, 8)).flatMap((part, i) => [part, ping(`${i}`), pong()])
    await deliver(client, Buffer.concat(parts.slice(0, -2)))
    await client.until(() => client.messages.length === 2)
    expect(client.messages[1]).toMatchObject({ type: 'reply', data })
    expect(client.pongs).toEqual(['0', '1', '2', '3', '4', '5', '6'])
  })

  it('[CLOSED] end a connection by a close between the fragments of a message, which is not heard', async () => {
    const client = await stage.enter()
    const parts = fragments(opcodes.text, cut(payload, 3))
    await deliver(client, Buffer.concat([...parts.slice(0, 2), close(1000), ...parts.slice(2)]))
    expect(await stage.ending(client)).toEqual({ code: 1000, reason: '', told: 'client-left' })
    expect(client.messages).toHaveLength(1)
  })

  it('[FRAME-6] close with 1002 on a length of 16 bits, which none of them needs', async () => {
    const client = await stage.enter()
    await deliver(client, frame({ opcode: opcodes.ping, lengthBits: 16, payload: 'short' }))
    expect(await stage.ending(client)).toEqual(faultOf(1002))
  })

  it.each(
    Object.entries({ ping: opcodes.ping, pong: opcodes.pong, close: opcodes.close }).flatMap(([name, opcode]) => [
      [`a ${name} of 126 bytes`, frame({ opcode, payload: Buffer.alloc(126, 0x20) })] as const,
      [`a ${name} that announces 65536 bytes`, frame({ opcode, length: 65_536 })] as const,
      [`a ${name} in fragments`, Buffer.concat(fragments(opcode, ['', '']))] as const,
      [`a ${name} that is not masked`, frame({ opcode, mask: undefined })] as const,
    ]),
  )('[FRAME-6] [ISOLATE] close with 1002 on %s', async (_name, bytes) => {
    const client = await stage.enter()
    await deliver(client, Buffer.concat([bytes, ping('too late')]))
    expect(await stage.ending(client)).toEqual(faultOf(1002))
    expect(client.pongs).toEqual([])
  })

  it('[FRAME-6] close with 1002 on a fragmented ping within a fragmented message', async () => {
    const client = await stage.enter()
    const parts = fragments(opcodes.text, cut(payload, 2))
    await deliver(client, Buffer.concat([...parts.slice(0, 1), frame({ opcode: opcodes.ping, fin: false })]))
    expect(await stage.ending(client)).toEqual(faultOf(1002))
  })
})

describe('a flood of pings', () => {
  const stage = new ByteStage()

  it('[RATE-3] [ISOLATE] is closed with 4229 when it goes on', async () => {
    const client = await stage.enter()
    for (let sent = 50; client.closing === undefined && sent <= 5_000; sent += 50) {
      client.write(Buffer.concat(Array.from({ length: 50 }, () => ping())))
      await client.until(() => client.pongs.length === sent || client.closing !== undefined)
    }
    expect(client.closing).toEqual({ code: 4229, reason: 'rate-limited' })
    expect(client.pongs.length).toBeLessThan(1_500)
  })
})

describe('a flood of pings that nobody counts', () => {
  const stage = new ByteStage({ messagesPerSecond: Infinity, userMessagesPerSecond: Infinity })

  it('is answered, as long as its answers are taken', async () => {
    const client = await stage.enter()
    for (let sent = 50; sent <= 2_000; sent += 50) {
      const batch = Array.from({ length: 50 }, (_, i) => ping(`${sent - 50 + i}`))
      client.write(Buffer.concat(batch))
      await client.until(() => client.pongs.length === sent)
    }
    expect(client.pongs.at(-1)).toBe('1999')
  })

  it('[BOUND] [CLOSED] [ISOLATE] ends its connection when more comes at once than is answered at once', async () => {
    const client = await stage.enter()
    client.write(Buffer.concat(Array.from({ length: 100_000 }, () => ping())))
    expect(await stage.ending(client)).toEqual({ code: 1006, reason: '', told: 'socket-lost' })
    expect(client.pongs.length).toBeLessThan(100_000)
  })

  it('[BOUND] [CLOSED] [ISOLATE] ends its connection when the answers are not read', async () => {
    const client = await stage.enter()
    client.tcp.pause()
    const burst = Buffer.concat(Array.from({ length: 50 }, () => ping('x'.repeat(125))))
    // Each burst is read for itself, and is not too much; what is too much is what waits to be sent.
    for (let bursts = 0; stage.fateOf(client) === undefined && bursts < 10_000; bursts++) {
      await client.trickle(burst, () => burst.length)
    }
    expect(stage.fateOf(client)).toBe('socket-lost')
  })
})
