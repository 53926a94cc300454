import { Buffer } from 'node:buffer'

const finalText = 0x81
const longestHeaderBytes = 10
/** No byte is this: whoever says nothing recognises nothing. */
const noMarker = -1

/** How a frame is recognised as one's own: by one byte at a known distance from its end. */
export interface Marker {
  readonly byte: number
  readonly tailBytes: number
}

/**
 * Counts the frames of a byte stream by their headers alone (RFC 6455 §5.2). The clients share one core and must not
 * be what limits a server, so nothing is decoded; of one's own messages a single byte is looked at.
 */
export class FrameScanner {
  /** Frames that arrived in whole. */
  frames = 0
  /** Those among them that bear the marker. */
  own = 0
  readonly #markerByte: number
  readonly #tailBytes: number
  /** What the present frame still lacks. */
  #leftBytes = 0
  readonly #header = Buffer.alloc(longestHeaderBytes)
  /** How much of a header arrived that was split between chunks. */
  #headerBytes = 0

  constructor(marker?: Marker) {
    this.#markerByte = marker?.byte ?? noMarker
    this.#tailBytes = marker?.tailBytes ?? 0
  }

  /** Starts counting anew. */
  reset(): void {
    this.frames = 0
    this.own = 0
  }

  /**
   * Takes what arrived.
   *
   * @throws Error when a frame is not a whole, unmasked text frame: no server here has a reason to send another
   */
  scan(chunk: Uint8Array, start: number, end: number): void {
    let at = start
    while (at < end) {
      if (this.#leftBytes === 0) {
        const headerBytes = this.#headerBytes === 0 ? headerSize(chunk, at, end) : Infinity
        if (at + headerBytes <= end) {
          this.#leftBytes = payloadSize(chunk, at)
          at += headerBytes
        } else {
          at = this.#collectHeader(chunk, at, end)
          if (this.#headerBytes > 0) return
        }
      }
      const frameEnd = at + this.#leftBytes
      const markerAt = frameEnd - this.#tailBytes
      if (markerAt >= at && markerAt < end && chunk[markerAt] === this.#markerByte) this.own++
      if (frameEnd > end) {
        this.#leftBytes = frameEnd - end
        return
      }
      this.#leftBytes = 0
      this.frames++
      at = frameEnd
    }
  }

  /** Takes a header bytewise, and returns where it stopped. The header is complete when none of it is kept. */
  #collectHeader(chunk: Uint8Array, start: number, end: number): number {
    let at = start
    while (at < end) {
      this.#header[this.#headerBytes++] = chunk[at++] ?? 0
      if (this.#headerBytes < headerSize(this.#header, 0, this.#headerBytes)) continue
      this.#leftBytes = payloadSize(this.#header, 0)
      this.#headerBytes = 0
      break
    }
    return at
  }
}

function headerSize(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 > end) return 2
  const short = bytes[at + 1] ?? 0
  return short < 126 ? 2 : short === 126 ? 4 : longestHeaderBytes
}

function payloadSize(bytes: Uint8Array, at: number): number {
  const short = bytes[at + 1] ?? 0
  if (bytes[at] !== finalText || short > 127) {
    throw new Error(`A frame began with ${Buffer.from(bytes.subarray(at, at + 2)).toString('hex')}.`)
  }
  if (short < 126) return short
  let size = 0
  const end = at + (short === 126 ? 4 : longestHeaderBytes)
  for (let i = at + 2; i < end; i++) size = size * 256 + (bytes[i] ?? 0)
  return size
}
