import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { FrameReader } from './frame-reader.ts'
import { close, frame, opcodes } from './raw-frame.ts'
import { responseOf } from './raw-request.ts'

const served = (shape: Parameters<typeof frame>[0]): Buffer => frame({ mask: undefined, ...shape })
const closing = (hex: string): Buffer => served({ opcode: opcodes.close, payload: Buffer.from(hex, 'hex') })

/** That a suite finds no fault in a server says something only when it would find one. */
describe('the reader of what a server sends', () => {
  it('takes frames of every length, however they are cut', () => {
    const payloads = [0, 1, 125, 126, 127, 65_535, 65_536].map((bytes) => Buffer.alloc(bytes, 'x'))
    const bytes = Buffer.concat([
      ...payloads.map((payload) => served({ opcode: opcodes.text, payload })),
      closing('03e8'),
    ])
    for (const size of [97, 1_000, bytes.length]) {
      const reader = new FrameReader()
      const frames = []
      for (let at = 0; at < bytes.length; at += size) frames.push(...reader.read(bytes.subarray(at, at + size)))
      expect(frames.map(({ payload }) => payload.length)).toEqual([...payloads.map(({ length }) => length), 2])
      expect(reader.midFrame).toBe(false)
    }
  })

  it.each([
    ['a mask', frame({ opcode: opcodes.text })],
    ['a reserved bit', served({ opcode: opcodes.text, rsv: 1 })],
    ['a reserved opcode', served({ opcode: 3 })],
    ['a fragment', served({ opcode: opcodes.text, fin: false })],
    ['a continuation', served({ opcode: opcodes.continuation })],
    ['16 bits for 7', served({ opcode: opcodes.text, payload: 'x', lengthBits: 16 })],
    ['64 bits for 16', served({ opcode: opcodes.text, payload: 'x'.repeat(126), lengthBits: 64 })],
    ['a long pong', served({ opcode: opcodes.pong, payload: 'x'.repeat(126) })],
    ['text that is not UTF-8', served({ opcode: opcodes.text, payload: Buffer.of(0xff) })],
    ['half a close code', closing('03')],
    ['a close code that is never sent', closing('03ee')],
    ['a close code beyond all ranges', closing('1388')],
    ['a close reason that is not UTF-8', closing('03e8ff')],
    ['two closes', Buffer.concat([closing('03e8'), closing('03e8')])],
    ['a message behind a close', Buffer.concat([closing('03e8'), served({ opcode: opcodes.text })])],
  ])('finds %s', (_name, bytes) => {
    expect(() => new FrameReader().read(bytes)).toThrow(/^The server /)
  })

  it('finds what comes behind a close later, and a frame that is not over', () => {
    const reader = new FrameReader()
    reader.read(closing('03e8'))
    expect(() => reader.read(Buffer.of(0x81))).toThrow('after its close frame')
    const halved = new FrameReader()
    halved.read(served({ opcode: opcodes.text, payload: 'x' }).subarray(0, 2))
    expect(halved.midFrame).toBe(true)
  })

  it.each(['HTTP/1.0 101 Switching Protocols', 'HTTP/1.1 101', 'HTTP/1.1 400 Bad Request\r\nno header'])(
    'finds that %j is no answer to a request',
    (head) => {
      expect(() => responseOf(head)).toThrow(/^The server /)
    },
  )
})

describe('the frames of the suite', () => {
  it('are those of the examples in RFC 6455 §5.7', () => {
    const hello = frame({ opcode: opcodes.text, payload: 'Hello' })
    expect(hello.toString('hex')).toBe('818537fa213d7f9f4d5158')
    expect(served({ opcode: opcodes.text, payload: 'Hel', fin: false }).toString('hex')).toBe('010348656c')
    expect(served({ opcode: opcodes.binary, length: 256 }).toString('hex')).toBe('827e0100')
    expect(served({ opcode: opcodes.binary, length: 65_536 }).toString('hex')).toBe('827f0000000000010000')
    expect(close(1000).subarray(0, 2).toString('hex')).toBe('8882')
  })
})
