import { Buffer } from 'node:buffer'

/** The opcodes of RFC 6455 §5.2; all others are reserved. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** A client's frame, of which every part may be wrong. */
export interface RawFrame {
  /** @default true */
  readonly fin?: boolean
  /** RSV1, RSV2 and RSV3, from 4 to 1. @default 0 */
  readonly rsv?: number
  readonly opcode: number
  /** Before masking. @default nothing */
  readonly payload?: Uint8Array | string
  /** Four bytes, or none for an unmasked frame. @default 0x37 0xfa 0x21 0x3d, as in the examples of the RFC */
  readonly mask?: readonly number[] | undefined
  /** What the header says, whatever the payload is. @default the payload's length */
  readonly length?: number | bigint
  /** How the length is written. @default the shortest way */
  readonly lengthBits?: 7 | 16 | 64
}

const usualMask = [0x37, 0xfa, 0x21, 0x3d]

/** The bytes of one frame. */
export function frame(shape: RawFrame): Buffer {
  const { fin = true, rsv = 0, opcode, payload = '' } = shape
  const mask = 'mask' in shape ? shape.mask : usualMask
  const bytes = Buffer.from(payload)
  if (mask !== undefined) for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] ?? 0) ^ (mask[i % 4] ?? 0)
  const length = BigInt(shape.length ?? bytes.length)
  const lengthBits = shape.lengthBits ?? (length < 126n ? 7 : length < 65_536n ? 16 : 64)
  const masked = mask === undefined ? 0 : 0x80
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  return Buffer.concat([Buffer.from([first]), lengthField(masked, lengthBits, length), Buffer.from(mask ?? []), bytes])
}

function lengthField(masked: number, bits: 7 | 16 | 64, length: bigint): Buffer {
  if (bits === 7) return Buffer.from([masked | Number(length)])
  const field = Buffer.alloc(1 + bits / 8)
  field[0] = masked | (bits === 16 ? 126 : 127)
  if (bits === 16) field.writeUInt16BE(Number(length), 1)
  else field.writeBigUInt64BE(length, 1)
  return field
}

export const text = (payload: Uint8Array | string): Buffer => frame({ opcode: opcodes.text, payload })
export const ping = (payload: Uint8Array | string = ''): Buffer => frame({ opcode: opcodes.ping, payload })

/** A close frame; without a code it is empty. */
export function close(code?: number, reason: Uint8Array | string = ''): Buffer {
  if (code === undefined) return frame({ opcode: opcodes.close })
  return frame({
    opcode: opcodes.close,
    payload: Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]),
  })
}

/** One message in as many fragments as there are parts; with one part it is a whole frame. */
export function fragments(opcode: number, parts: readonly (Uint8Array | string)[]): Buffer[] {
  return parts.map((payload, i) =>
    frame({ opcode: i === 0 ? opcode : opcodes.continuation, fin: i === parts.length - 1, payload }),
  )
}

/** Cuts a payload into so many parts of about the same length; some are empty when there are more parts than bytes. */
export function cut(payload: Uint8Array | string, count: number): Buffer[] {
  const bytes = Buffer.from(payload)
  const at = (i: number): number => Math.floor((i * bytes.length) / count)
  return Array.from({ length: count }, (_, i) => bytes.subarray(at(i), at(i + 1)))
}
