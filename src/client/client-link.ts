import { assign, createActor, type ActorRefFrom } from 'xstate'
import { clientMachine, longestDelayMs, type ClientContext, type ClientMachineEvent } from '../../machines/client.ts'
import { returnPolicy, subprotocol, type ServerMessage, type WelcomeMessage } from '../protocol/index.ts'
import { ClientError, refusal, textOf } from './client-error.ts'
import type { ClientOptions, ClientStatus } from './client-options.ts'
import type { ClientEnvironment } from './environment.ts'
import { decodeFrame, durationOf, encodeFrame, lifeOf, type OutgoingFrame } from './frames.ts'
import { listenToPlatform } from './platform-signals.ts'
import { platformWebSocket, type WebSocketClass, type WebSocketLike } from './web-socket.ts'

/** How a socket ended. */
export interface SocketClose {
  readonly code: number
  readonly reason: string
}

/** What the link to the server tells the client. */
export interface LinkListener {
  /** The server has let us in; `resumed` when it still knows us, `restarted` when it is not the one that we had asked. */
  welcomed(resumed: boolean, restarted: boolean): void
  received(message: ServerMessage, bytes: Uint8Array | undefined): void
  /** The connection is gone. */
  paused(): void
  /** It is not coming back; when that is the server's word, by its close. */
  closed(close: SocketClose | undefined): void
  failed(error: ClientError): void
}

/** A client's chart and what it acts upon: the socket, the token, the session. */
export class ClientLink {
  /** One for all clients: each finds its own link in its context. */
  static readonly #machine = clientMachine.provide({
    actions: {
      openSocket: (args) => linkOf(args).#openSocket(),
      getToken: (args) => void linkOf(args).#getToken(),
      sendHello: (args) => linkOf(args).#sendHello(),
      sendAuth: (args) => linkOf(args).#sendAuth(),
      reportFailure: ({ context, event }) => {
        const late = new ClientError('timeout', 'The token was not renewed in time.')
        const error = 'error' in event ? (event.error as ClientError) : late
        const link = linkOf({ context })
        link.#confirm((waiting) => waiting.reject(error), link.#tokens)
        link.#listener.failed(error)
      },
      restore: (args) => {
        const link = linkOf(args)
        link.#confirmUser()
        link.#listener.welcomed(link.#welcome?.resumed === true, link.#restarted)
      },
      pause: (args) => linkOf(args).#listener.paused(),
      sendPing: (args) => void linkOf(args).tell({ type: 'ping' }),
      dropSocket: (args) => linkOf(args).#closeSocket(),
      // A normal closure: the client will not come back.
      closeSocket: (args) => linkOf(args).#closeSocket(1_000),
      failCalls: (args) => {
        const link = linkOf(args)
        link.#confirm((waiting) => waiting.reject(closed()))
        link.#listener.closed(args.event.type === 'socket.closed' ? args.event : undefined)
      },
      scheduleRetry: assign({ retryAt: (args) => linkOf(args).#retryAt(args.context) }),
      scheduleRenewal: assign({
        renewInMs: (args) => {
          const { lifeMs } = args.context
          return lifeMs < Infinity ? lifeMs * (0.75 + linkOf(args).#environment.random() / 10) : lifeMs
        },
      }),
    },
    delays: {
      backoff: (args) => (args.context.retryAt ?? 0) - linkOf(args).#environment.clock.now(),
      pingInterval: (args) => durationOf(linkOf(args).#welcome?.heartbeat?.intervalMs, 25_000, 1_000),
      pongTimeout: (args) => durationOf(linkOf(args).#welcome?.heartbeat?.timeoutMs, 10_000, 1_000),
      // While there is much time it is not spent on asking often.
      renewalBackoff: (args) => linkOf(args).#backoff(args.context.failedRenewals, args.context.lifeMs / 20),
    },
  })
  readonly actor: ActorRefFrom<typeof clientMachine>
  readonly #url: string
  readonly #options: ClientOptions
  readonly #environment: ClientEnvironment
  readonly #WebSocket: WebSocketClass
  readonly #listener: LinkListener
  #socket: WebSocketLike | undefined
  #token: string | undefined
  #welcome: WelcomeMessage | undefined
  #restarted = false
  /** How often the session has been claimed: what arrives late is not to take it from what came after. */
  #attempt = 0
  /** How often a token was asked for: one that comes when another was asked for since is of no use. */
  #tokens = 0
  /** Which of them the server was shown last. */
  #shown = 0
  /** Who wants to know whom the server takes us for, by a token that was asked for after so many others. */
  #waiting: Waiting[] = []
  /** How often a fresh one was presented. */
  #renewals = 0

  constructor(url: string, options: ClientOptions, environment: ClientEnvironment, listener: LinkListener) {
    const { href, protocol } = new URL(url)
    if (!/^(ws|http)s?:$/.test(protocol)) throw new TypeError(`'${url}' is no address of a WebSocket.`)
    this.#url = href
    this.#options = options
    this.#environment = environment
    this.#WebSocket = options.WebSocket ?? platformWebSocket()
    this.#listener = listener
    this.actor = createActor(ClientLink.#machine, {
      input: { port: this },
      clock: environment.clock,
      ...(options.inspect && { inspect: options.inspect }),
    })
  }

  get status(): ClientStatus {
    const { value } = this.actor.getSnapshot()
    return typeof value === 'string' ? value : 'open'
  }

  /** Whether something new may be sent. */
  get ready(): boolean {
    return this.status === 'open' && !this.leaving
  }

  /** Whether the server is going away. */
  get leaving(): boolean {
    return this.actor.getSnapshot().matches({ open: { server: 'leaving' } })
  }

  /** What the server said last of us. */
  get welcome(): WelcomeMessage | undefined {
    return this.#welcome
  }

  /** Connects. */
  start(): void {
    const stopListening = listenToPlatform((type) => this.actor.send({ type }))
    this.actor.subscribe({
      error: (error) => this.#listener.failed(new ClientError('internal', error)),
      complete: stopListening,
    })
    this.actor.start()
    this.actor.send({ type: 'client.open' })
  }

  /** Sends. False for a message over the server's limit: it would cost the connection. */
  write(frame: OutgoingFrame): boolean {
    if (frame.byteLength > (this.#welcome?.limits?.frameBytes ?? Infinity)) return false
    this.#socket?.send(frame.payload)
    return true
  }

  /** Encodes and sends. */
  tell(message: object): boolean {
    return this.write(encodeFrame(message))
  }

  /** Asks for a token, shows it to the server, and resolves with who that says we are. */
  authenticate(): Promise<string> {
    const confirmed = new Promise<string>((resolve, reject) => {
      if (this.status === 'closed') return reject(closed())
      this.#waiting.push({ after: this.#tokens, resolve, reject })
      this.actor.send({ type: 'client.authenticate' })
    })
    // Those who do not wait for it hear of it as everybody does.
    confirmed.catch(() => {})
    return confirmed
  }

  #confirm(settle: (waiting: Waiting) => void, shown = Infinity): void {
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ after }) => after >= shown)
    for (const each of waiting) if (each.after < shown) settle(each)
  }

  #confirmUser(): void {
    this.#confirm(({ resolve }) => resolve(this.#welcome?.user ?? ''), this.#shown)
  }

  #sendHello(): void {
    this.#shown = this.#tokens
    const { session, secret } = this.#welcome ?? {}
    const resume = session && { session, secret, attempt: ++this.#attempt }
    this.tell({ type: 'hello', token: this.#token, resume })
  }

  #sendAuth(): void {
    this.#renewals++
    this.#shown = this.#tokens
    this.tell({ type: 'auth', token: this.#token, id: this.#authId })
  }

  /** The id of the newest `auth`. */
  get #authId(): string {
    return `auth-${this.#renewals}`
  }

  #retryAt({ attempts, reconnectAfterMs }: ClientContext): number {
    return this.#environment.clock.now() + Math.max(reconnectAfterMs ?? 0, this.#backoff(attempts))
  }

  /** Full jitter: anything up to the bound, so that those who fell together do not rise together. */
  #backoff(attempts: number, leastBoundMs = 0): number {
    const { backoffMs = 500, backoffMaxMs = 20_000 } = this.#options
    const bound = Math.min(
      Math.max(backoffMaxMs, leastBoundMs),
      backoffMs * 2 ** Math.min(attempts - 1, 30),
      longestDelayMs,
    )
    return this.#environment.random() * bound
  }

  /** How long the credentials hold. A token that is always the same cannot be renewed. */
  #lifeOf({ expiresInMs }: { readonly expiresInMs?: number }): number {
    return typeof this.#options.token === 'function' ? lifeOf(expiresInMs) : Infinity
  }

  #openSocket(): void {
    const closed = ({ code, reason }: SocketClose): void =>
      this.actor.send({ type: 'socket.closed', code, reason, policy: returnPolicy(code) })
    try {
      const socket = new this.#WebSocket(this.#url, [subprotocol])
      this.#socket = socket
      socket.binaryType = 'arraybuffer'
      socket.onopen = () => this.actor.send({ type: 'socket.opened' })
      socket.onmessage = ({ data }: { data: unknown }) => this.#receive(data)
      socket.onclose = closed
      // A `close` event follows every error.
      socket.onerror = () => {}
    } catch (error) {
      // A policy of the page forbids the address, say. That may change; a dead client would not.
      closed({ code: 1006, reason: textOf(error) })
    }
  }

  async #getToken(): Promise<void> {
    const asked = ++this.#tokens
    const { token } = this.#options
    const done = (event: ClientMachineEvent, fresh?: string): void => {
      if (asked !== this.#tokens || this.status === 'closed') return
      this.#token = fresh
      this.actor.send(event)
    }
    try {
      const fresh = typeof token === 'function' ? await token() : token
      // Without one a guest says hello; there is nothing to present later.
      if (fresh === undefined && this.status === 'open') throw new Error('it gave none')
      done({ type: 'token.got' }, fresh)
    } catch (error) {
      done({ type: 'token.failed', error: new ClientError('not-authenticated', `token() failed: ${textOf(error)}`) })
    }
  }

  /** Gives the socket up and hears no more of it. Without a code the session waits for its client. */
  #closeSocket(code?: number): void {
    const socket = this.#socket
    if (socket === undefined) return
    this.#socket = undefined
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close(code)
  }

  #receive(data: unknown): void {
    const frame = decodeFrame(data)
    if (frame === undefined) return
    if (this.actor.getSnapshot().matches({ open: { server: 'checking' } })) this.actor.send({ type: 'socket.heard' })
    const { message, bytes } = frame
    if (message.type === 'welcome') {
      if (this.status !== 'authenticating') return
      const { server: before = message.server } = this.#welcome ?? {}
      this.#restarted = (message.server ?? before) !== before
      this.#welcome = message
      this.actor.send({ type: 'socket.welcomed', lifeMs: this.#lifeOf(message) })
      return
    }
    if ('id' in message && message.id === this.#authId) {
      if (message.type === 'authenticated') {
        // A guest may have become somebody.
        if (this.#welcome !== undefined) this.#welcome = { ...this.#welcome, user: message.user }
        this.#confirmUser()
        this.actor.send({ type: 'server.authenticated', lifeMs: this.#lifeOf(message) })
      }
      if (message.type === 'error') return this.actor.send({ type: 'server.refused', error: refusal(message) })
    }
    try {
      this.#listener.received(message, bytes)
    } catch (error) {
      // A server that sends what it should not is to cost a message, not the page.
      this.#listener.failed(new ClientError('bad-message', error))
    }
  }
}

/** Somebody who waits for the server's word. */
interface Waiting {
  readonly after: number
  resolve(user: string): void
  reject(error: ClientError): void
}

const closed = (): ClientError => new ClientError('closed', 'The client is closed.')

const linkOf = ({ context }: { readonly context: ClientContext }): ClientLink => context.port as ClientLink
