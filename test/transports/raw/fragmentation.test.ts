import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { ByteStage, faultOf } from './byte-stage.ts'
import { deliveries } from './delivery.ts'
import { cut, fragments, frame, opcodes, text } from './raw-frame.ts'
import { binaryOfBytes, echo, echoOfBytes } from './sayings.ts'

const frameBytes = 65_536
const { payload, data } = echo('hello')
const inFragments = (bytes: Uint8Array, count: number): Buffer =>
  Buffer.concat(fragments(opcodes.text, cut(bytes, count)))
const continuation = (payload: Uint8Array | string, fin: boolean): Buffer =>
  frame({ opcode: opcodes.continuation, fin, payload })

describe.each(deliveries)('a message in fragments that arrives %s', (_, deliver) => {
  const stage = new ByteStage()

  it.each([2, 3, 5, 16, 63, 64])('comes whole out of %i', async (count) => {
    const client = await stage.enter()
    await deliver(client, Buffer.concat([inFragments(payload, count), text(echo('next', 2).payload)]))
    await client.until(() => client.messages.length === 3)
    expect(client.messages.slice(1)).toEqual([
      { type: 'reply', id: 1, data },
      { type: 'reply', id: 2, data: 'next' },
    ])
  })

  it.each([
    ['the first', ['', payload]],
    ['the last', [payload, '']],
    ['one between', [payload.subarray(0, 7), '', payload.subarray(7)]],
    ['all but one', [...Array.from({ length: 31 }, () => ''), payload, ...Array.from({ length: 32 }, () => '')]],
  ])('comes whole when %s is empty', async (_name, parts) => {
    const client = await stage.enter()
    await deliver(client, Buffer.concat(fragments(opcodes.text, parts)))
    await client.until(() => client.messages.length === 2)
    expect(client.messages[1]).toMatchObject({ type: 'reply', data })
  })

  it('[FRAME-1] is empty text when all of them are empty', async () => {
    const client = await stage.enter()
    await deliver(client, Buffer.concat(fragments(opcodes.text, ['', '', ''])))
    await client.until(() => client.messages.length === 2)
    expect(client.messages[1]).toMatchObject({ type: 'error', code: 'bad-json' })
  })

  it('[BINARY-3] comes whole when it is binary', async () => {
    const client = await stage.enter()
    client.write(text(JSON.stringify({ type: 'join', room: 'pit' })))
    await client.until(() => client.messages.length === 2)
    const message = binaryOfBytes(4_000, 'pit')
    await deliver(client, Buffer.concat(fragments(opcodes.binary, cut(message.payload, 9))))
    await client.until(() => client.messages.length === 3)
    const received = client.frames.find(({ opcode }) => opcode === opcodes.binary)?.payload
    expect(received?.subarray(-message.body.length).equals(message.body)).toBe(true)
  })

  it('[FRAME-4] is taken when they are together as long as a frame may be', async () => {
    const client = await stage.enter()
    const saying = echoOfBytes(frameBytes)
    await deliver(client, inFragments(saying.payload, 64))
    await client.until(() => client.messages.length === 2)
    expect(client.messages[1]).toMatchObject({ type: 'reply', data: saying.data })
  })

  it.each([
    ['65 of them', inFragments(payload, 65)],
    [
      '65 that are empty',
      Buffer.concat(
        fragments(
          opcodes.text,
          Array.from({ length: 65 }, () => ''),
        ),
      ),
    ],
    ['them without end', inFragments(Buffer.alloc(500, 'x'), 500)],
  ])('[FRAME-6] [BOUND] [ISOLATE] closes with 1008 on %s', async (_name, bytes) => {
    const client = await stage.enter()
    await deliver(client, bytes)
    expect(await stage.ending(client)).toEqual(faultOf(1008))
  })

  it('[FRAME-6] closes with 1008 on the 65th, whether or not there are more', async () => {
    const client = await stage.enter()
    await deliver(client, Buffer.concat(fragments(opcodes.text, cut(payload, 66)).slice(0, 64)))
    client.write(frame({ opcode: opcodes.ping }))
    await client.until(() => client.pongs.length === 1)
    await deliver(client, continuation('', false))
    expect(await stage.ending(client)).toEqual(faultOf(1008))
  })

  it('[FRAME-4] [BOUND] [ISOLATE] closes with 1009 as soon as more is announced than is left', async () => {
    const client = await stage.enter()
    await deliver(client, frame({ opcode: opcodes.text, fin: false, payload: Buffer.alloc(frameBytes, 'x') }))
    client.write(frame({ opcode: opcodes.ping }))
    await client.until(() => client.pongs.length === 1)
    // The header of one more byte; the mask and the byte are not sent.
    await deliver(client, continuation('x', false).subarray(0, 2))
    expect(await stage.ending(client)).toEqual(faultOf(1009))
  })

  it('[FRAME-4] closes with 1009 when they are a byte too long together', async () => {
    const client = await stage.enter()
    await deliver(client, inFragments(Buffer.alloc(frameBytes + 1, 'x'), 3))
    expect(await stage.ending(client)).toEqual(faultOf(1009))
  })

  it.each([
    ['a continuation of nothing', continuation(payload, true)],
    ['a continuation of nothing that is to go on', continuation(payload, false)],
    ['a continuation behind a whole message', Buffer.concat([text(''), continuation(payload, true)])],
    ['a continuation behind a message in two', Buffer.concat([inFragments(payload, 2), continuation('', true)])],
    [
      'text within a message',
      Buffer.concat([frame({ opcode: opcodes.text, fin: false, payload: 'a' }), text(payload)]),
    ],
    [
      'binary within a message',
      Buffer.concat([
        frame({ opcode: opcodes.text, fin: false, payload: 'a' }),
        frame({ opcode: opcodes.binary, payload: 'b' }),
      ]),
    ],
    [
      'a new message in fragments within a message',
      Buffer.concat([
        frame({ opcode: opcodes.binary, fin: false, payload: 'a' }),
        frame({ opcode: opcodes.binary, fin: false, payload: 'b' }),
      ]),
    ],
    [
      'a reserved bit on a continuation',
      Buffer.concat([
        frame({ opcode: opcodes.text, fin: false, payload: 'a' }),
        frame({ opcode: opcodes.continuation, rsv: 4, payload: 'b' }),
      ]),
    ],
  ])('[FRAME-6] [ISOLATE] closes with 1002 on %s', async (_name, bytes) => {
    const client = await stage.enter()
    await deliver(client, bytes)
    expect(await stage.ending(client)).toEqual(faultOf(1002))
  })
})
