import { Buffer, isUtf8 } from 'node:buffer'
import { opcodes } from './raw-frame.ts'

/** A frame of the server's. */
export interface ServerFrame {
  readonly opcode: number
  readonly payload: Buffer
}

/**
 * Reads what a server sends, and holds it to RFC 6455: whole unmasked frames with no reserved bits and the shortest
 * lengths, text that is UTF-8, one close frame at most and nothing after it. What breaks that throws.
 */
export class FrameReader {
  #unread = Buffer.alloc(0)
  #closed = false

  /** The frames that are complete now. */
  read(bytes: Uint8Array): ServerFrame[] {
    if (bytes.length > 0 && this.#closed) throw new Error('The server sent something after its close frame.')
    this.#unread = Buffer.concat([this.#unread, bytes])
    const frames: ServerFrame[] = []
    for (let frame = this.#take(); frame !== undefined; frame = this.#take()) frames.push(frame)
    return frames
  }

  /** Whether a frame has begun and is not over. */
  get midFrame(): boolean {
    return this.#unread.length > 0
  }

  #take(): ServerFrame | undefined {
    const [first, second] = this.#unread
    if (first === undefined || second === undefined) return undefined
    if ((first & 0x70) !== 0) throw new Error('The server set a reserved bit.')
    if ((first & 0x80) === 0) throw new Error('The server sent a fragment.')
    if ((second & 0x80) !== 0) throw new Error('The server masked a frame.')
    const opcode = first & 0x0f
    const header = second === 127 ? 10 : second === 126 ? 4 : 2
    if (this.#unread.length < header) return undefined
    const length =
      header === 10 ? Number(this.#unread.readBigUInt64BE(2)) : header === 4 ? this.#unread.readUInt16BE(2) : second
    if ((header === 10 && length < 65_536) || (header === 4 && length < 126)) {
      throw new Error('The server did not write a length the shortest way.')
    }
    if (this.#unread.length < header + length) return undefined
    const payload = this.#unread.subarray(header, header + length)
    this.#unread = this.#unread.subarray(header + length)
    this.#check(opcode, payload)
    return { opcode, payload }
  }

  #check(opcode: number, payload: Buffer): void {
    if (!(Object.values(opcodes) as number[]).includes(opcode)) throw new Error(`The server sent opcode ${opcode}.`)
    if (opcode === opcodes.continuation) throw new Error('The server continued what it had not begun.')
    if (opcode === opcodes.text && !isUtf8(payload)) throw new Error('The server sent text that is not UTF-8.')
    if (opcode >= opcodes.close && payload.length > 125) throw new Error('The server sent a long control frame.')
    if (opcode === opcodes.close) this.#checkClose(payload)
  }

  #checkClose(payload: Buffer): void {
    this.#closed = true
    if (this.#unread.length > 0) throw new Error('The server sent something after its close frame.')
    if (payload.length === 0) return
    if (payload.length === 1) throw new Error('The server sent half a close code.')
    const code = payload.readUInt16BE(0)
    const never = [1004, 1005, 1006, 1015]
    if (code < 1000 || code > 4999 || never.includes(code)) throw new Error(`The server sent close code ${code}.`)
    if (!isUtf8(payload.subarray(2))) throw new Error('The server sent a close reason that is not UTF-8.')
  }
}
