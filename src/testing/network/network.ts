import type { Acceptor } from '../../runtime/ports/transport.ts'
import type { Delivery, MemoryTransportOptions } from '../../transports/memory.ts'
import { SeededRandom } from '../random.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import type { VirtualProcess } from '../virtual-process.ts'
import { Device } from './device.ts'
import type { CutOptions, NetworkLink } from './network-link.ts'

/** What a network is like. */
export interface NetworkOptions extends Pick<MemoryTransportOptions, 'frameBytes' | 'highWaterBytes'> {
  /** Chooses what is left to chance. @default 1 */
  readonly seed?: number
  /** Between these what is sent is under way (ms); a device may have its own. @default [0, 0] */
  readonly latencyMs?: readonly [number, number]
  /** How often what was written in one piece arrives in two (0 to 1). @default 0 */
  readonly splitChance?: number
}

/** Sees everything that goes over a network. Must not throw. */
export interface NetworkObserver {
  sent?(link: NetworkLink, direction: 'toServer' | 'toClient', delivery: Delivery): void
  arrived?(link: NetworkLink, direction: 'toServer' | 'toClient', delivery: Delivery): void
}

/** A server that can be reached. */
export interface Host {
  readonly acceptor: Acceptor
  readonly links: Set<NetworkLink>
  /** Acts upon what has arrived. */
  perform(arrive: () => void): void
}

/**
 * A network in one process and on virtual time. It connects devices with hosts over links that are slow, stall, are cut
 * with or without anybody noticing, and lose what was under way; within one direction of a link everything keeps its
 * order, between links nothing does.
 *
 * @example
 * ```ts
 * const network = new Network(environment.clock, { seed: 7, latencyMs: [5, 80] })
 * network.listen('server', runtime)
 * const phone = network.device('phone')
 * const client = createClient('ws://server/ws', { WebSocket: phone.WebSocket, environment: phone.process.environment })
 * phone.cut({ noticedBy: 'client' }) // the server believes in it until its heartbeat is not answered
 * ```
 */
export class Network {
  readonly latencyMs: readonly [number, number]
  readonly options: NetworkOptions
  observer: NetworkObserver | undefined
  readonly devices = new Map<string, Device>()
  readonly #clock: VirtualClock
  readonly #random: SeededRandom
  readonly #hosts = new Map<string, Host>()
  readonly #listening = new Set<string>()

  constructor(clock: VirtualClock, options: NetworkOptions = {}) {
    this.#clock = clock
    this.options = options
    this.latencyMs = options.latencyMs ?? [0, 0]
    this.#random = new SeededRandom(options.seed ?? 1)
  }

  /**
   * Lets a server be reached under a name.
   *
   * @param process - what it runs in; while that is stopped, what arrives waits
   */
  listen(name: string, acceptor: Acceptor, process?: VirtualProcess): void {
    const perform = process === undefined ? (arrive: () => void) => arrive() : process.run.bind(process)
    this.#hosts.set(name, { acceptor, links: new Set(), perform })
    this.#listening.add(name)
  }

  /** Lets it be reached no more. Its connections go on, until they end or it is {@link lose | lost}. */
  unlisten(name: string): void {
    this.#listening.delete(name)
  }

  /** A server is gone: its connections are cut, and it is reached no more. */
  lose(name: string, options: CutOptions = {}): void {
    const host = this.#hosts.get(name)
    this.unlisten(name)
    this.#hosts.delete(name)
    for (const link of host?.links ?? []) link.cut({ noticedBy: 'client', ...options })
  }

  /** A device, the same for the same name. */
  device(name: string): Device {
    let device = this.devices.get(name)
    if (device === undefined) {
      device = new Device(this, this.#clock, this.#random.fork(), name)
      this.devices.set(name, device)
    }
    return device
  }

  /** @internal */
  hostOf(name: string): Host | undefined {
    return this.#listening.has(name) ? this.#hosts.get(name) : undefined
  }
}
