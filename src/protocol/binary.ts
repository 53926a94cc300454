/**
 * A binary frame of the protocol: the header's length in four bytes (big-endian), the header as JSON in UTF-8, and then
 * the bytes that it is about, untouched.
 */
export interface BinaryFrame {
  /** The header: a message without `data`. */
  readonly header: string
  readonly bytes: Uint8Array
}

const lengthBytes = 4

/** Puts a binary frame together. */
export function encodeBinary(header: string, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const encoded = new TextEncoder().encode(header)
  const frame = new Uint8Array(lengthBytes + encoded.length + bytes.length)
  new DataView(frame.buffer).setUint32(0, encoded.length)
  frame.set(encoded, lengthBytes)
  frame.set(bytes, lengthBytes + encoded.length)
  return frame
}

/** Takes one apart, without copying its bytes. Undefined when it is not one. */
export function decodeBinary(frame: Uint8Array): BinaryFrame | undefined {
  if (frame.length < lengthBytes) return undefined
  const headerLength = new DataView(frame.buffer, frame.byteOffset, lengthBytes).getUint32(0)
  const end = lengthBytes + headerLength
  if (end > frame.length) return undefined
  try {
    // A byte order mark is a character like any other here, as it is in a text frame.
    const header = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(frame.subarray(lengthBytes, end))
    return { header, bytes: frame.subarray(end) }
  } catch {
    return undefined
  }
}
