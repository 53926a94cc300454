import { expect, onTestFinished } from 'vitest'
import { createClient, type Client, type ClientOptions } from '../src/client/index.ts'
import type { RuntimeOptions } from '../src/runtime/options.ts'
import { RuntimeTrunk } from '../src/runtime/runtime.ts'
import type { TelemetryEvent } from '../src/runtime/telemetry.ts'
import { createVirtualEnvironment, type VirtualEnvironment } from '../src/testing/index.ts'
import {
  memoryTransport,
  type MemoryConnectOptions,
  type MemoryTransport,
  type MemoryWebSocket,
} from '../src/transports/memory.ts'

type Wire = { readonly type: string; readonly [key: string]: unknown }

/** A client by hand: what it sent is written in the test, what it got is here. */
export interface RawClient {
  readonly socket: MemoryWebSocket
  readonly received: Wire[]
  readonly closed: { code: number; reason: string }[]
  send(message: object | string): void
  /** What was received of one type. */
  of(type: string): Wire[]
  /** What was received of one type last. */
  last(type: string): Wire
}

/** A runtime on virtual time with clients in a row. It is closed after the test, and nothing of it may be left. */
export class Stage {
  readonly environment: VirtualEnvironment
  readonly runtime: RuntimeTrunk
  readonly transport: MemoryTransport
  readonly telemetry: TelemetryEvent[] = []
  readonly #clients: Client[] = []

  constructor(options: RuntimeOptions = {}, seed = 1) {
    this.environment = createVirtualEnvironment(seed)
    this.runtime = new RuntimeTrunk({
      environment: this.environment,
      telemetry: (event) => this.telemetry.push(event),
      ...options,
    })
    this.transport = memoryTransport(this.runtime, { clock: this.environment.clock })
    onTestFinished(() => this.strike())
  }

  get clock() {
    return this.environment.clock
  }

  /** Connects by hand. */
  async connect(options: MemoryConnectOptions = {}): Promise<RawClient> {
    const socket = this.transport.connect(options)
    const received: Wire[] = []
    const closed: RawClient['closed'] = []
    socket.onmessage = ({ data }) => received.push(JSON.parse(String(data)) as Wire)
    socket.onclose = ({ code, reason }) => closed.push({ code, reason })
    await this.clock.settle()
    const of = (type: string): Wire[] => received.filter((message) => message.type === type)
    return {
      socket,
      received,
      closed,
      send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
      of,
      last: (type) => {
        const found = of(type).at(-1)
        if (found === undefined) throw new Error(`no ${type} among ${JSON.stringify(received)}`)
        return found
      },
    }
  }

  /** Connects by hand and joins a room. */
  async member(room = 'main', options: MemoryConnectOptions = {}): Promise<RawClient> {
    const client = await this.connect(options)
    client.send({ type: 'join', room })
    await this.clock.settle()
    client.last('joined')
    return client
  }

  /** Connects the client library. */
  client(options: ClientOptions = {}): Client {
    const client = createClient('ws://memory/ws', {
      WebSocket: this.transport.WebSocket,
      environment: this.environment,
      ...options,
    })
    this.#clients.push(client)
    return client
  }

  /** Ends everything, and sees that nothing is left: no connection, no session, no room, no timer. */
  async strike(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close()
    const closed = this.runtime.close()
    await this.clock.advance(60_000)
    await closed
    expect(this.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
    expect(this.clock.pending).toBe(0)
  }
}
