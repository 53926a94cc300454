import { Buffer } from 'node:buffer'
import type { AnyActorRef } from 'xstate'
import type { EndReason } from '../../../machines/index.ts'
import {
  closeReason,
  decodeClientBinary,
  decodeClientMessage,
  errorMessage,
  RequestError,
  type Decoded,
  type ProtocolErrorMessage,
  type ErrorCode,
  type HelloMessage,
  type ReplyMessage,
  type RequestId,
  type ServerMessage,
} from '../../protocol/index.ts'
import type { Core } from '../core.ts'
import type { Pass } from '../door.ts'
import { endings, reasonOfClose } from './endings.ts'
import type { Clock } from '../ports/environment.ts'
import { Frame } from '../ports/frame.ts'
import type { Inbound } from './inbound.ts'
import type { Inbox } from './inbox.ts'
import { Intake } from './intake.ts'
import { textSizeOf } from './message-size.ts'
import type { Settings } from '../options.ts'
import { Outbox, type OutboxOwner } from './outbox.ts'
import { Requests } from './requests.ts'
import type { Claim } from '../ports/session-store.ts'
import type { Session } from '../session/session.ts'
import type { ResumeClaim } from '../session/sessions.ts'
import type { PresentUser } from '../session/users.ts'
import type { ConnectRequest, SocketSink, TransportSocket } from '../ports/transport.ts'

/** Messages that may wait for the welcome, and what they may amount to. */
const heldCount = 16
const heldBytes = 64 * 1024

/** The most that a control frame carries, and its head (RFC 6455 §5.5). */
const controlFrameBytes = 131

const none = {}

/**
 * The runtime's handle on one socket: what a connection's chart acts upon, and what the transport reports to. It
 * decides nothing.
 */
export class ConnectionLink implements SocketSink, OutboxOwner {
  readonly address: string
  readonly socket: TransportSocket
  readonly outbox: Outbox
  /** How the socket came in. */
  request: ConnectRequest
  /** The `hello` that is to be acted upon. */
  hello: HelloMessage | undefined
  /** The id of the `auth` that is being checked, or was checked last. */
  renewal: RequestId | undefined
  /** What it is counted by. */
  pass: Pass | undefined
  /** Whose it is, once that is known. */
  user: PresentUser | undefined
  /** How much is said; from the first message on. */
  intake: Intake | undefined
  /** The session that it owns, once it has been let in. */
  session: Session | undefined
  /** What it is to own: a session of its own, or one that its client has shown to be its. */
  fresh: Session | undefined
  claim: { readonly claim: Claim; readonly resume: ResumeClaim } | undefined
  /** What takes time to be handled, once something has. */
  inbox: Inbox<Inbound> | undefined
  /** What the client was asked for, once it was. */
  requests: Requests | undefined
  /** The connection's actor. */
  actor: AnyActorRef | undefined
  /** Sessions that it has claimed and was not given. */
  refusedClaims = 0
  /** Frames received so far, pongs included. */
  received = 0
  /** The value of {@link received} when the heartbeat last probed. */
  receivedAtProbe = 0
  readonly #applicationTypes: ReadonlySet<string> | undefined
  readonly #settings: Settings
  readonly #clock: Clock
  /** Whether the close handshake has begun. */
  #closing = false
  #held: { type: string }[] | undefined
  #heldBytes = 0

  constructor(
    address: string,
    socket: TransportSocket,
    request: ConnectRequest,
    core: Core,
    applicationTypes: ReadonlySet<string> | undefined,
  ) {
    this.address = address
    this.socket = socket
    this.request = request
    this.outbox = new Outbox(socket, this, core.outboxTerms)
    this.#applicationTypes = applicationTypes
    this.#settings = core.settings
    this.#clock = core.environment.clock
  }

  // From the transport.

  message(text: string): void {
    // What follows our close frame is not even read.
    if (!this.#closing) this.#take(Buffer.byteLength(text), decodeClientMessage(text, this.#applicationTypes))
  }

  binary(bytes: Uint8Array): void {
    if (!this.#closing) this.#take(bytes.byteLength, decodeClientBinary(bytes))
  }

  #take(bytes: number, { message: decoded, error }: Decoded): void {
    this.received++
    const now = this.#clock.now()
    this.intake ??= new Intake(this.#settings, now)
    const verdict = this.intake.judge(now, bytes, error === undefined, this.user?.allowance)
    // What could not be read takes its turn among the others, and is answered there.
    const message = decoded ?? error
    if (verdict === undefined) this.#dispatch(message)
    else if ('end' in verdict) this.actor?.send({ type: 'connection.close', reason: verdict.end })
    else this.#dispatch(tooMuch(message, verdict.retryAfterMs))
  }

  #dispatch(message: { readonly type: string }): void {
    if (message.type === 'hello') this.actor?.send({ type: 'socket.hello', message })
    else if (message.type === 'auth') this.actor?.send({ type: 'identity.renew', message })
    else this.actor?.send({ type: 'socket.message', message })
  }

  ping(): void {
    this.#heard()
  }

  pong(): void {
    if (this.#heard()) this.heartbeat?.send({ type: 'socket.heard' })
  }

  /** A control frame costs as much as a message, and there is nobody to answer that it was one too many. */
  #heard(): boolean {
    this.received++
    if (this.#closing) return false
    const now = this.#clock.now()
    this.intake ??= new Intake(this.#settings, now)
    const verdict = this.intake.judge(now, controlFrameBytes, undefined, this.user?.allowance)
    if (verdict !== undefined && 'end' in verdict) this.actor?.send({ type: 'connection.close', reason: verdict.end })
    return verdict === undefined
  }

  drained(): void {
    this.outbox.drained()
  }

  closed(code: number): void {
    this.pass?.left()
    this.actor?.send({ type: 'socket.closed', reason: reasonOfClose(code) })
  }

  // From the outbox.

  congested(): void {
    this.actor?.send({ type: 'outbox.congested' })
  }

  decongested(): void {
    this.actor?.send({ type: 'outbox.drained' })
  }

  overflowed(): void {
    this.actor?.send({ type: 'outbox.overflowed' })
    // A chart of one's own may do nothing about it; its client, who is sent nothing any more, is not to wait for ever.
    this.#clock.setImmediate(() => {
      if (!this.#closing) this.socket.terminate()
    })
  }

  // For the connection's actions.

  get heartbeat(): AnyActorRef | undefined {
    const children = this.actor?.getSnapshot()?.children as Record<string, AnyActorRef> | undefined
    return children?.['heartbeat']
  }

  send(message: ServerMessage): void {
    this.outbox.push(Frame.of(message))
  }

  /** Asks the client for something. */
  ask(core: Core, type: string, data: unknown, timeoutMs?: number, signal?: AbortSignal): Promise<unknown> {
    // Nothing is sent any more, so there would be nothing to wait for but the time-out.
    if (!this.outbox.writable) return Promise.reject(new RequestError('closed', 'The connection is closed.'))
    this.requests ??= new Requests(core.environment.clock, (message) => {
      this.outbox.push(new Frame(JSON.stringify(message)))
    })
    return this.requests.ask(type, data, timeoutMs ?? core.settings.requestTimeoutMs, signal)
  }

  /** Cancels what is being done for the client, and what it was asked for. */
  cancel(): void {
    this.inbox?.close()
    this.requests?.close()
  }

  /** Answers a request that failed. */
  refuse(code: ErrorCode, id?: RequestId, room?: string): void {
    this.outbox.refuse(errorMessage(code, id, room))
  }

  /** Puts an event by until the welcome. False when there is no room for it. */
  hold(event: { type: string; message?: unknown }): boolean {
    this.#held ??= []
    this.#heldBytes += textSizeOf(event.message as object)
    if (this.#held.length >= heldCount || this.#heldBytes > heldBytes) return false
    this.#held.push(event)
    return true
  }

  /** Gives back what was held, once. */
  takeHeld(): readonly { type: string }[] {
    const held = this.#held ?? []
    this.#held = undefined
    return held
  }

  /** Lets go of the credentials and headers that the connection came with. */
  forgetCredentials(): void {
    this.hello = undefined
    this.request = { ...this.request, token: undefined, headers: none }
  }

  /** Starts the close handshake. */
  close(reason: EndReason): void {
    this.#closing = true
    this.socket.close(endings[reason].code, closeReason(reason))
  }

  /** For inspectors: no credentials, no references. */
  toJSON(): object {
    return { address: this.address, session: this.session?.id }
  }
}

/** What is done in place of a message that was one too many: its sender is told, or whoever waits for it as an answer. */
function tooMuch(
  message: Decoded['message'] | ProtocolErrorMessage,
  retryAfterMs: number,
): ProtocolErrorMessage | ReplyMessage {
  const { type, id, room } = message as { readonly type: string; readonly id?: RequestId; readonly room?: string }
  const error = errorMessage('rate-limited', id, room)
  if (type === 'reply' && id !== undefined) return { type, id, error: { code: error.code, message: error.message } }
  return Number.isFinite(retryAfterMs) ? { ...error, retryAfterMs } : error
}
