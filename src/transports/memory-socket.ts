import { closeCodes, utf8Length } from '../protocol/index.ts'
import type { Clock } from '../runtime/ports/environment.ts'
import type { Acceptor, ConnectRequest } from '../runtime/ports/transport.ts'
import { promptLink, type Link } from './memory-link.ts'
import { MemoryServerSocket } from './memory-server-socket.ts'

/** What a memory transport stands on. */
export interface MemoryTransportOptions {
  readonly clock: Clock
  /** Largest frame taken from a client (bytes). @default 65_536 */
  readonly frameBytes?: number
  /** What a client that does not read may leave in the socket before it takes no more (bytes). @default 16_384 */
  readonly highWaterBytes?: number
  /** What a socket's two ends are connected by. @default one on which everything arrives within the turn */
  readonly link?: (socket: MemoryWebSocket) => Link
}

/** How a client comes in. */
export interface MemoryConnectOptions {
  readonly protocol?: string
  readonly token?: string
  /** @default one of its own */
  readonly address?: string
}

/** A client's request as it reaches the server. */
export interface MemoryRequest extends MemoryConnectOptions {
  readonly address: string
}

/** The part of the browser's `WebSocket` that the client library uses, and a few things that only a test would do. */
export class MemoryWebSocket {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSING = 2
  static readonly CLOSED = 3
  readyState = 0
  /** Binary data arrives as `Uint8Array`, whatever this says. */
  binaryType = 'arraybuffer'
  readonly protocol: string
  onopen: ((event: object) => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number; reason: string; wasClean: boolean }) => void) | null = null
  onerror: ((event: object) => void) | null = null
  readonly #server: MemoryServerSocket
  readonly #link: Link
  readonly #clock: Clock
  readonly #frameBytes: number
  #paused = false
  #cut = false
  #arrived: (() => void)[] = []

  constructor(acceptor: Acceptor, options: MemoryTransportOptions, request: MemoryRequest) {
    const { clock, frameBytes = 65_536, highWaterBytes = 16_384, link } = options
    this.#clock = clock
    this.#frameBytes = frameBytes
    this.#link = link?.(this) ?? promptLink(clock)
    this.protocol = request.protocol ?? ''
    this.#server = new MemoryServerSocket(this, this.#link, highWaterBytes)
    this.#link.toServer.carry([{ kind: 'open', arrive: () => this.#openAtServer(acceptor, request) }])
  }

  #openAtServer(acceptor: Acceptor, request: MemoryRequest): void {
    if (this.#cut) return
    const { protocol = '', token, address } = request
    if (acceptor.refuses?.(address) !== undefined) return this.#server.terminate()
    // Before whatever the server has to say.
    this.#link.toClient.carry([{ kind: 'open', arrive: () => this.#open() }])
    const connectRequest: ConnectRequest = { protocol, token, address, url: '/', headers: {} }
    this.#server.sink = acceptor.accept(this.#server, connectRequest)
  }

  #open(): void {
    if (this.#cut || this.readyState !== MemoryWebSocket.CONNECTING) return
    this.readyState = MemoryWebSocket.OPEN
    this.onopen?.({})
  }

  send(data: string | Uint8Array): void {
    if (this.readyState === MemoryWebSocket.CONNECTING) throw new Error('The socket is not open yet.')
    if (this.readyState !== MemoryWebSocket.OPEN || this.#cut) return
    const arrive = (): void => {
      if (!this.#cut) this.#server.read(() => this.#arriveAtServer(data))
    }
    this.#link.toServer.carry([{ kind: 'message', payload: data, arrive }])
  }

  #arriveAtServer(data: string | Uint8Array): void {
    if (this.#server.ended) return
    const size = typeof data === 'string' ? utf8Length(data) : data.byteLength
    if (size > this.#frameBytes) this.#server.fail(closeCodes.messageTooBig)
    else if (typeof data === 'string') this.#server.sink?.message(data)
    else this.#server.sink?.binary(data)
  }

  close(code = 1005, reason = ''): void {
    if (this.readyState >= MemoryWebSocket.CLOSING) return
    const connecting = this.readyState === MemoryWebSocket.CONNECTING
    this.readyState = MemoryWebSocket.CLOSING
    if (connecting) this.#clock.setImmediate(() => this.end(1006, '', false))
    const closed = (): void => {
      this.#server.end(connecting ? 1006 : code)
      const answered = (): void => this.end(code, reason, true)
      this.#link.toClient.carry([{ kind: 'close', code, arrive: () => this.arrive(answered) }])
    }
    const arrive = (): void => {
      if (!this.#cut) this.#server.read(closed)
    }
    this.#link.toServer.carry([{ kind: 'close', code, arrive }])
  }

  /** Stops reading, as a suspended tab does. */
  pause(): void {
    this.#paused = true
  }

  /** Reads on. */
  resume(): void {
    this.#paused = false
    while (!this.#paused) {
      const arrival = this.#arrived.shift()
      if (arrival === undefined) return
      arrival()
    }
  }

  /** The network goes without a word, and what is under way with it. Unless `halfOpen`, both ends notice. */
  cut({ halfOpen = false } = {}): void {
    this.#cut = true
    if (halfOpen) return
    this.#clock.setImmediate(() => {
      this.notice('server')
      this.notice('client')
    })
  }

  /** One end notices that the network is gone. */
  notice(end: 'client' | 'server'): void {
    if (end === 'server') this.#server.end(1006)
    else this.end(1006, '', false)
  }

  /** @internal */
  get reads(): boolean {
    return !this.#paused && !this.#cut
  }

  /** @internal Something has arrived from the server. */
  arrive(action: () => void): void {
    if (this.#cut) return
    if (this.#paused) this.#arrived.push(action)
    else action()
  }

  /** @internal */
  receive(payload: string | Uint8Array): void {
    if (this.readyState < MemoryWebSocket.CLOSED) this.onmessage?.({ data: payload })
  }

  /** @internal */
  end(code: number, reason: string, wasClean: boolean): void {
    if (this.readyState === MemoryWebSocket.CLOSED) return
    this.readyState = MemoryWebSocket.CLOSED
    this.onclose?.({ code, reason, wasClean })
  }
}
