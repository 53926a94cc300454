import { closeCodes, utf8Length } from '../protocol/index.ts'
import type { Clock } from '../runtime/ports/environment.ts'
import type { Frame } from '../runtime/ports/frame.ts'
import type { Acceptor, ConnectRequest, SocketSink, TransportSocket } from '../runtime/ports/transport.ts'

/** What a memory transport stands on. */
export interface MemoryTransportOptions {
  readonly clock: Clock
  /** Largest frame taken from a client (bytes). @default 65_536 */
  readonly frameBytes?: number
  /** What a client that does not read may leave in the socket before it takes no more (bytes). @default 16_384 */
  readonly highWaterBytes?: number
}

/** How a client comes in. */
export interface MemoryConnectOptions {
  readonly protocol?: string
  readonly token?: string
  readonly address?: string
}

/** Sockets without a network: for tests and for simulation. Same order, same close handshake, no bytes. */
export interface MemoryTransport {
  connect(options?: MemoryConnectOptions): MemoryWebSocket
  /** A class to hand to `createClient` in place of the platform's `WebSocket`. */
  readonly WebSocket: new (url: string, protocols?: string | string[]) => MemoryWebSocket
}

/** Connects clients in this process to a runtime. */
export function memoryTransport(acceptor: Acceptor, options: MemoryTransportOptions): MemoryTransport {
  const connect = (request: MemoryConnectOptions = {}): MemoryWebSocket =>
    new MemoryWebSocket(acceptor, options, request)
  return {
    connect,
    WebSocket: class extends MemoryWebSocket {
      constructor(url: string, protocols: string | string[] = []) {
        const [protocol = ''] = [protocols].flat()
        const token = new URL(url).searchParams.get('token')
        super(acceptor, options, { protocol, ...(token === null ? {} : { token }) })
      }
    },
  }
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
  readonly #clock: Clock
  readonly #frameBytes: number
  #paused = false
  #cut = false
  #arrived: (() => void)[] = []

  constructor(acceptor: Acceptor, options: MemoryTransportOptions, request: MemoryConnectOptions) {
    this.#clock = options.clock
    this.#frameBytes = options.frameBytes ?? 65_536
    this.protocol = request.protocol ?? ''
    this.#server = new MemoryServerSocket(this, options)
    this.#clock.setImmediate(() => {
      if (this.readyState !== MemoryWebSocket.CONNECTING) return
      this.readyState = MemoryWebSocket.OPEN
      const { protocol = '', token, address = 'memory' } = request
      const connectRequest: ConnectRequest = { protocol, token, address, url: '/', headers: {} }
      this.#server.sink = acceptor.accept(this.#server, connectRequest)
      this.onopen?.({})
    })
  }

  send(data: string | Uint8Array): void {
    if (this.readyState === MemoryWebSocket.CONNECTING) throw new Error('The socket is not open yet.')
    if (this.readyState !== MemoryWebSocket.OPEN || this.#cut) return
    this.#clock.setImmediate(() => {
      if (this.#cut) return
      this.#server.read(() => this.#arriveAtServer(data))
    })
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
    if (connecting) {
      this.#clock.setImmediate(() => this.end(1006, '', false))
      return
    }
    this.#clock.setImmediate(() => {
      if (this.#cut) return
      this.#server.read(() => {
        this.#server.end(code)
        this.#clock.setImmediate(() => this.end(code, reason, true))
      })
    })
  }

  /** Stops reading, as a suspended tab does. */
  pause(): void {
    this.#paused = true
  }

  /** Reads on. */
  resume(): void {
    this.#paused = false
    for (const arrival of this.#arrived.splice(0)) arrival()
    this.#server.takeAll()
  }

  /** The network goes without a word. Unless `halfOpen`, both ends notice. */
  cut({ halfOpen = false } = {}): void {
    this.#cut = true
    if (halfOpen) return
    this.#clock.setImmediate(() => {
      this.#server.end(1006)
      this.end(1006, '', false)
    })
  }

  /** @internal Something has arrived from the server. */
  arrive(action: () => void): void {
    if (this.#cut) return
    if (this.#paused) this.#arrived.push(action)
    else action()
  }

  /** @internal */
  get reads(): boolean {
    return !this.#paused && !this.#cut
  }

  /** @internal */
  end(code: number, reason: string, wasClean: boolean): void {
    if (this.readyState === MemoryWebSocket.CLOSED) return
    this.readyState = MemoryWebSocket.CLOSED
    this.onclose?.({ code, reason, wasClean })
  }
}

/** The server's end of a {@link MemoryWebSocket}. */
class MemoryServerSocket implements TransportSocket {
  sink: SocketSink | undefined
  bufferedBytes = 0
  ended = false
  readonly #client: MemoryWebSocket
  readonly #clock: Clock
  readonly #highWaterBytes: number
  #closing = false
  #paused = false
  #unread: (() => void)[] = []

  constructor(client: MemoryWebSocket, options: MemoryTransportOptions) {
    this.#client = client
    this.#clock = options.clock
    this.#highWaterBytes = options.highWaterBytes ?? 16_384
  }

  get ready(): boolean {
    return !this.ended && !this.#closing && this.bufferedBytes <= this.#highWaterBytes
  }

  write(frames: readonly Frame[]): void {
    if (this.ended || this.#closing) return
    if (!this.#client.reads) for (const frame of frames) this.bufferedBytes += frame.byteLength
    this.#clock.setImmediate(() => {
      this.#client.arrive(() => {
        for (const { payload } of frames) {
          if (this.#client.readyState < MemoryWebSocket.CLOSED) this.#client.onmessage?.({ data: payload })
        }
      })
    })
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    while (!this.#paused) {
      const arrival = this.#unread.shift()
      if (arrival === undefined) return
      arrival()
    }
  }

  /** Something has arrived from the client, in its turn. */
  read(arrival: () => void): void {
    if (this.#paused) this.#unread.push(arrival)
    else arrival()
  }

  ping(): void {
    if (this.ended) return
    this.#clock.setImmediate(() => {
      this.#client.arrive(() => {
        this.#clock.setImmediate(() => {
          if (!this.ended && this.#client.reads) this.read(() => this.sink?.pong())
        })
      })
    })
  }

  close(code: number, reason: string): void {
    if (this.ended || this.#closing) return
    this.#closing = true
    this.#clock.setImmediate(() => {
      this.#client.arrive(() => {
        this.#client.end(code, reason, true)
        this.#clock.setImmediate(() => this.end(code))
      })
    })
  }

  terminate(): void {
    if (this.ended) return
    this.end(1006)
    this.#clock.setImmediate(() => {
      this.#client.arrive(() => this.#client.end(1006, '', false))
    })
  }

  /** Closes for a fault of the client's. */
  fail(code: number): void {
    this.close(code, '')
    this.end(code)
  }

  end(code: number): void {
    if (this.ended) return
    this.ended = true
    this.bufferedBytes = 0
    this.sink?.closed(code)
  }

  takeAll(): void {
    const wasReady = this.ready
    this.bufferedBytes = 0
    if (!wasReady && this.ready) this.sink?.drained()
  }
}
