import { MemoryWebSocket, type Delivery, type MemoryConnectOptions } from '../../transports/memory.ts'
import type { SeededRandom } from '../random.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { VirtualProcess } from '../virtual-process.ts'
import { NetworkLink, type CutOptions } from './network-link.ts'
import type { Host, Network } from './network.ts'

/** How a device reaches the network: its attempts to connect succeed, are refused, or are never answered. */
export type Reach = 'online' | 'refused' | 'unanswered'

/** Where a client runs: what it connects by, and what may happen to that. */
export class Device {
  readonly name: string
  /** What runs on it; a client takes its environment from here. */
  readonly process: VirtualProcess
  /** A class to hand to `createClient`; the host in the address says whom it connects to. */
  readonly WebSocket: new (url: string, protocols?: string | string[]) => MemoryWebSocket
  /** Connections over it, until they were cut. */
  readonly links = new Set<NetworkLink>()
  reach: Reach = 'online'
  /** Sockets that are not read. What ended them may be among what has not been. */
  readonly #frozen = new Set<MemoryWebSocket>()
  /** Between these what is sent is under way (ms). */
  latencyMs: readonly [number, number]
  readonly #network: Network
  readonly #clock: VirtualClock
  readonly #random: SeededRandom

  /** @internal */
  constructor(network: Network, clock: VirtualClock, random: SeededRandom, name: string) {
    this.name = name
    this.#network = network
    this.#clock = clock
    this.#random = random
    this.latencyMs = network.latencyMs
    this.process = new VirtualProcess(clock, random.fork())
    const open = (host: string, request: MemoryConnectOptions): ConstructorParameters<typeof MemoryWebSocket> =>
      this.#open(host, request)
    this.WebSocket = class extends MemoryWebSocket {
      constructor(url: string, protocols: string | string[] = []) {
        const { hostname, searchParams } = new URL(url)
        const [protocol = ''] = [protocols].flat()
        const token = searchParams.get('token')
        super(...open(hostname, { protocol, ...(token === null ? {} : { token }) }))
      }
    }
  }

  /** Connects by hand. */
  connect(host: string, request: MemoryConnectOptions = {}): MemoryWebSocket {
    return new MemoryWebSocket(...this.#open(host, request))
  }

  /** The newest connection that has not been cut. */
  get link(): NetworkLink | undefined {
    return [...this.links].at(-1)
  }

  /** Cuts the connections that there are. New ones can be made. */
  cut(options: CutOptions = {}): void {
    for (const link of this.links) link.cut(options)
  }

  /** Lets what is sent by the present connections wait until {@link release}. */
  stall(): void {
    for (const link of this.links) link.stall()
  }

  release(): void {
    for (const link of this.links) link.release()
  }

  /** Reads no more: what is sent to it waits, first here and then in the server. */
  freeze(): void {
    for (const { socket } of this.links) {
      socket.pause()
      this.#frozen.add(socket)
    }
  }

  /** Reads on. */
  thaw(): void {
    const thawed = [...this.#frozen]
    this.#frozen.clear()
    for (const socket of thawed) {
      // A process that is stopped reads when it goes on, unless it is not to by then.
      this.process.run(() => {
        if (!this.#frozen.has(socket)) socket.resume()
      })
    }
  }

  #open(host: string, request: MemoryConnectOptions): ConstructorParameters<typeof MemoryWebSocket> {
    const found = this.#network.hostOf(host)
    const { frameBytes, highWaterBytes } = this.#network.options
    const options = {
      clock: this.process.environment.clock,
      link: (socket: MemoryWebSocket) => this.#link(socket, found),
      ...(frameBytes === undefined ? {} : { frameBytes }),
      ...(highWaterBytes === undefined ? {} : { highWaterBytes }),
    }
    return [found?.acceptor ?? nobody, options, { address: this.name, ...request }]
  }

  #link(socket: MemoryWebSocket, host: Host | undefined): NetworkLink {
    const link: NetworkLink = new NetworkLink(
      this,
      host,
      socket,
      { ...this.#pipe('toServer', () => link), perform: (arrive) => host?.perform(arrive) },
      { ...this.#pipe('toClient', () => link), perform: (arrive) => this.process.run(arrive) },
    )
    if (this.reach === 'online' && host !== undefined) {
      host.links.add(link)
      this.links.add(link)
    } else {
      const noticedBy = this.reach === 'unanswered' ? 'nobody' : 'client'
      link.cut({ noticedBy, afterMs: this.#latency() })
    }
    return link
  }

  #pipe(direction: 'toServer' | 'toClient', link: () => NetworkLink) {
    const network = this.#network
    return {
      clock: this.#clock,
      random: this.#random,
      latencyMs: () => this.#latency(),
      splitChance: network.options.splitChance ?? 0,
      sent: (delivery: Delivery) => network.observer?.sent?.(link(), direction, delivery),
      arrived: (delivery: Delivery) => {
        if (delivery.kind === 'close') link().forget()
        network.observer?.arrived?.(link(), direction, delivery)
      },
    }
  }

  #latency(): number {
    const [least, most] = this.latencyMs
    return most === 0 ? 0 : this.#random.between(least, most)
  }
}

/** Where nobody listens. The link is cut before anything arrives. */
const nobody = {
  accept: (): never => {
    throw new Error('Nobody listens here.')
  },
}
