import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'

const finalText = 0x81
const masked = 0x80
/** Ids are counted up from here in place, so they all have as many digits. */
const firstId = 100_000_000

/** A text frame as a client sends it. The masking key is zero, which is legal and leaves the text readable. */
export function maskedTextFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  if (payload.length > 65_535) throw new RangeError('No message here is that long.')
  const header =
    payload.length < 126
      ? [finalText, masked | payload.length]
      : [finalText, masked | 126, payload.length >> 8, payload.length & 0xff]
  return Buffer.concat([Buffer.from(header), Buffer.alloc(4), payload])
}

/**
 * Frames that are ready to be written, as many as may be in flight. A slot is used again only after the request in it
 * was answered, so what the socket may still hold is never written over; and what goes out together is one write.
 */
export class RequestRing {
  readonly #bytes: Buffer
  readonly #slots: number
  readonly #frameBytes: number
  /** Where the id stands in a frame, if requests have one. */
  readonly #idAt: number | undefined
  #next = 0
  #id = firstId

  /**
   * @param textOf - writes the request. It is asked once; if what it wrote contains the id, later ids replace it
   * @param slots - how many requests may be in flight
   */
  constructor(textOf: (id: number) => string, slots: number) {
    const frame = maskedTextFrame(textOf(firstId))
    const idAt = frame.indexOf(String(firstId))
    this.#bytes = Buffer.concat(Array.from({ length: slots }, () => frame))
    this.#slots = slots
    this.#frameBytes = frame.length
    this.#idAt = idAt === -1 ? undefined : idAt
  }

  /** Writes the next requests. */
  write(socket: Socket, count: number): void {
    for (let left = count; left > 0;) {
      const run = Math.min(left, this.#slots - this.#next)
      if (this.#idAt !== undefined) this.#number(run, this.#idAt)
      const start = this.#next * this.#frameBytes
      socket.write(this.#bytes.subarray(start, start + run * this.#frameBytes))
      this.#next = (this.#next + run) % this.#slots
      left -= run
    }
  }

  #number(run: number, idAt: number): void {
    for (let slot = this.#next; slot < this.#next + run; slot++) {
      this.#bytes.write(String(this.#id++), slot * this.#frameBytes + idAt, 'latin1')
    }
  }
}
