import type { Link, MemoryWebSocket } from '../../transports/memory.ts'
import type { Device } from './device.ts'
import { NetworkPipe, type PipeTerms } from './network-pipe.ts'
import type { Host } from './network.ts'

/** Who notices that a link was cut, and when. */
export interface CutOptions {
  /** `nobody` is a half-open connection: both ends believe in it until they try to use it. @default 'both' */
  readonly noticedBy?: 'both' | 'client' | 'server' | 'nobody'
  /** How long it takes to be noticed (ms). @default 0 */
  readonly afterMs?: number
}

/** The two directions of one connection over the network. */
export class NetworkLink implements Link {
  readonly device: Device
  readonly socket: MemoryWebSocket
  readonly toServer: NetworkPipe
  readonly toClient: NetworkPipe
  readonly #host: Host | undefined
  readonly #terms: PipeTerms

  constructor(
    device: Device,
    host: Host | undefined,
    socket: MemoryWebSocket,
    toServer: PipeTerms,
    toClient: PipeTerms,
  ) {
    this.device = device
    this.#host = host
    this.socket = socket
    this.toServer = new NetworkPipe(toServer)
    this.toClient = new NetworkPipe(toClient)
    this.#terms = toServer
  }

  /** What is under way is lost, and nothing arrives any more. */
  cut({ noticedBy = 'both', afterMs = 0 }: CutOptions = {}): void {
    this.toServer.cut()
    this.toClient.cut()
    this.socket.cut({ halfOpen: true })
    this.forget()
    if (noticedBy === 'nobody') return
    this.#terms.clock.setTimeout(() => {
      if (noticedBy !== 'client') this.#terms.perform(() => this.socket.notice('server'))
      if (noticedBy !== 'server') this.device.process.run(() => this.socket.notice('client'))
    }, afterMs)
  }

  /** Neither end counts it among its connections any more. */
  forget(): void {
    this.device.links.delete(this)
    this.#host?.links.delete(this)
  }

  /** Holds everything, both ways, until {@link release}. */
  stall(): void {
    this.toServer.stall()
    this.toClient.stall()
  }

  release(): void {
    this.toServer.release()
    this.toClient.release()
  }
}
