import type { Acceptor, ConnectRequest, SocketSink, TransportSocket } from '../../src/runtime/ports/transport.ts'
import { Network, VirtualClock, type Device, type NetworkOptions } from '../../src/testing/index.ts'
import type { MemoryWebSocket } from '../../src/transports/memory.ts'
import { write } from '../transports/scene.ts'

/** A connection over a network, and what its two ends have heard. */
export class Line implements SocketSink {
  readonly device: Device
  /** The client's end. */
  readonly socket: MemoryWebSocket
  /** The server's end, once it has come. */
  near: TransportSocket | undefined
  readonly atServer: string[] = []
  readonly atClient: string[] = []
  /** The codes with which it ended, at either end. */
  readonly serverCloses: number[] = []
  readonly clientCloses: number[] = []
  drains = 0
  pings = 0
  pongs = 0

  constructor(device: Device, name: string) {
    this.device = device
    this.socket = device.connect('server', { token: name })
    this.socket.onmessage = ({ data }) => this.atClient.push(String(data))
    this.socket.onclose = ({ code }) => this.clientCloses.push(code)
  }

  /** The server says something, in one piece. */
  tell(...texts: string[]): void {
    if (this.near === undefined) throw new Error('It has not come yet.')
    write(this.near, ...texts)
  }

  /** The client says something. */
  say(...texts: string[]): void {
    for (const text of texts) this.socket.send(text)
  }

  message(text: string): void {
    this.atServer.push(text)
  }
  binary(bytes: Uint8Array): void {
    this.atServer.push(`bytes ${bytes.join()}`)
  }
  ping(): void {
    this.pings++
  }
  pong(): void {
    this.pongs++
  }
  drained(): void {
    this.drains++
  }
  closed(code: number): void {
    this.serverCloses.push(code)
  }
}

/** A network with one server on it that only listens. */
export class Lines implements Acceptor {
  readonly clock = new VirtualClock()
  readonly network: Network
  readonly #lines: Line[] = []

  constructor(options: NetworkOptions = {}) {
    this.network = new Network(this.clock, options)
    this.network.listen('server', this)
  }

  /** Begins to connect from a device. */
  dial(device = 'phone'): Line {
    const line = new Line(this.network.device(device), String(this.#lines.length))
    this.#lines.push(line)
    return line
  }

  /** Connects from a device. */
  async connect(device = 'phone'): Promise<Line> {
    const line = this.dial(device)
    await this.clock.until(() => line.socket.readyState === 1, 60_000)
    return line
  }

  accept(socket: TransportSocket, { token }: ConnectRequest): SocketSink {
    const line = this.#lines[Number(token)]
    if (line === undefined) throw new Error(`Nobody has dialled as ${token}.`)
    line.near = socket
    return line
  }
}

/** Some names for what is said. */
export const words = (count: number, prefix = ''): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
