import { createClient, type Client, type ClientOptions } from '../client/index.ts'
import type { Handler, HandlerOptions, Handlers } from '../runtime/connection/handlers.ts'
import type { RuntimeOptions } from '../runtime/options.ts'
import { RuntimeTrunk } from '../runtime/runtime.ts'
import type { TelemetryEvent } from '../runtime/telemetry.ts'
import type { MemoryConnectOptions } from '../transports/memory.ts'
import { Network, type NetworkOptions } from './network/network.ts'
import type { TaskScheduler, VirtualClock } from './virtual-clock.ts'
import { createVirtualEnvironment, type VirtualEnvironment } from './virtual-environment.ts'
import { WireClient } from './wire-client.ts'

/** What `createTestRuntime` takes beside the runtime's own options. */
export interface TestRuntimeOptions extends Omit<RuntimeOptions, 'environment'> {
  /** Chooses everything that is left to chance. @default 1 */
  readonly seed?: number
  /** What lies between clients and the runtime. @default a network on which everything arrives at once */
  readonly network?: NetworkOptions
  /**
   * Chooses in which order promises of `authenticate` and of handlers settle: `fc.scheduler()` makes one. @default they
   * settle by themselves
   */
  readonly scheduler?: TaskScheduler
}

/** How a client of a test is made. */
export interface TestClientOptions extends ClientOptions {
  /** The name of the device that it runs on, for `network.device(name)`. @default a device of its own */
  readonly device?: string
}

const host = 'server'

/** A runtime on virtual time, without ports, and its clients in a line. */
export class TestRuntime {
  readonly environment: VirtualEnvironment
  readonly network: Network
  readonly runtime: RuntimeTrunk
  /** What the runtime has reported. */
  readonly telemetry: TelemetryEvent[] = []
  readonly #clients: Client[] = []
  #lastDevice = 0

  constructor({ seed = 1, network, scheduler, ...options }: TestRuntimeOptions = {}) {
    this.environment = createVirtualEnvironment(seed, scheduler === undefined ? {} : { scheduler })
    this.network = new Network(this.clock, { seed, ...network })
    this.runtime = new RuntimeTrunk({
      ...(scheduler === undefined ? options : scheduled(options, this.clock)),
      environment: this.environment,
      telemetry: (event) => {
        this.telemetry.push(event)
        options.telemetry?.(event)
      },
    })
    this.network.listen(host, this.runtime)
  }

  get clock(): VirtualClock {
    return this.environment.clock
  }

  /** Connects by hand: sends nothing by itself, and keeps what it receives. */
  async connect({ device, ...options }: MemoryConnectOptions & { device?: string } = {}): Promise<WireClient> {
    const name = device ?? this.#newDevice()
    const client = new WireClient(this.network.device(name).connect(host, options), this.clock, name)
    const ended = (): boolean => client.closed.length > 0
    await this.clock.until(() => client.socket.readyState === 1 || ended(), 60_000)
    return client
  }

  /** Connects by hand and joins a room. */
  async member(room: string, options: MemoryConnectOptions & { device?: string } = {}): Promise<WireClient> {
    const client = await this.connect(options)
    client.send({ type: 'join', room })
    await client.receives('joined', { room })
    return client
  }

  /** Connects the client library: what a user's page would have. */
  client({ device, ...options }: TestClientOptions = {}): Client {
    const { WebSocket, process } = this.network.device(device ?? this.#newDevice())
    const client = createClient(`ws://${host}/ws`, { WebSocket, environment: process.environment, ...options })
    this.#clients.push(client)
    return client
  }

  /**
   * Ends everything: clients, connections, the runtime.
   *
   * @throws Error when something is left: a connection, a session, a room, or a timer
   */
  async close(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close()
    const closed = this.runtime.close()
    await this.clock.advance(60_000)
    await closed
    const left = { ...this.runtime.census, timers: this.clock.pending }
    if (Object.values(left).some((count) => count > 0)) throw new Error(`Left behind: ${JSON.stringify(left)}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #newDevice(): string {
    return `device-${++this.#lastDevice}`
  }
}

/**
 * Starts a runtime for a test.
 *
 * @example
 * ```ts
 * await using test = createTestRuntime({ rooms: { 'chat:*': defineRoom() } })
 * const ada = await test.member('chat:lobby')
 * ada.send({ type: 'message', room: 'chat:lobby', data: 'hi' })
 * await ada.receives('message', { data: 'hi' })
 * ```
 * @throws RangeError, TypeError for options that `createRuntime` would not take
 */
export function createTestRuntime(options: TestRuntimeOptions = {}): TestRuntime {
  return new TestRuntime(options)
}

/** Has the promises of an application's functions settle in an order that the scheduler chooses. */
function scheduled(options: RuntimeOptions, clock: VirtualClock): RuntimeOptions {
  const through =
    <Args extends unknown[], Result>(label: string, act: (...args: Args) => Result) =>
    (...args: Args): Result => {
      const result = act(...args)
      return result instanceof Promise ? (clock.schedule(result, label) as Result) : result
    }
  const handlers: Record<string, Handler | HandlerOptions> = {}
  for (const [type, handler] of Object.entries(options.handlers ?? ({} as Handlers))) {
    handlers[type] =
      typeof handler === 'function' ? through(type, handler) : { ...handler, handle: through(type, handler.handle) }
  }
  const { authenticate } = options
  return {
    ...options,
    handlers,
    ...(authenticate === undefined
      ? {}
      : { authenticate: Object.assign(through('authenticate', authenticate), authenticate) }),
  }
}
