import { assign, createActor, fromPromise, type ActorRefFrom } from 'xstate'
import { clientMachine } from '../../machines/client.ts'
import { isRoomName, returnPolicy, type Json, type ServerMessage, type WelcomeMessage } from '../protocol/index.ts'
import { Calls } from './calls.ts'
import { ClientError } from './client-error.ts'
import { ClientRoom, type RoomPort } from './client-room.ts'
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

/** The errors after which a room is not ours, whatever we asked of it. */
const endsMembership = new Set<string>(['too-many-rooms', 'presence-too-large', 'room-unavailable'])

/** A connection that comes back by itself. */
export class Client {
  /** The machine that decides everything here; works with `@xstate/react`'s `useSelector` as it is. */
  readonly actor: ActorRefFrom<typeof clientMachine>
  readonly #url: string
  readonly #options: ClientOptions
  readonly #environment: ClientEnvironment
  readonly #WebSocket: WebSocketClass
  readonly #events = new Emitter<ClientEvents>()
  readonly #rooms = new Map<string, ClientRoom>()
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
    this.#calls = new Calls(this.#environment, (message) => this.#transmit(message), options.callLimit ?? 256)
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
    if (!isRoomName(name)) throw new RangeError(`${JSON.stringify(name)} cannot be a room's name.`)
    const known = this.#rooms.get(name)
    if (known !== undefined) return known
    const port: RoomPort = {
      request: (message, timeoutMs = this.#callTimeoutMs) => this.#request(message, timeoutMs),
      transmit: (message) => this.#transmit(message),
      now: () => this.#environment.clock.now(),
      forget: (room) => {
        if (this.#rooms.get(name) === room) this.#rooms.delete(name)
        this.#calls.rejectAll('left', `The room '${name}' has been left.`, name)
      },
    }
    const room = new ClientRoom(name, port, presence)
    this.#rooms.set(name, room)
    this.#transmit(room.joinMessage())
    return room
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
    if (this.status === 'closed') return Promise.reject(new ClientError('closed', 'The client is closed.'))
    return this.#calls.request<Reply>(message, timeoutMs)
  }

  /** Sends now; without an open connection it is left to {@link #restore}. */
  #transmit(message: object): void {
    if (this.status === 'open') this.#socket?.write(message)
  }

  #machine(): typeof clientMachine {
    const { clock, random } = this.#environment
    const { backoffMs = 500, backoffMaxMs = 20_000 } = this.#options
    return clientMachine.provide({
      actors: {
        getToken: fromPromise(async () => {
          const { token } = this.#options
          this.#token = typeof token === 'function' ? await token() : token
        }),
      },
      actions: {
        openSocket: () => this.#openSocket(),
        sendHello: () => this.#sendHello(),
        restore: () => this.#restore(),
        pauseRooms: () => {
          for (const room of this.#rooms.values()) room.pause()
        },
        sendPing: () => this.#socket?.write({ type: 'ping' }),
        dropSocket: () => this.#dropSocket(),
        closeSocket: () => this.#dropSocket(),
        failCalls: () => this.#calls.rejectAll('closed', 'The client is closed.'),
        scheduleRetry: assign({
          // Full jitter: anything up to the bound, so that those who fell together do not rise together.
          retryAt: ({ context }) =>
            clock.now() + random() * Math.min(backoffMaxMs, backoffMs * 2 ** Math.min(context.attempts, 30)),
        }),
      },
      delays: {
        backoff: ({ context }) => Math.max(0, (context.retryAt ?? 0) - clock.now()),
        pingInterval: () => this.#welcome?.heartbeat.intervalMs ?? 25_000,
        pongTimeout: () => this.#welcome?.heartbeat.timeoutMs ?? 10_000,
      },
    })
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

  #dropSocket(): void {
    this.#socket?.drop()
    this.#socket = undefined
  }

  #sendHello(): void {
    const resume = this.#welcome && { session: this.#welcome.session, secret: this.#welcome.secret }
    this.#socket?.write({ type: 'hello', token: this.#token, resume })
  }

  #restore(): void {
    for (const room of this.#rooms.values()) this.#socket?.write(room.joinMessage())
    for (const message of this.#calls.unanswered()) this.#socket?.write(message)
  }

  #receive(message: ServerMessage, bytes: Uint8Array | undefined): void {
    if (this.actor.getSnapshot().matches({ open: 'checking' })) this.actor.send({ type: 'socket.heard' })
    switch (message.type) {
      case 'welcome':
        this.#welcome = message
        this.actor.send({ type: 'socket.welcomed' })
        return
      case 'message':
        this.#rooms.get(message.room)?.received(message, { bytes })
        return
      case 'joined':
        this.#rooms.get(message.room)?.joined(message)
        return
      case 'presence':
        this.#rooms.get(message.room)?.presenceChanged(message)
        return
      case 'typing':
        this.#rooms.get(message.room)?.typed(message)
        return
      case 'error':
        if (this.#calls.fail(message)) return
        if (message.room !== undefined && endsMembership.has(message.code))
          this.#rooms.get(message.room)?.refused(message)
        else this.#events.emit('error', new ClientError(message.code, message.message))
        return
      case 'pong':
        return
      case 'ack':
      case 'left':
      case 'history':
      case 'authenticated':
        if (message.id !== undefined) this.#calls.settle(message.id, message)
        return
      default:
        this.#events.emit('message', message as { type: string; data?: unknown })
    }
  }
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
