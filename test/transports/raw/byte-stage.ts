import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import {
  createRuntime,
  type Connection,
  type Runtime,
  type RuntimeOptions,
  type TelemetryEvent,
} from '../../../src/index.ts'
import { ByteClient, type Manners } from './byte-client.ts'
import { close, text } from './raw-frame.ts'
import { upgradeRequest, type RawRequest } from './raw-request.ts'

/** How a connection ended: the server's close frame, 1006 when there was none, and what the runtime was told. */
export interface Ending {
  readonly code: number
  readonly reason: string
  readonly told: string
}

/** How a connection ends that was closed for a fault of its client's. */
export function faultOf(code: number): Ending {
  return { code, reason: '', told: code === 1009 ? 'message-too-big' : 'protocol-error' }
}

/**
 * A runtime on a port of its own, and somebody on it who does nothing wrong. After each test nobody else is left, the
 * bystander has received what it should and nothing else, and nothing has crashed.
 */
export class ByteStage {
  runtime!: Runtime
  port = 0
  readonly #options: RuntimeOptions
  readonly #telemetry: TelemetryEvent[] = []
  readonly #connections = new Map<ByteClient, string>()
  readonly #clients: ByteClient[] = []
  #listeners: (() => void)[] = []
  #bystander!: ByteClient
  #said = 0

  constructor(options: RuntimeOptions = {}) {
    this.#options = options
    beforeAll(() => this.#begin())
    afterEach(() => this.#checkPeace())
    afterAll(() => this.#end())
  }

  /** Opens a TCP connection, and says nothing yet. */
  async connect(manners: Manners = {}): Promise<ByteClient> {
    const client = await ByteClient.connect(this.port, manners)
    this.#clients.push(client)
    return client
  }

  /** Comes in and is welcomed. */
  async enter(options: Manners & RawRequest = {}): Promise<ByteClient> {
    const client = await this.connect(options)
    const opened = this.#telemetry.length
    client.write(upgradeRequest(options))
    await client.until(() => client.messages.length === 1)
    const welcomed = this.#telemetry.slice(opened).find(({ type }) => type === 'connection.opened')
    if (welcomed?.type === 'connection.opened') this.#connections.set(client, welcomed.connection)
    this.#speak()
    return client
  }

  /** The runtime's side of a client that was welcomed. */
  connectionOf(client: ByteClient): Connection {
    const id = this.#connections.get(client)
    const connection = this.runtime.connections.find((each) => each.id === id)
    if (connection === undefined) throw new Error('The client takes no part.')
    return connection
  }

  /** The word that the runtime has for the end of a client that was welcomed; undefined as long as it holds it. */
  fateOf(client: ByteClient): string | undefined {
    const id = this.#connections.get(client)
    const closed = this.#telemetry.find((event) => event.type === 'connection.closed' && event.connection === id)
    return closed?.type === 'connection.closed' ? closed.reason : undefined
  }

  /** Waits until the runtime has let go of a client that was welcomed; gives the word that it has for its end. */
  async told(client: ByteClient): Promise<string> {
    for (;;) {
      const fate = this.fateOf(client)
      if (fate !== undefined) return fate
      await this.#next()
    }
  }

  /** Waits until a client that was welcomed has been ended. */
  async ending(client: ByteClient): Promise<Ending> {
    await client.until(() => client.ended)
    const told = await this.told(client)
    return { ...(client.closing ?? { code: 1006, reason: '' }), told }
  }

  async #begin(): Promise<void> {
    this.runtime = createRuntime({
      handlers: { echo: (data) => data },
      telemetry: (event) => {
        this.#telemetry.push(event)
        for (const resolve of this.#listeners.splice(0)) resolve()
      },
      ...this.#options,
    })
    this.port = await this.runtime.listen(0, { host: '127.0.0.1' })
    this.#bystander = await ByteClient.connect(this.port, { answersPings: true })
    this.#bystander.write(upgradeRequest())
    this.#bystander.write(text(JSON.stringify({ type: 'join', room: 'hall' })))
    await this.#bystander.until(() => this.#bystander.messages.length === 2)
  }

  /** The bystander says something to the room that only it is in. */
  #speak(): void {
    const id = ++this.#said
    this.#bystander.write(text(JSON.stringify({ type: 'message', room: 'hall', data: id, id })))
  }

  async #checkPeace(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.tcp.destroy()
    while (this.runtime.census.connections > 1) await this.#next()
    this.#speak()
    await this.#bystander.until(() => this.#bystander.messages.length >= 2 + 2 * this.#said)
    const expected = Array.from({ length: this.#said }, (_, i) => i + 1)
    const { messages } = this.#bystander
    expect(messages).toHaveLength(2 + 2 * this.#said)
    expect(messages.flatMap(({ type, data }) => (type === 'message' ? [data] : []))).toEqual(expected)
    expect(messages.flatMap(({ type, offset }) => (type === 'ack' ? [offset] : []))).toEqual(expected)
    const failures = this.#telemetry.filter(({ type }) => !/^(request|connection|authentication)\./.test(type))
    expect(failures).toEqual([])
  }

  async #end(): Promise<void> {
    this.#bystander.write(close(1000))
    await this.#bystander.until(() => this.#bystander.ended)
    while (this.runtime.census.connections > 0) await this.#next()
    await this.runtime.close()
    expect(this.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
  }

  /** Resolves when the runtime reports something, and has done with it. */
  async #next(): Promise<void> {
    await new Promise<void>((resolve) => this.#listeners.push(resolve))
    await new Promise<void>((resolve) => void setImmediate(resolve))
  }
}
