import { createActor, type ActorRefFrom } from 'xstate'
import { clientRoomMachine } from '../../machines/client-room.ts'
import {
  encodeData,
  type AckMessage,
  type HistoryPageMessage,
  type JoinedMessage,
  type Json,
  type RoomMessage,
  type SkippedMessage,
  type VolatileMessage,
} from '../protocol/index.ts'
import type { CallOptions } from './calls.ts'
import { ClientError } from './client-error.ts'
import { Emitter } from './emitter.ts'
import { PresenceView } from './presence-view.ts'
import { receivedMessage, type HistoryPage, type LoggedMessage, type ReceivedMessage } from './received-message.ts'
import type { RoomEvents, RoomStatus } from './room-events.ts'
import type { RoomNews, RoomPort } from './room-port.ts'
import { RoomPosition } from './room-position.ts'

/** How a message is sent. */
export interface SendOptions {
  /** How long to wait for the receipt, time without a connection included (ms). @default the client's `callTimeoutMs` */
  readonly timeoutMs?: number
  /** What it is about, up to 64 characters: a room that conflates spares slow readers all but the last of each key. */
  readonly key?: string
  /** Whether it may be lost: then it is sent now or never, stands in no log, and has no receipt. @default false */
  readonly volatile?: boolean
}

/** Where a sent message stands in the room. */
export interface Receipt {
  readonly epoch: string
  readonly offset: number
}

/** A sign of typing is repeated no more often than this (ms); the server ends an indicator after 3 s of silence. */
const typingEveryMs = 1_500

const badAnswer = (): ClientError => new ClientError('bad-message', 'That is no answer.')

/** A room from a client's side. It comes back by itself when the connection does. */
export class ClientRoom {
  /** One for all rooms: each finds itself in its context. */
  static readonly #machine = clientRoomMachine.provide({
    actions: {
      sendJoin: ({ context }) => {
        const room = context.room as ClientRoom
        room.#port.ask(room)
      },
      forgetTypists: ({ context }) => (context.room as ClientRoom).#forgetTypists(),
    },
  })
  readonly name: string
  readonly presence: PresenceView
  /** The machine that decides here; works with `@xstate/react`'s `useSelector` as it is. */
  readonly actor: ActorRefFrom<typeof clientRoomMachine>
  readonly #port: RoomPort
  readonly #events = new Emitter<RoomEvents>()
  readonly #typing = new Set<string>()
  readonly #position = new RoomPosition()
  /** What the others are shown of us. */
  #state: Json | undefined
  #typedAt = -Infinity
  /** Why nothing can be asked any more. */
  #ended: ClientError | undefined

  /** @internal */
  constructor(name: string, port: RoomPort, state: Json | undefined) {
    this.name = name
    this.#port = port
    this.#state = state
    this.presence = new PresenceView(async (next) => {
      await this.#request({ type: 'presence', state: next })
      // Only now: a state that was refused is not to be repeated with the next join.
      this.#state = next
    })
    const { clock } = port.environment
    this.actor = createActor(ClientRoom.#machine, { input: { room: this }, clock })
    let { status } = this
    this.actor.subscribe(() => {
      if (status !== this.status) this.#events.emit('status', (status = this.status))
    })
    this.actor.start()
  }

  get status(): RoomStatus {
    const { value } = this.actor.getSnapshot()
    if (value === 'waiting' || value === 'postponed') return 'joining'
    return value === 'missing' || value === 'recovering' ? 'joined' : value
  }

  /** @internal Whether it has not been asked for by the present connection. */
  get waits(): boolean {
    return this.actor.getSnapshot().value === 'waiting'
  }

  /** How often something was missing from what came, and was asked for. */
  get heals(): number {
    return this.actor.getSnapshot().context.heals
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
   * is one again; what is `volatile` and cannot go now is dropped instead.
   *
   * @param data - anything JSON can say, and Date, Map, Set, BigInt, URL, undefined; or a `Uint8Array`, which travels
   * as it is
   * @returns where the message stands, once the server has taken it; of a volatile one nothing, at once
   * @throws TypeError for data that cannot be sent
   * @throws ClientError when it was refused, timed out, or the client or room is closed; never for a volatile one
   */
  send(data: unknown, options: SendOptions & { readonly volatile: true }): Promise<undefined>
  send(data: unknown, options?: SendOptions & { readonly volatile?: false }): Promise<Receipt>
  send(data: unknown, options?: SendOptions): Promise<Receipt | undefined>
  async send(data: unknown, { timeoutMs, key, volatile }: SendOptions = {}): Promise<Receipt | undefined> {
    const content = data instanceof Uint8Array ? { bytes: data } : encodeData(data)
    const message = { type: 'message', ...content, key }
    if (volatile === true) {
      this.#transmit({ ...message, volatile })
      return undefined
    }
    this.#typedAt = -Infinity
    const { epoch, offset } = await this.#request<AckMessage>(message, { timeoutMs })
    if (typeof epoch !== 'string' || typeof offset !== 'number') throw badAnswer()
    return { epoch, offset }
  }

  /**
   * Asks for older messages, the newest `limit` of those before an offset, oldest first.
   *
   * @returns the messages, and whether nothing older is kept
   */
  async history({ before, limit }: { before?: number; limit?: number } = {}): Promise<HistoryPage> {
    const { messages, complete } = await this.#request<HistoryPageMessage>({ type: 'history', before, limit })
    if (!Array.isArray(messages)) throw badAnswer()
    const logged = messages.flatMap((message) => (this.#decode(message, true) as LoggedMessage | undefined) ?? [])
    return { messages: logged, complete }
  }

  /** Tells the others that the user is typing. Call it on every key: it sends only as often as is of use. */
  typing(): void {
    const now = this.#port.environment.clock.now()
    if (now - this.#typedAt >= typingEveryMs) this.#sign(true, now)
  }

  /** Tells the others that the user has stopped, before silence does. */
  stopTyping(): void {
    if (this.#typedAt !== -Infinity) this.#sign(false, -Infinity)
  }

  /** Leaves for good. Resolves when the server has confirmed it, or at once without a connection. */
  async leave(): Promise<void> {
    if (this.status === 'left') return
    const told = this.#port.leave(this)
    this.#end('room.leave')
    await told
  }

  /** @internal What asks the server to be let in, from where we were. */
  joinMessage(): object {
    return { type: 'join', room: this.name, presence: this.#state, since: this.#position.since }
  }

  /** @internal The answer to it. */
  joined(message: JoinedMessage): void {
    const { epoch, offset, members, count, messages, recovered } = message
    const healed = this.actor.getSnapshot().value === 'recovering'
    const from = this.#position.since
    this.#forgetTypists()
    this.presence.replace(members, count)
    for (const missed of messages) {
      // A listener may leave while it is told what it has missed.
      if (this.status !== 'left' && this.#position.replay(missed)) this.#show(missed, true)
    }
    if (this.status === 'left') return
    this.#position.reset(message)
    this.actor.send({ type: 'server.joined' })
    if (!recovered && from !== undefined) this.#events.emit('gap', { from, to: { epoch, offset } })
    this.#events.emit('joined', { recovered, healed })
  }

  /** @internal What comes before we are in is passed over: the answer to our join accounts for it. */
  receive(message: RoomNews, bytes: Uint8Array | undefined): void {
    if (this.status !== 'joined') return
    switch (message.type) {
      case 'presence':
        this.presence.apply(message)
        for (const user of message.left ?? []) this.#noteTyping(user, false)
        return
      case 'typing':
        this.#noteTyping(message.user, message.typing)
        return
      default:
        // So is what comes while we ask again.
        if (this.actor.getSnapshot().value === 'joined') this.#follow(message, bytes)
    }
  }

  /** @internal We have asked too fast, and are to ask again after so many ms. */
  postponed(retryAfterMs: number): void {
    this.actor.send({ type: 'server.postponed', retryAfterMs })
  }

  /** @internal The server would not have us, or has taken us out. */
  refused(error: ClientError): void {
    this.#end('server.refused')
    this.#events.emit('error', error)
  }

  /** @internal The client is over. */
  close(error: ClientError): void {
    this.#end('client.closed', error)
  }

  #end(
    type: 'room.leave' | 'server.refused' | 'client.closed',
    error = new ClientError('left', `The room '${this.name}' has been left.`),
  ): void {
    this.#ended = error
    this.#port.forget(this, error)
    this.actor.send({ type })
  }

  async #request<Reply>(
    message: { readonly type: string; readonly [field: string]: unknown },
    options?: CallOptions,
  ): Promise<Reply> {
    if (this.#ended !== undefined) throw this.#ended
    return this.#port.request({ ...message, room: this.name }, options)
  }

  /** Sends now or never. */
  #transmit(message: object): void {
    if (this.status === 'joined') this.#port.transmit({ ...message, room: this.name })
  }

  #sign(typing: boolean, at: number): void {
    if (this.status === 'joined') this.#typedAt = at
    this.#transmit({ type: 'typing', typing })
  }

  #follow(message: RoomMessage | VolatileMessage | SkippedMessage, bytes: Uint8Array | undefined): void {
    if ('volatile' in message) {
      this.#show(message, false, bytes)
      return
    }
    const skipped = message.type === 'skipped'
    const placed = skipped ? this.#position.skip(message) : this.#position.take(message)
    if (placed === 'gap') this.actor.send({ type: 'room.gap' })
    if (placed !== 'next') return
    if (skipped) this.#events.emit('skipped', { count: message.count })
    else this.#show(message, false, bytes)
  }

  #show(message: RoomMessage | VolatileMessage, replayed: boolean, bytes?: Uint8Array): void {
    const received = this.#decode(message, replayed, bytes)
    if (received !== undefined) this.#events.emit('message', received)
  }

  /** What a message says, unless its meta does not fit its data: then its sender is to blame, and it is passed over. */
  #decode(message: RoomMessage | VolatileMessage, replayed: boolean, bytes?: Uint8Array): ReceivedMessage | undefined {
    try {
      return receivedMessage(message, replayed, bytes)
    } catch (error) {
      this.#events.emit('error', error instanceof ClientError ? error : new ClientError('bad-message', error))
      return undefined
    }
  }

  #noteTyping(user: string, typing: boolean): void {
    if (typing) this.#typing.add(user)
    else if (!this.#typing.delete(user)) return
    this.#events.emit('typing', this.typists)
  }

  /** Who is typing when we are back, the server says anew. */
  #forgetTypists(): void {
    this.#typedAt = -Infinity
    for (const user of this.#typing) this.#noteTyping(user, false)
  }
}
