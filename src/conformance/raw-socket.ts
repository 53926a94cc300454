import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { Break } from './expectation.ts'
import { Patience } from './patience.ts'
import type { Transcript } from './transcript.ts'

/** What became of an upgrade request. */
export interface Upgrade {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Only when the status is 101. */
  readonly tcp?: Duplex
  /** What came right behind the answer. */
  readonly head: Uint8Array
}

/**
 * Sends an upgrade request by hand: a WebSocket library gives up on answers that one wants to see.
 *
 * @throws the system's error when there is nobody, and Error when nothing is answered in time
 */
export function requestUpgrade(
  url: string,
  headers: Readonly<Record<string, string>>,
  withinMs: number,
): Promise<Upgrade> {
  const target = new URL(url)
  const isSecure = target.protocol === 'wss:'
  target.protocol = isSecure ? 'https:' : 'http:'
  return new Promise((resolve, reject) => {
    const request = (isSecure ? httpsRequest : httpRequest)(target, {
      agent: false,
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        ...headers,
      },
    })
    request.on('upgrade', ({ statusCode = 0, headers }, tcp, head) => {
      clearTimeout(timer)
      tcp.on('error', () => {})
      resolve({ status: statusCode, headers, tcp, head })
    })
    request.on('response', (response) => {
      response.destroy()
      resolve({ status: response.statusCode ?? 0, headers: response.headers, head: new Uint8Array() })
    })
    // In all, and not since the last byte: a header may drip.
    const late = (): void => void request.destroy(new Error(`no answer to the upgrade request within ${withinMs} ms`))
    const timer = setTimeout(late, withinMs)
    request.on('close', () => clearTimeout(timer))
    request.on('error', reject)
    request.end()
  })
}

const text = 1
const close = 8

/** Ends a socket that nobody needs, as a client that leaves for good: whoever was welcomed leaves no session behind. */
export function leave({ tcp }: Upgrade): void {
  tcp?.end(maskedFrame(close, Uint8Array.of(1000 >> 8, 1000 & 0xff)))
  // What still comes is not of interest, but has to be read for the socket to end.
  tcp?.resume()
}

/** A socket that sends whatever bytes it is given and answers nothing: no ping and no close frame. */
export class RawSocket {
  readonly name: string
  /** The text frames that came. */
  readonly texts: string[] = []
  /** The codes of the close frames that came; there should be one at most. */
  readonly closeCodes: number[] = []
  ended = false
  readonly #tcp: Duplex
  readonly #transcript: Transcript
  readonly #patience: Patience
  #rest: Buffer = Buffer.alloc(0)

  constructor(name: string, { tcp, head }: Upgrade, transcript: Transcript, patienceMs: number) {
    if (tcp === undefined) throw new Break('the upgrade to be accepted', 'a refusal')
    this.name = name
    this.#tcp = tcp
    this.#transcript = transcript
    this.#patience = new Patience(name, patienceMs)
    this.#read(head)
    tcp.on('data', (chunk: Buffer) => this.#read(chunk))
    tcp.on('end', () => this.#end())
    tcp.on('close', () => this.#end())
  }

  #end(): void {
    if (this.ended) return
    this.ended = true
    this.#transcript.noted(this.name, 'the socket ended')
    this.#patience.look()
  }

  /** Takes the frames out of what has come; those of a server have no mask. */
  #read(chunk: Uint8Array): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    for (;;) {
      const [first = 0, second = 0] = this.#rest
      const extended = second === 126 ? 2 : second === 127 ? 8 : 0
      if (this.#rest.length < 2 + extended) break
      const length =
        extended === 0 ? second : extended === 2 ? this.#rest.readUInt16BE(2) : Number(this.#rest.readBigUInt64BE(2))
      const end = 2 + extended + length
      if (this.#rest.length < end) break
      this.#take(first & 0x0f, this.#rest.subarray(2 + extended, end))
      this.#rest = this.#rest.subarray(end)
    }
    this.#patience.look()
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === text) {
      this.#transcript.received(this.name, payload.toString())
      this.texts.push(payload.toString())
    } else if (opcode === close) {
      this.closeCodes.push(payload.length < 2 ? 1005 : payload.readUInt16BE(0))
      this.#transcript.noted(this.name, `close ${this.closeCodes.at(-1)} ${payload.subarray(2).toString()}`)
    }
  }

  write(what: string, ...bytes: readonly (readonly number[] | Uint8Array)[]): void {
    this.#transcript.sent(this.name, what)
    this.#tcp.write(Buffer.concat(bytes.map((part) => Uint8Array.from(part))))
  }

  /** Sends a message as a text frame. */
  send(message: object): void {
    const json = JSON.stringify(message)
    this.write(json, maskedFrame(text, Buffer.from(json)))
  }

  /** Answers a close frame, as a WebSocket must. */
  answerClose(): void {
    this.write('close', maskedFrame(close, Buffer.alloc(0)))
  }

  /** Awaits something of this socket. */
  until<T>(what: string, find: () => T | undefined, withinMs?: number): Promise<T> {
    return this.#patience.until(what, find, () => (this.ended ? 'the end of the socket' : undefined), withinMs)
  }

  /** Awaits a close frame, and says its code. */
  async closeCode(withinMs?: number): Promise<number> {
    return this.until('a close frame', () => this.closeCodes[0], withinMs)
  }

  /** What names the session that it was welcomed with, if it was. */
  get claim(): { readonly session: string; readonly secret: string } | undefined {
    const welcome = this.texts.find((json) => json.includes('"welcome"'))
    if (welcome === undefined) return undefined
    const { session, secret } = JSON.parse(welcome) as { session: string; secret: string }
    return { session, secret }
  }

  destroy(): void {
    this.#tcp.destroy()
  }
}

/** A final frame of a client with a mask that changes nothing. */
export function maskedFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const { length } = payload
  const size = length < 126 ? [0x80 | length] : [0xfe, length >>> 8, length & 0xff]
  return Buffer.concat([Uint8Array.from([0x80 | opcode, ...size, 0, 0, 0, 0]), payload])
}
