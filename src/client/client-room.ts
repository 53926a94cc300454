import {
  decodeData,
  encodeData,
  type AckMessage,
  type ErrorMessage,
  type HistoryPageMessage,
  type JoinedMessage,
  type Json,
  type Position,
  type PresenceMessage,
  type RoomMessage,
  type TypingMessage,
} from '../protocol/index.ts'
import { ClientError } from './client-error.ts'
import { Emitter } from './emitter.ts'
import { PresenceView } from './presence-view.ts'

/** A message as an application gets it. */
export interface ReceivedMessage<Data = unknown> {
  readonly data: Data
  readonly from: { readonly user: string; readonly session: string }
  /** When the server took it. */
  readonly at: Date
  /** The identity of the room's log; offsets compare only within one. */
  readonly epoch: string
  readonly offset: number
  /** Whether it was missed while away and is given now. */
  readonly replayed: boolean
}

/** Older messages. */
export interface HistoryPage {
  readonly messages: readonly ReceivedMessage[]
  /** Whether nothing older is kept. */
  readonly complete: boolean
}

/** Where a sent message stands in the room. */
export interface Receipt {
  readonly epoch: string
  readonly offset: number
}

/** `joining` until the server has let us in (again), `left` for ever after `leave()` or a refusal. */
export type RoomStatus = 'joining' | 'joined' | 'left'

interface RoomEvents extends Record<string, unknown> {
  message: ReceivedMessage
  /** The users who are typing, without oneself. */
  typing: readonly string[]
  status: RoomStatus
  /** The room was joined, for the first time or again; `recovered` tells whether nothing was missed. */
  joined: { readonly recovered: boolean }
  error: ClientError
}

/** What a room needs of its client. */
export interface RoomPort {
  request<Reply>(message: object, timeoutMs?: number): Promise<Reply>
  /** Sends now, or drops it when there is no connection. */
  transmit(message: object): boolean
  now(): number
  /** Leaves now, or as soon as there is a connection again. */
  leave(): void
  forget(room: ClientRoom): void
}

/** A sign of typing is repeated no more often than this (ms); the server ends an indicator after 3 s of silence. */
const typingEveryMs = 1_500

/** A room from a client's side. It comes back by itself when the connection does. */
export class ClientRoom {
  readonly name: string
  readonly presence: PresenceView
  readonly #port: RoomPort
  readonly #events = new Emitter<RoomEvents>()
  readonly #typing = new Set<string>()
  #status: RoomStatus = 'joining'
  #position: Position | undefined
  #state: Json | undefined
  #typedAt = -Infinity

  constructor(name: string, port: RoomPort, state: Json | undefined) {
    this.name = name
    this.#port = port
    this.#state = state
    this.presence = new PresenceView(async (next) => {
      await port.request({ type: 'presence', room: name, state: next })
      // Only now: a state that was refused is not to be repeated with the next join.
      this.#state = next
    })
  }

  get status(): RoomStatus {
    return this.#status
  }

  /** The users who are typing, without oneself. */
  get typists(): readonly string[] {
    return [...this.#typing]
  }

  /** Returns what ends the listening. */
  on<Type extends keyof RoomEvents & string>(type: Type, listener: (value: RoomEvents[Type]) => void): () => void {
    return this.#events.on(type, listener)
  }

  /**
   * Sends to everybody in the room, oneself included. While there is no connection it waits and goes out when there
   * is one again.
   *
   * @param data - anything JSON can say, and Date, Map, Set, BigInt, URL, undefined; or a `Uint8Array`, which travels
   * as it is
   * @returns where the message stands, once the server has taken it
   * @throws TypeError for data that cannot be sent
   * @throws ClientError when it was refused, timed out, or the client or room is closed
   */
  async send(data: unknown, { timeoutMs }: { timeoutMs?: number } = {}): Promise<Receipt> {
    if (this.#status === 'left') throw new ClientError('left', `The room '${this.name}' has been left.`)
    this.#typedAt = -Infinity
    const content = data instanceof Uint8Array ? { bytes: data } : encodeData(data)
    const message = { type: 'message', room: this.name, ...content }
    const { epoch = '', offset = 0 } = await this.#port.request<AckMessage>(message, timeoutMs)
    return { epoch, offset }
  }

  /**
   * Asks for older messages, the newest `limit` of those before an offset, oldest first.
   *
   * @returns the messages, and whether nothing older is kept
   */
  async history({ before, limit }: { before?: number; limit?: number } = {}): Promise<HistoryPage> {
    const request = { type: 'history', room: this.name, before, limit }
    const { messages, complete } = await this.#port.request<HistoryPageMessage>(request)
    return { messages: messages.map((message) => receivedMessage(message, true)), complete }
  }

  /** Tells the others that the user is typing. Call it on every key: it sends only as often as is of use. */
  typing(): void {
    const now = this.#port.now()
    if (now - this.#typedAt < typingEveryMs) return
    this.#typedAt = now
    this.#port.transmit({ type: 'typing', room: this.name, typing: true })
  }

  /** Tells the others that the user has stopped, before silence does. */
  stopTyping(): void {
    if (this.#typedAt === -Infinity) return
    this.#typedAt = -Infinity
    this.#port.transmit({ type: 'typing', room: this.name, typing: false })
  }

  /** Leaves for good. Resolves when the server has confirmed it, or at once without a connection. */
  async leave(): Promise<void> {
    if (this.#status === 'left') return
    const wasJoined = this.#status === 'joined'
    this.#setStatus('left')
    this.#port.forget(this)
    if (wasJoined) await this.#port.request({ type: 'leave', room: this.name }).catch(() => {})
    else this.#port.leave()
  }

  /** @internal What asks the server to be let in, from where we were. */
  joinMessage(): object {
    return {
      type: 'join',
      room: this.name,
      ...(this.#state === undefined ? {} : { presence: this.#state }),
      ...(this.#position === undefined ? {} : { since: this.#position }),
    }
  }

  /** @internal The connection is gone. */
  pause(): void {
    if (this.#status !== 'joined') return
    this.#typedAt = -Infinity
    this.#typing.clear()
    this.#events.emit('typing', [])
    this.#setStatus('joining')
  }

  /** @internal */
  joined(message: JoinedMessage): void {
    const { epoch, offset, members, messages, recovered } = message
    this.presence.replace(members)
    for (const missed of messages) this.#take(missed, true)
    // A listener may have left while it was told what it had missed.
    if (this.status === 'left') return
    this.#position = { epoch, offset }
    this.#setStatus('joined')
    this.#events.emit('joined', { recovered })
  }

  /** @internal Between the connection's return and ours to the room, what comes is passed over: it is replayed. */
  received(message: RoomMessage, bytes?: Uint8Array): void {
    if (this.#status === 'joined') this.#take(message, false, bytes)
  }

  #take(message: RoomMessage, replayed: boolean, bytes?: Uint8Array): void {
    const { epoch, offset } = message
    if (this.#position?.epoch === epoch && offset <= this.#position.offset) return
    this.#position = { epoch, offset }
    let received: ReceivedMessage
    try {
      received = receivedMessage(message, replayed, bytes)
    } catch (error) {
      this.#events.emit('error', new ClientError('bad-meta', (error as Error).message))
      return
    }
    this.#events.emit('message', received)
  }

  /** @internal */
  typed({ user, typing }: TypingMessage): void {
    if (this.#status !== 'joined') return
    if (typing) this.#typing.add(user)
    else this.#typing.delete(user)
    this.#events.emit('typing', this.typists)
  }

  /** @internal */
  presenceChanged(message: PresenceMessage): void {
    if (this.#status !== 'joined') return
    this.presence.apply(message)
    for (const user of message.left ?? []) {
      if (this.#typing.delete(user)) this.#events.emit('typing', this.typists)
    }
  }

  /** @internal The server would not have us, or has taken us out. */
  refused({ code, message }: Pick<ErrorMessage, 'code' | 'message'>): void {
    this.#port.forget(this)
    this.#setStatus('left')
    this.#events.emit('error', new ClientError(code, message))
  }

  #setStatus(status: RoomStatus): void {
    if (status === this.#status) return
    this.#status = status
    this.#events.emit('status', status)
  }
}

/** @throws TypeError when the meta does not fit its data */
function receivedMessage(message: RoomMessage, replayed: boolean, bytes = bytesOf(message)): ReceivedMessage {
  const { from, at, epoch, offset } = message
  return { data: bytes ?? decodeData(message), from, at: new Date(at), epoch, offset, replayed }
}

/** The bytes of a message that is replayed inside JSON, if it is bytes. */
function bytesOf({ bytes }: RoomMessage): Uint8Array | undefined {
  return bytes === undefined ? undefined : Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0))
}
