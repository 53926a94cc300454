import { WebSocket } from 'ws'
import { decodeBinary, subprotocol } from '../protocol/index.ts'
import { Break } from './expectation.ts'
import { Patience } from './patience.ts'
import type { Transcript } from './transcript.ts'

/** A message as it came: nothing of it is known but that it has a type. */
export interface Message {
  readonly type: string
  readonly [field: string]: unknown
}

/** How a connection ended; 1005 and 1006 are what a WebSocket says when there was no code, or no close frame. */
export interface Closed {
  readonly code: number
  readonly reason: string
}

/** How a client opens its socket. */
export interface OpenOptions {
  readonly url: string
  readonly transcript: Transcript
  /** How long what is awaited may take (ms). */
  readonly patienceMs: number
  /** Whether the subprotocol is offered. @default true */
  readonly polite?: boolean
  readonly headers?: Readonly<Record<string, string>>
  /** Whether pings are answered. @default true */
  readonly answersPings?: boolean
}

/** A client's socket, and everything that came over it. */
export class ClientSocket {
  readonly name: string
  /** What came, in its order: messages by text frames, and those by binary ones with their `bytes`. */
  readonly received: Message[] = []
  /** Frames that are no messages. */
  readonly garbage: string[] = []
  closed: Closed | undefined
  /** WebSocket pings from the server. */
  pings = 0
  readonly #socket: WebSocket
  readonly #transcript: Transcript
  readonly #patience: Patience
  #opened = false
  #failure = ''
  #pongs = 0

  constructor(name: string, options: OpenOptions) {
    const { url, transcript, patienceMs, polite = true, headers = {}, answersPings = true } = options
    this.name = name
    this.#transcript = transcript
    this.#patience = new Patience(name, patienceMs)
    const handshake = { headers, autoPong: answersPings, handshakeTimeout: patienceMs, maxPayload: 0 }
    this.#socket = new WebSocket(url, polite ? [subprotocol] : [], handshake)
    this.#listen()
  }

  /**
   * Awaits that the socket is open.
   *
   * @throws Break when it does not open
   */
  async opened(): Promise<void> {
    await this.until('a WebSocket to open', () => this.#opened || undefined)
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('open', () => {
      this.#opened = true
      this.#transcript.noted(this.name, 'open')
      this.#patience.look()
    })
    socket.on('error', (error) => (this.#failure = error.message))
    socket.on('ping', () => {
      this.pings++
      this.#patience.look()
    })
    socket.on('pong', () => {
      this.#pongs++
      this.#patience.look()
    })
    socket.on('message', (frame, isBinary) => {
      this.#take(frame as Buffer, isBinary)
      this.#patience.look()
    })
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
      this.#transcript.noted(this.name, this.#describeEnd())
      this.#patience.look()
    })
  }

  #take(frame: Uint8Array, isBinary: boolean): void {
    const parts = isBinary ? decodeBinary(frame) : { header: Buffer.from(frame).toString(), bytes: undefined }
    const message = parts === undefined ? undefined : readMessage(parts.header)
    this.#transcript.received(this.name, `${parts?.header ?? ''}${isBinary ? ` + ${parts?.bytes?.length} bytes` : ''}`)
    if (message === undefined) this.garbage.push(parts?.header ?? `${frame.length} bytes`)
    else this.received.push(parts?.bytes === undefined ? message : { ...message, bytes: Uint8Array.from(parts.bytes) })
    if (typeof message?.['secret'] === 'string') this.#transcript.hide(message['secret'])
  }

  #describeEnd(): string {
    const { code = 0, reason = '' } = this.closed ?? {}
    const failure = this.#opened || this.#failure === '' ? '' : ` (${this.#failure})`
    return `close ${code}${reason === '' ? '' : ` ${reason}`}${failure}`
  }

  /**
   * Awaits something of this client.
   *
   * @param what - what is awaited, for people
   * @param find - asked whenever something has happened; what it returns is the answer, unless it is undefined
   * @throws Break when it has not come in time, or cannot come any more
   */
  until<T>(what: string, find: () => T | undefined, withinMs?: number): Promise<T> {
    const end = (): string | undefined => (this.closed === undefined ? undefined : this.#describeEnd())
    return this.#patience.until(what, find, end, withinMs)
  }

  /** Sends a message, a text frame as it stands, or a binary frame. */
  send(what: object | string | Uint8Array): void {
    if (what instanceof Uint8Array) {
      this.#transcript.sent(this.name, `${what.length} bytes`)
      this.#socket.send(what, () => {})
      return
    }
    const text = typeof what === 'string' ? what : JSON.stringify(what)
    this.#transcript.sent(this.name, text)
    this.#socket.send(text, () => {})
  }

  /** Sends a message in several WebSocket frames, of which the last one may be missing. */
  sendFragments(parts: readonly string[], { finished }: { finished: boolean }): void {
    this.#transcript.sent(this.name, `${parts.join('').length} bytes in ${parts.length} fragments`)
    for (const [index, part] of parts.entries()) {
      this.#socket.send(part, { fin: finished && index === parts.length - 1 }, () => {})
    }
  }

  /** Awaits the answer to a WebSocket ping: what the server had sent by itself has come before it. */
  async pinged(): Promise<void> {
    const before = this.#pongs
    this.#socket.ping()
    await this.until('the answer to a WebSocket ping', () => this.#pongs > before || undefined)
  }

  /** Awaits the end of the connection. */
  async ends(withinMs?: number): Promise<Closed> {
    return this.until('a close', () => this.closed, withinMs)
  }

  /** Holds the end of the connection to a code. */
  async isClosedWith(code: number, withinMs?: number): Promise<void> {
    const end = await this.until(`close ${code}`, () => this.closed, withinMs)
    if (end.code !== code) throw new Break(`close ${code}, for ${this.name}`, this.#describeEnd())
  }

  /** Closes the socket with a code, or without one, and awaits the end. */
  async close(code?: number): Promise<void> {
    this.#socket.close(code)
    await this.ends()
  }

  /** Ends the socket without a word. */
  cut(): void {
    this.#transcript.noted(this.name, 'cut')
    this.#socket.terminate()
  }

  /** Reads no further. */
  pause(): void {
    this.#transcript.noted(this.name, 'reads no further')
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }
}

function readMessage(text: string): Message | undefined {
  try {
    const message: unknown = JSON.parse(text)
    return typeof (message as Message | null)?.type === 'string' && !Array.isArray(message)
      ? (message as Message)
      : undefined
  } catch {
    return undefined
  }
}
