import { assign, createActor, fromPromise, type ActorRefFrom } from 'xstate'
import { clientMachine } from '../../machines/client.ts'
import { returnPolicy, type Json, type RequestId, type ServerMessage, type WelcomeMessage } from '../protocol/index.ts'
import { Calls } from './calls.ts'
import { ClientError } from './client-error.ts'
import type { ClientRoom } from './client-room.ts'
import { ClientRooms } from './client-rooms.ts'
import { ClientSocket } from './client-socket.ts'
import { Emitter } from './emitter.ts'
import { platformEnvironment, type ClientEnvironment } from './environment.ts'
import { listenToPlatform } from './platform-signals.ts'
import { platformWebSocket, type WebSocketClass } from './web-socket.ts'

/** What `createClient` takes beside the address. */
export interface ClientOptions {
  /** Who this is; a function is asked again for every connection. */
  readonly token?: string | (() => string | Promise<string>)
  /** The class of sockets. @default the platform's; Node 20 has none */
  readonly WebSocket?: WebSocketClass
  /** The longest wait before the first further attempt (ms); it doubles with each. @default 500 */
  readonly backoffMs?: number
  /** The longest wait at all (ms). @default 20_000 */
  readonly backoffMaxMs?: number
  /** How long a call waits for its reply, time without a connection included (ms). @default 30_000 */
  readonly callTimeoutMs?: number
  /**
   * Calls that may wait at once; a server recognises a retry among a session's last 256 requests to a room.
   * @default 256
   */
  readonly callLimit?: number
  /** Time and randomness. @default the platform's */
  readonly environment?: ClientEnvironment
}

/** Where a client is in its life: the states of its machine. */
export type ClientStatus = 'idle' | 'connecting' | 'authenticating' | 'open' | 'waiting' | 'suspended' | 'closed'

interface ClientEvents extends Record<string, unknown> {
  status: ClientStatus
  /** A message that is not the protocol's but the application's own. */
  message: { readonly type: string; readonly data?: unknown }
  error: ClientError
}

/** A connection that comes back by itself. */
export class Client {
  /** The machine that decides everything here; works with `@xstate/react`'s `useSelector` as it is. */
  readonly actor: ActorRefFrom<typeof clientMachine>
  readonly #url: string
  readonly #options: ClientOptions
  readonly #environment: ClientEnvironment
  readonly #WebSocket: WebSocketClass
  readonly #events = new Emitter<ClientEvents>()
  readonly #rooms: ClientRooms
  readonly #calls: Calls
  readonly #callTimeoutMs: number
  readonly #stopListening: () => void
  #socket: ClientSocket | undefined
  #token: string | undefined
  #welcome: WelcomeMessage | undefined

  constructor(url: string, options: ClientOptions = {}) {
    this.#url = new URL(url).href
    this.#options = options
    this.#environment = options.environment ?? platformEnvironment()
    this.#WebSocket = options.WebSocket ?? platformWebSocket()
    this.#callTimeoutMs = options.callTimeoutMs ?? 30_000
    const transmit = (message: object): boolean => this.#transmit(message)
    this.#calls = new Calls(this.#environment, transmit, options.callLimit ?? 256)
    this.#rooms = new ClientRooms(
      {
        request: (message, timeoutMs = this.#callTimeoutMs) => this.#request(message, timeoutMs),
        transmit,
        now: () => this.#environment.clock.now(),
        write: (message) => this.#write(message),
        isOpen: () => this.status === 'open',
      },
      this.#calls,
    )
    this.actor = createActor(this.#machine(), { input: { port: this }, clock: this.#environment.clock })
    let status: ClientStatus = 'idle'
    this.actor.subscribe({
      next: (snapshot) => {
        if (this.status === status) return
        status = this.status
        this.#events.emit('status', status)
        if (snapshot.status === 'done') this.#stopListening()
      },
      error: (error) => this.#events.emit('error', new ClientError('internal', String(error))),
    })
    this.#stopListening = listenToPlatform({
      online: () => this.actor.send({ type: 'network.online' }),
      offline: () => this.actor.send({ type: 'network.offline' }),
      wake: () => this.actor.send({ type: 'client.wake' }),
    })
    this.actor.start()
    this.actor.send({ type: 'client.open' })
  }

  /** Where the client is in its life. */
  get status(): ClientStatus {
    const { value } = this.actor.getSnapshot()
    return (typeof value === 'string' ? value : Object.keys(value)[0]) as ClientStatus
  }

  /** When the next attempt to connect is due (ms since the epoch), while `waiting`. */
  get retryAt(): number | undefined {
    return this.actor.getSnapshot().context.retryAt
  }

  /** How the last socket ended: the close code and reason, as for why the client is `closed`. */
  get lastClose(): { readonly code: number; readonly reason: string } | undefined {
    return this.actor.getSnapshot().context.lastClose
  }

  /** Who the server says this is, once it has. */
  get user(): string | undefined {
    return this.#welcome?.user
  }

  /** The session's id, once there is one. */
  get session(): string | undefined {
    return this.#welcome?.session
  }

  /** Returns what ends the listening. */
  on<Type extends keyof ClientEvents & string>(type: Type, listener: (value: ClientEvents[Type]) => void): () => void {
    return this.#events.on(type, listener)
  }

  /**
   * Joins a room, now or as soon as there is a connection, and again whenever the connection comes back. Joining a
   * room that is joined gives the same room.
   *
   * @param presence - what the others are shown of this user; plain JSON
   * @throws RangeError when it cannot be a room's name: empty, over 255 bytes, or with control characters
   */
  join(name: string, { presence }: { presence?: Json } = {}): ClientRoom {
    return this.#rooms.join(name, presence)
  }

  /**
   * Sends a message of the application's own to the connection's machine.
   *
   * @returns once the machine has taken it
   * @throws ClientError `not-allowed` when the machine's state does not take it
   */
  async send(type: string, data?: Json): Promise<void> {
    await this.#request({ type, ...(data === undefined ? {} : { data }) }, this.#callTimeoutMs)
  }

  /** Leaves for good: the session ends, calls that wait are rejected with `closed`. */
  close(): void {
    if (this.status !== 'closed') this.actor.send({ type: 'client.close' })
  }

  #request<Reply>(message: object, timeoutMs: number): Promise<Reply> {
    if (this.status === 'closed') return Promise.reject(closedError(this.lastClose))
    return this.#calls.request<Reply>(message, timeoutMs)
  }

  /** Sends now, if that is possible; what is not sent is left to {@link #restore}. */
  #transmit(message: object): boolean {
    return this.status === 'open' && this.#rooms.mayGo(message) && this.#write(message)
  }

  #write(message: object): boolean {
    if (this.#socket === undefined) return false
    if (this.#socket.write(message, this.#welcome?.limits?.frameBytes ?? Infinity)) return true
    const { id } = message as { id?: RequestId }
    if (id !== undefined) this.#calls.reject(id, 'too-large', 'The message is larger than the server takes.')
    return false
  }

  #machine(): typeof clientMachine {
    const { clock, random } = this.#environment
    const { backoffMs = 500, backoffMaxMs = 20_000 } = this.#options
    return clientMachine.provide({
      actors: {
        getToken: fromPromise(async () => {
          const { token } = this.#options
          try {
            this.#token = typeof token === 'function' ? await token() : token
          } catch (error) {
            this.#events.emit('error', new ClientError('not-authenticated', `token() failed: ${String(error)}`))
            throw error
          }
        }),
      },
      actions: {
        openSocket: () => this.#openSocket(),
        sendHello: () => this.#sendHello(),
        restore: () => this.#restore(),
        pauseRooms: () => this.#rooms.pause(),
        sendPing: () => void this.#write({ type: 'ping' }),
        dropSocket: () => {
          this.#socket?.drop()
          this.#socket = undefined
        },
        closeSocket: () => {
          this.#socket?.leave()
          this.#socket = undefined
        },
        failCalls: ({ event }) => this.#fail(event.type === 'socket.closed' ? event : undefined),
        scheduleRetry: assign({
          // Full jitter: anything up to the bound, so that those who fell together do not rise together.
          retryAt: ({ context }) =>
            clock.now() + random() * Math.min(backoffMaxMs, backoffMs * 2 ** Math.min(context.attempts, 30)),
        }),
      },
      delays: {
        backoff: ({ context }) => Math.max(0, (context.retryAt ?? 0) - clock.now()),
        pingInterval: () => this.#welcome?.heartbeat?.intervalMs ?? 25_000,
        pongTimeout: () => this.#welcome?.heartbeat?.timeoutMs ?? 10_000,
      },
    })
  }

  /** The client is over. When that was the server's word, nobody may have asked: it is an error as well. */
  #fail(close: { readonly code: number; readonly reason: string } | undefined): void {
    const error = closedError(close)
    this.#calls.rejectAll(error.code, error.message)
    if (close !== undefined) this.#events.emit('error', error)
  }

  #openSocket(): void {
    const closed = (code: number, reason: string): void =>
      this.actor.send({ type: 'socket.closed', code, reason, policy: returnPolicy(code) })
    try {
      this.#socket = new ClientSocket(this.#WebSocket, this.#url, {
        opened: () => this.actor.send({ type: 'socket.opened' }),
        received: (message, bytes) => this.#receive(message, bytes),
        closed,
      })
    } catch (error) {
      // A policy of the page forbids the address, say. That may change; a dead client would not.
      closed(1006, String(error))
    }
  }

  #sendHello(): void {
    const resume = this.#welcome && { session: this.#welcome.session, secret: this.#welcome.secret }
    this.#write({ type: 'hello', token: this.#token, resume })
  }

  #restore(): void {
    if (this.#welcome?.resumed !== true) this.#calls.rejectUnconfirmed()
    this.#calls.retransmit(undefined, (message) => this.#write(message))
    this.#rooms.restore()
  }

  #receive(message: ServerMessage, bytes: Uint8Array | undefined): void {
    if (this.actor.getSnapshot().matches({ open: 'checking' })) this.actor.send({ type: 'socket.heard' })
    try {
      this.#handle(message, bytes)
    } catch (error) {
      // A server that sends what it should not is to cost a message, not the page.
      this.#events.emit('error', new ClientError('bad-message', String(error)))
    }
  }

  #handle(message: ServerMessage, bytes: Uint8Array | undefined): void {
    if (message.type === 'error' && this.#calls.fail(message)) return
    if (this.#rooms.receive(message, bytes)) return
    switch (message.type) {
      case 'welcome':
        this.#welcome = message
        this.actor.send({ type: 'socket.welcomed' })
        return
      case 'error':
        this.#events.emit('error', new ClientError(message.code, message.message))
        return
      case 'ack':
      case 'left':
      case 'history':
      case 'authenticated':
        if (message.id !== undefined) this.#calls.settle(message.id, message)
        return
      case 'pong':
        return
      default:
        this.#events.emit('message', message as { type: string; data?: unknown })
    }
  }
}

function closedError(close: { readonly code: number; readonly reason: string } | undefined): ClientError {
  const by = close === undefined ? '' : ` The server closed it: ${close.code} ${close.reason}`
  return new ClientError('closed', `The client is closed.${by}`)
}

/**
 * Connects to a Greenroom server and stays connected.
 *
 * @param url - `ws:` or `wss:`
 * @example
 * ```ts
 * const client = createClient('wss://example.org/ws', { token })
 * const room = client.join('chat:lobby')
 * room.on('message', ({ from, data }) => show(from, data))
 * await room.send({ text: 'hello' })
 * ```
 * @throws TypeError when the address is no URL, or the platform has no WebSocket and none was passed
 */
export function createClient(url: string, options: ClientOptions = {}): Client {
  return new Client(url, options)
}
