import type { ActorRefFrom } from 'xstate'
import type { clientMachine } from '../../machines/client.ts'
import type { Json, ServerMessage } from '../protocol/index.ts'
import { Calls, type CallOptions } from './calls.ts'
import { ClientError, refusal, textOf, tooLarge } from './client-error.ts'
import { ClientLink, type SocketClose } from './client-link.ts'
import type { ClientEvents, ClientOptions, ClientStatus } from './client-options.ts'
import type { ClientRoom } from './client-room.ts'
import { ClientRooms } from './client-rooms.ts'
import { Emitter } from './emitter.ts'
import { platformEnvironment } from './environment.ts'
import { durationOf, withContent } from './frames.ts'
import { Handlers, type ApplicationWire, type Handler } from './handlers.ts'
import { decodeContent } from './received-message.ts'

/** A connection that comes back by itself. */
export class Client {
  readonly #events = new Emitter<ClientEvents>()
  readonly #link: ClientLink
  readonly #rooms: ClientRooms
  readonly #calls: Calls
  readonly #handlers: Handlers
  /** Ends with the present connection. */
  #connection = new AbortController()

  constructor(url: string, options: ClientOptions = {}) {
    const environment = options.environment ?? platformEnvironment()
    const fail = (error: ClientError): void => this.#events.emit('error', error)
    const link = new ClientLink(url, options, environment, {
      welcomed: (resumed, restarted) => {
        this.#connection = new AbortController()
        if (!resumed || restarted) this.#calls.rejectUnconfirmed(resumed)
        this.#calls.retransmit(undefined)
        this.#rooms.restore(resumed)
      },
      received: (message, bytes) => this.#receive(message, bytes),
      paused: () => {
        this.#connection.abort()
        this.#rooms.pause()
      },
      closed: (close) => this.#end(close),
      failed: fail,
    })
    this.#link = link
    this.#calls = new Calls(environment, link, options)
    this.#rooms = new ClientRooms(environment, link, this.#calls)
    this.#handlers = new Handlers((cause) => {
      fail(new ClientError('internal', `A handler failed: ${textOf(cause)}`, { cause }))
    })
    let { status } = this
    link.actor.subscribe(() => {
      if (status !== this.status) this.#events.emit('status', (status = this.status))
    })
    link.start()
  }

  /** The machine that decides everything here; works with `@xstate/react`'s `useSelector` as it is. */
  get actor(): ActorRefFrom<typeof clientMachine> {
    return this.#link.actor
  }

  /** Where the client is in its life. */
  get status(): ClientStatus {
    return this.#link.status
  }

  /** When the next attempt to connect is due (ms since the epoch), while `waiting`. */
  get retryAt(): number | undefined {
    return this.actor.getSnapshot().context.retryAt
  }

  /** How the last socket ended: the close code and reason, as for why the client is `closed`. */
  get lastClose(): SocketClose | undefined {
    return this.actor.getSnapshot().context.lastClose
  }

  /** Who the server says this is, once it has. */
  get user(): string | undefined {
    return this.#link.welcome?.user
  }

  /** The session's id, once there is one. */
  get session(): string | undefined {
    return this.#link.welcome?.session
  }

  /** How often something was missing from what rooms sent, and was asked for: 0 unless a server loses messages. */
  get heals(): number {
    return this.#rooms.heals
  }

  /**
   * Asks `token()` again and presents what it gives, on the connection that there is, or the next: a guest becomes a user
   * so, and keeps its rooms. A token that was asked for before does not do, however late it is presented.
   *
   * @returns the id of the user whom the server takes this for; `client.on('authenticated', …)` tells of it as well
   * @throws ClientError `not-authenticated` when the server refuses it, or `token()` throws, or gives none on a connection;
   * `overloaded` when the user has too many connections; `timeout`; `closed` when the client is, also by a server that
   * refuses the token as it comes back. All but the last come as `error` events, too
   */
  authenticate(): Promise<string> {
    return this.#link.authenticate()
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
   * Sends a message of the application's own to the server.
   *
   * @param data - anything that a room's `send` takes, but bytes
   * @returns once the server has taken it
   * @throws TypeError for data that cannot be sent
   * @throws ClientError `not-allowed` when the connection machine's state does not take it, and as {@link request}
   */
  async send(type: string, data?: unknown, options?: CallOptions): Promise<void> {
    await this.request(type, data, options)
  }

  /**
   * Asks the server something of the application's own. While there is no connection it waits; when the connection is
   * lost before the answer came, the resumed session is asked again, under the same id.
   *
   * @returns what the server's handler returned
   * @example
   * ```ts
   * const { name } = await client.request<Profile>('profile', { user: 'ada' }, { timeoutMs: 5_000 })
   * ```
   * @throws TypeError for data that cannot be sent
   * @throws ClientError with the code that the handler gave; `timeout`, `aborted`, `closed`, `queue-full`, `too-large`;
   * `unconfirmed` when it was sent and the session, or the server that was asked, is lost
   */
  async request<Reply = unknown>(type: string, data?: unknown, options?: CallOptions): Promise<Reply> {
    return decodeContent(await this.#calls.request<ApplicationWire>(withContent({ type }, data), options)) as Reply
  }

  /**
   * Writes to another user, in all tabs and on all devices that are connected just now; it is not kept for others. Nobody
   * is told whether there are any.
   *
   * @throws TypeError for data that cannot be sent
   * @throws ClientError `forbidden` unless the server lets this user write to that one; and as {@link request}
   */
  async direct(to: string, data: unknown, options?: CallOptions): Promise<void> {
    await this.#calls.request(withContent({ type: 'direct', to }, data), options)
  }

  /**
   * Answers what the server asks under a type. Each type has one handler.
   *
   * @param handler - gets the data, and a `signal` that fires when the connection goes; what it returns is the reply.
   * The code and message of a `RequestError` that it throws are told, of other errors only that there was one: they
   * come as `error` events of the client
   * @returns what ends it
   * @throws TypeError when the type has a handler already
   * @example
   * ```ts
   * client.handle('confirm', async (question, { signal }) => dialog.ask(question, signal))
   * ```
   */
  handle(type: string, handler: Handler): () => void {
    return this.#handlers.add(type, handler)
  }

  /** Leaves for good: the session ends, calls that wait are rejected with `closed`. */
  close(): void {
    if (this.status !== 'closed') this.actor.send({ type: 'client.close' })
  }

  /** The client is over. When that was the server's word, nobody may have asked: it is an error as well. */
  #end(close: SocketClose | undefined): void {
    const by = close === undefined ? '' : ` The server closed it: ${close.code} ${close.reason}`
    const error = new ClientError('closed', `The client is closed.${by}`)
    this.#rooms.close(error)
    this.#calls.close(error)
    if (close !== undefined) this.#events.emit('error', error)
  }

  #receive(message: ServerMessage, bytes: Uint8Array | undefined): void {
    if (this.#calls.receive(message) || this.#rooms.receive(message, bytes)) return
    switch (message.type) {
      case 'error':
        this.#events.emit('error', refusal(message))
        return
      case 'goodbye':
        this.actor.send({ type: 'server.goodbye', reconnectAfterMs: durationOf(message.reconnectAfter, 0, 0) })
        this.#calls.leaveIfAnswered()
        return
      case 'direct': {
        const { at, from } = message
        this.#events.emit('direct', { data: decodeContent(message), from, at: new Date(at) })
        return
      }
      case 'authenticated':
        this.#events.emit('authenticated', message.user)
        return
      case 'pong':
        return
      default:
        this.#receiveApplication(message as ApplicationWire)
    }
  }

  #receiveApplication(message: ApplicationWire): void {
    if (message.id !== undefined) void this.#answer(message)
    else this.#events.emit('message', { ...message, data: decodeContent(message) })
  }

  async #answer(request: ApplicationWire): Promise<void> {
    const { signal } = this.#connection
    const frame = await this.#handlers.answer(request, signal)
    if (signal.aborted || this.#link.write(frame)) return
    const { code, message } = tooLarge()
    this.#link.tell({ type: 'error', id: request.id, code, message })
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
