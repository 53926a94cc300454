import { expect, onTestFinished } from 'vitest'
import { createClient, type Client, type ClientOptions, type WebSocketLike } from '../../src/client/index.ts'
import { createVirtualEnvironment, type VirtualEnvironment } from '../../src/testing/index.ts'

/** A message as it stands on the wire. */
export interface Wire {
  readonly type: string
  readonly [field: string]: unknown
}

type Answer = (message: Wire, socket: ScriptedSocket) => void

/**
 * A server whose every word stands in the test, so that it can also say what a true one would not. It greets, joins and
 * answers pings by itself, until the test says otherwise. After the test its clients are closed, and no timer may be left.
 */
export class ScriptedServer {
  readonly environment: VirtualEnvironment
  readonly sockets: ScriptedSocket[] = []
  /** What has arrived, by whichever socket. */
  readonly received: Wire[] = []
  /** The codes with which clients have closed. */
  readonly closes: number[] = []
  /** Whether sessions are found again. */
  remembers = true
  /** Whether a socket can be opened. */
  reachable = true
  readonly #answers = new Map<string, Answer>()
  readonly #clients: Client[] = []

  constructor(seed = 1) {
    this.environment = createVirtualEnvironment(seed)
    let sessions = 0
    this.answer('hello', ({ resume }, socket) => {
      const resumed = this.remembers && resume !== undefined
      const session = resumed ? (resume as { session: string }).session : `session-${++sessions}`
      socket.say({ type: 'welcome', session, secret: 'secret', user: 'ada', resumed, ...figures })
    })
    this.answer('ping', (_message, socket) => socket.say({ type: 'pong' }))
    this.answer('join', (message, socket) => socket.say(joined(message)))
    this.answer('leave', ({ room }, socket) => socket.say({ type: 'left', room }))
    onTestFinished(async () => {
      for (const client of this.#clients) client.close()
      await this.clock.settle()
      expect(this.clock.pending).toBe(0)
    })
  }

  get clock() {
    return this.environment.clock
  }

  /** The newest socket. */
  get socket(): ScriptedSocket {
    const socket = this.sockets.at(-1)
    if (socket === undefined) throw new Error('Nobody has come yet.')
    return socket
  }

  /** Says how messages of a type are answered from now on. */
  answer(type: string, answer: Answer): void {
    this.#answers.set(type, answer)
  }

  client(options: ClientOptions = {}): Client {
    const server = this
    const { environment } = this
    const WebSocket = class extends ScriptedSocket {
      constructor() {
        super(server)
      }
    }
    const client = createClient('ws://scripted/ws', { environment, WebSocket, ...options })
    this.#clients.push(client)
    return client
  }

  /** What was received of one type. */
  of(type: string): Wire[] {
    return this.received.filter((message) => message.type === type)
  }

  /** Says something by the newest socket, and lets it arrive. */
  async say(...messages: Wire[]): Promise<void> {
    for (const message of messages) this.socket.say(message)
    await this.clock.settle()
  }

  /** @internal */
  take(message: Wire, socket: ScriptedSocket): void {
    this.received.push(message)
    this.#answers.get(message.type)?.(message, socket)
  }
}

/** The client's end of a connection to a {@link ScriptedServer}, and what the server does with it. */
export class ScriptedSocket implements WebSocketLike {
  readyState = 0
  binaryType = ''
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  readonly #server: ScriptedServer

  constructor(server: ScriptedServer) {
    this.#server = server
    server.sockets.push(this)
    this.#later(() => {
      if (!server.reachable) return this.#over(1006)
      this.readyState = 1
      this.onopen?.({} as never)
    })
  }

  send(data: string | Uint8Array): void {
    if (this.readyState === 0) throw new Error('The socket is not open yet.')
    this.#later(() => {
      if (this.readyState === 1) this.#server.take(JSON.parse(String(data)) as Wire, this)
    })
  }

  close(code = 1005): void {
    if (this.readyState > 1) return
    this.readyState = 2
    this.#server.closes.push(code)
    this.#later(() => this.#over(code))
  }

  /** The server says something; a text as it is. */
  say(message: Wire | string): void {
    this.#later(() => {
      const data = typeof message === 'string' ? message : JSON.stringify(message)
      if (this.readyState === 1) this.onmessage?.({ data } as never)
    })
  }

  /** The server closes, or the network does. */
  end(code = 1006, reason = ''): void {
    this.#later(() => this.#over(code, reason))
  }

  #over(code: number, reason = ''): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.onclose?.({ code, reason } as never)
  }

  /** Nothing arrives within the turn in which it was sent. */
  #later(callback: () => void): void {
    this.#server.clock.setImmediate(callback)
  }
}

const figures = {
  heartbeat: { intervalMs: 25_000, timeoutMs: 10_000 },
  limits: { frameBytes: 65_536, rooms: 100, presenceBytes: 2_048 },
}

/** The answer to a `join`: to a room in which nothing was said, unless there is more to it. */
export function joined({ id, room }: Wire, more: object = {}): Wire {
  return { type: 'joined', id, room, epoch: 'e1', offset: 0, members: [], recovered: false, messages: [], ...more }
}

/** A message of a room, by default one that says its own offset. */
export function message(offset: number, more: object = {}): Wire {
  const from = { user: 'bob', session: 'b' }
  return { type: 'message', room: 'main', epoch: 'e1', offset, at: 0, from, data: offset, ...more }
}

/** A message that has no place in the room's log. */
export function volatile(data: unknown): Wire {
  const { epoch: _epoch, offset: _offset, ...rest } = message(0)
  return { ...rest, data, volatile: true }
}
