import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { FrameReader, type ServerFrame } from './frame-reader.ts'
import { frame, opcodes } from './raw-frame.ts'
import { responseOf, type Response } from './raw-request.ts'

/** Long enough for the event loop to have read what was written before. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** How a client behaves by itself. */
export interface Manners {
  /** Whether its side of TCP stays open when the server has ended its own. */
  readonly halfOpen?: boolean
  readonly answersPings?: boolean
}

/**
 * A client that sends the bytes it is told to and, unless its manners say otherwise, none else: it answers no ping and
 * no close frame. What it receives must be well-formed.
 */
export class ByteClient {
  /** What the server answered to the upgrade request. */
  response: Response | undefined
  readonly frames: ServerFrame[] = []
  /** Whether TCP has ended, by whichever side. */
  ended = false
  /** What the server sent that RFC 6455 does not allow. */
  fault: Error | undefined
  readonly tcp: Socket
  readonly #answersPings: boolean
  readonly #reader = new FrameReader()
  #unread = Buffer.alloc(0)
  #waiting: (() => void)[] = []

  /** Opens a TCP connection. */
  static async connect(port: number, { halfOpen = false, answersPings = false }: Manners = {}): Promise<ByteClient> {
    const tcp = connect({ port, host: '127.0.0.1', allowHalfOpen: halfOpen, noDelay: true })
    const client = new ByteClient(tcp, answersPings)
    await once(tcp, 'connect')
    return client
  }

  private constructor(tcp: Socket, answersPings: boolean) {
    this.tcp = tcp
    this.#answersPings = answersPings
    tcp.on('data', (bytes: Buffer) => this.#receive(bytes))
    // A reset is an end like another; `close` follows.
    tcp.on('error', () => {})
    tcp.on('end', () => this.#check(() => this.#wake()))
    tcp.on('close', () => {
      this.ended = true
      this.#wake()
    })
  }

  /** Writes the bytes in one piece. */
  write(bytes: Uint8Array | string): void {
    if (this.tcp.writable) this.tcp.write(bytes)
  }

  /** Writes the bytes in pieces, each of which the server reads before it is sent the next. */
  async trickle(bytes: Uint8Array | string, pieceBytes: (offset: number, left: number) => number): Promise<void> {
    const all = Buffer.from(bytes)
    let at = 0
    do {
      const end = at + Math.max(1, pieceBytes(at, all.length - at))
      this.write(all.subarray(at, end))
      at = end
      await turn()
    } while (at < all.length && this.tcp.writable)
  }

  /** Resolves when the condition holds, which is looked at when something arrives; rejects when it no longer can. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.fault !== undefined) throw this.fault
      if (this.ended) throw new Error(`The connection ended before: ${String(condition)}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    if (this.fault !== undefined) throw this.fault
  }

  /** Resolves when the server has answered the upgrade request. */
  async answered(): Promise<Response> {
    await this.until(() => this.response !== undefined)
    return this.response as Response
  }

  /** The payloads of the text frames so far, parsed. */
  get messages(): { readonly type: string; readonly [field: string]: unknown }[] {
    return this.#payloads(opcodes.text).map((payload) => JSON.parse(payload.toString()))
  }

  /** The payloads of the pongs so far. */
  get pongs(): string[] {
    return this.#payloads(opcodes.pong).map(String)
  }

  /** What the server's close frame said; undefined as long as there is none. */
  get closing(): { readonly code: number; readonly reason: string } | undefined {
    const [payload] = this.#payloads(opcodes.close)
    if (payload === undefined) return undefined
    return { code: payload.length === 0 ? 1005 : payload.readUInt16BE(0), reason: payload.toString('utf8', 2) }
  }

  #payloads(opcode: number): Buffer[] {
    return this.frames.filter((frame) => frame.opcode === opcode).map(({ payload }) => payload)
  }

  #receive(bytes: Buffer): void {
    this.#check(() => {
      if (this.response?.status === 101) this.#readFrames(bytes)
      else this.#readResponse(bytes)
    })
    this.#wake()
  }

  #readResponse(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes])
    const end = this.#unread.indexOf('\r\n\r\n')
    if (end === -1 || this.response !== undefined) return
    this.response = responseOf(this.#unread.toString('latin1', 0, end))
    this.#unread = this.#unread.subarray(end + 4)
    if (this.response.status === 101) this.#readFrames(this.#unread)
  }

  #readFrames(bytes: Buffer): void {
    for (const { opcode, payload } of this.#reader.read(bytes)) {
      this.frames.push({ opcode, payload })
      if (this.#answersPings && opcode === opcodes.ping) this.write(frame({ opcode: opcodes.pong, payload }))
    }
  }

  #check(read: () => void): void {
    try {
      read()
      if (this.tcp.readableEnded && this.#reader.midFrame) throw new Error('The server stopped within a frame.')
    } catch (error) {
      this.fault ??= error as Error
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
