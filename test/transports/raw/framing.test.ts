import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { ByteStage, faultOf } from './byte-stage.ts'
import { deliveries } from './delivery.ts'
import { frame, opcodes, text } from './raw-frame.ts'
import { binaryOfBytes, echo, echoOfBytes } from './sayings.ts'

const frameBytes = 65_536
const { payload, data } = echo('hello')

/** What no frame may be. */
const malformed: readonly (readonly [string, Buffer])[] = [
  ['it is not masked', frame({ opcode: opcodes.text, payload, mask: undefined })],
  ['it is empty and not masked', frame({ opcode: opcodes.text, mask: undefined })],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
    (opcode) => [`its opcode is ${opcode}`, frame({ opcode, payload })] as const,
  ),
  ...[1, 2, 3, 4, 5, 6, 7].map(
    (rsv) => [`its reserved bits are ${rsv}`, frame({ opcode: opcodes.text, rsv, payload })] as const,
  ),
  ...[opcodes.binary, opcodes.ping, opcodes.pong, opcodes.close].map(
    (opcode) => [`its opcode is ${opcode} and RSV1 is set`, frame({ opcode, rsv: 4 })] as const,
  ),
]

describe.each(deliveries)('a frame that arrives %s', (_, deliver) => {
  const stage = new ByteStage()

  it.each([125, 126, 127, 65_535, frameBytes])('[FRAME-4] is taken when it is text of %i bytes', async (bytes) => {
    const client = await stage.enter()
    const saying = echoOfBytes(bytes)
    await deliver(client, text(saying.payload))
    await client.until(() => client.messages.length === 2)
    expect(client.messages[1]).toEqual({ type: 'reply', id: 1, data: saying.data })
  })

  it.each([125, 126, 127, 65_535, frameBytes])('[FRAME-4] is taken when it is binary of %i bytes', async (bytes) => {
    const client = await stage.enter()
    client.write(text(JSON.stringify({ type: 'join', room: 'pit' })))
    await client.until(() => client.messages.length === 2)
    const message = binaryOfBytes(bytes, 'pit')
    await deliver(client, frame({ opcode: opcodes.binary, payload: message.payload }))
    await client.until(() => client.messages.length === 3)
    const received = client.frames.find(({ opcode }) => opcode === opcodes.binary)?.payload
    expect(received?.subarray(-message.body.length).equals(message.body)).toBe(true)
    expect(client.messages[2]).toMatchObject({ type: 'ack', id: 1 })
  })

  it.each([
    ['[FRAME-1]', 'empty text', text(''), 'bad-json'],
    ['[FRAME-1]', 'text of one byte', text('a'), 'bad-json'],
    ['[BINARY-2]', 'empty and binary', frame({ opcode: opcodes.binary }), 'bad-message'],
    ['[BINARY-2]', 'binary, of one byte', frame({ opcode: opcodes.binary, payload: 'a' }), 'bad-message'],
  ])('[FRAME-5] %s costs an error and no more when it is %s', async (_rule, _name, bytes, code) => {
    const client = await stage.enter()
    await deliver(client, Buffer.concat([bytes, text(payload)]))
    await client.until(() => client.messages.length === 3)
    expect(client.messages[1]).toMatchObject({ type: 'error', code })
    expect(client.messages[2]).toMatchObject({ type: 'reply', data })
  })

  it.each([
    ['a length of 16 bits that 7 would hold', { lengthBits: 16 }],
    ['a length of 64 bits that 7 would hold', { lengthBits: 64 }],
    ['a mask of zeros', { mask: [0, 0, 0, 0] }],
    ['a mask of ones', { mask: [255, 255, 255, 255] }],
    ['a mask in which each byte differs', { mask: [1, 128, 0, 77] }],
  ] as const)('is taken with %s', async (_name, shape) => {
    const client = await stage.enter()
    await deliver(client, frame({ opcode: opcodes.text, payload, ...shape }))
    await client.until(() => client.messages.length === 2)
    expect(client.messages[1]).toMatchObject({ type: 'reply', data })
  })

  it.each([
    ['it is a byte too long', text(Buffer.alloc(frameBytes + 1, 'x'))],
    ['it is binary and a byte too long', frame({ opcode: opcodes.binary, payload: Buffer.alloc(frameBytes + 1) })],
    ['a byte too much is announced', frame({ opcode: opcodes.text, length: frameBytes + 1 })],
    ['2⁵³ bytes are announced', frame({ opcode: opcodes.text, length: 2n ** 53n })],
    ['the top bit of its length is set', frame({ opcode: opcodes.text, length: 2n ** 63n })],
    ['the top bit is set before a length that would do', frame({ opcode: opcodes.text, length: 2n ** 63n + 5n })],
  ])('[FRAME-4] [ISOLATE] closes with 1009 when %s', async (_name, bytes) => {
    const client = await stage.enter()
    // Of what is announced, not a byte follows: the mask neither.
    await deliver(client, bytes.length < 20 ? bytes.subarray(0, -4) : bytes)
    expect(await stage.ending(client)).toEqual(faultOf(1009))
  })

  it.each(malformed)('[FRAME-6] [CLOSED] [ISOLATE] closes with 1002 when %s', async (_name, bytes) => {
    const client = await stage.enter()
    client.write(text(payload))
    await client.until(() => client.messages.length === 2)
    await deliver(client, Buffer.concat([bytes, text(payload)]))
    expect(await stage.ending(client)).toEqual(faultOf(1002))
    expect(client.messages).toHaveLength(2)
  })
})
