import { Buffer } from 'node:buffer'
import type { Frame } from '../runtime/ports/frame.ts'

const finalText = 0x81
const finalBinary = 0x82

/** The frame as a server sends it: one final, unmasked frame (RFC 6455 §5.2). Built once, kept on the frame. */
function wireOf(frame: Frame): Uint8Array {
  if (frame.wire === undefined) {
    const wire = Buffer.allocUnsafe(wireLength(frame))
    writeFrame(wire, 0, frame)
    frame.wire = wire
  }
  return frame.wire
}

let lastFrames: readonly Frame[] = []
let lastJoined: Uint8Array = new Uint8Array()

/**
 * All frames in one piece. Members of a room mostly wait for the very same frames, so the last result is kept and
 * given again.
 */
export function joinFrames(frames: readonly Frame[]): Uint8Array {
  const [first] = frames
  if (first !== undefined && frames.length === 1) return wireOf(first)
  if (isSame(frames, lastFrames)) return lastJoined
  let length = 0
  for (const frame of frames) length += wireLength(frame)
  const joined = Buffer.allocUnsafe(length)
  let offset = 0
  // Encoding into place costs no more than copying what has been encoded elsewhere.
  for (const frame of frames) offset = writeFrame(joined, offset, frame)
  lastJoined = joined
  lastFrames = frames
  return joined
}

function wireLength({ byteLength }: Frame): number {
  return byteLength + (byteLength < 126 ? 2 : byteLength < 65_536 ? 4 : 10)
}

/** Writes a frame into place; returns where the next one begins. */
function writeFrame(target: Buffer, offset: number, { payload, byteLength }: Frame): number {
  let at = offset
  target[at++] = typeof payload === 'string' ? finalText : finalBinary
  if (byteLength < 126) {
    target[at++] = byteLength
  } else if (byteLength < 65_536) {
    target[at++] = 126
    target[at++] = byteLength >>> 8
    target[at++] = byteLength & 0xff
  } else {
    target[at++] = 127
    target.writeUInt32BE(Math.floor(byteLength / 2 ** 32), at)
    target.writeUInt32BE(byteLength >>> 0, at + 4)
    at += 8
  }
  if (typeof payload !== 'string') target.set(payload, at)
  // As many bytes as characters: it is ASCII, and the quicker copy will do.
  else target.write(payload, at, byteLength === payload.length ? 'latin1' : 'utf8')
  return at + byteLength
}

function isSame(a: readonly Frame[], b: readonly Frame[]): boolean {
  if (a.length !== b.length) return false
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return false
  return true
}
