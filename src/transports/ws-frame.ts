import { Buffer } from 'node:buffer'
import type { Frame } from '../runtime/frame.ts'

const finalText = 0x81
const finalBinary = 0x82

/** The frame as a server sends it: one final, unmasked frame (RFC 6455 §5.2). Built once, kept on the frame. */
export function wireOf(frame: Frame): Uint8Array {
  if (frame.wire !== undefined) return frame.wire
  const { payload, byteLength } = frame
  const headerLength = byteLength < 126 ? 2 : byteLength < 65_536 ? 4 : 10
  const wire = Buffer.allocUnsafe(headerLength + byteLength)
  wire[0] = typeof payload === 'string' ? finalText : finalBinary
  if (headerLength === 2) {
    wire[1] = byteLength
  } else if (headerLength === 4) {
    wire[1] = 126
    wire.writeUInt16BE(byteLength, 2)
  } else {
    wire[1] = 127
    wire.writeUInt32BE(Math.floor(byteLength / 2 ** 32), 2)
    wire.writeUInt32BE(byteLength >>> 0, 6)
  }
  if (typeof payload !== 'string') wire.set(payload, headerLength)
  // As many bytes as characters: it is ASCII, and the quicker copy will do.
  else wire.write(payload, headerLength, byteLength === payload.length ? 'latin1' : 'utf8')
  frame.wire = wire
  return wire
}

let lastFrames: readonly Frame[] = []
let lastJoined: Uint8Array = new Uint8Array()

/**
 * All frames in one piece. Members of a room mostly wait for the very same frames, so the last result is kept and
 * given again.
 */
export function joinFrames(frames: readonly Frame[]): Uint8Array {
  const [first] = frames
  if (first === undefined) return new Uint8Array()
  if (frames.length === 1) return wireOf(first)
  if (isSame(frames, lastFrames)) return lastJoined
  lastJoined = Buffer.concat(frames.map(wireOf))
  lastFrames = frames
  return lastJoined
}

function isSame(a: readonly Frame[], b: readonly Frame[]): boolean {
  if (a.length !== b.length) return false
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return false
  return true
}
