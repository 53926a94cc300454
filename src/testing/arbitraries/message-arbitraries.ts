import fc from 'fast-check'
import { isProtocolType } from '../../protocol/decode.ts'
import { protocolLimits } from '../../protocol/limits.ts'
import type {
  AuthMessage,
  DirectRequest,
  HelloMessage,
  HistoryMessage,
  JoinMessage,
  Json,
  LeaveMessage,
  PingMessage,
  PresenceUpdateMessage,
  PublishMessage,
  RequestId,
  TypingUpdateMessage,
} from '../../protocol/messages.ts'
import { dataOf, statesOf, type DataSource } from './data-arbitraries.ts'
import { roomsOf, type RoomSource } from './room-arbitraries.ts'

/** A message of an application's own, as it stands in a text frame. */
export interface OwnMessage<Type extends string = string> {
  readonly type: Type
  readonly data?: Json
  readonly meta?: Json
  readonly id?: RequestId
}

/** What the messages are to be about. */
export interface MessageSources<Own extends string = never> {
  /** Names of rooms, or what makes them. @default any legal name */
  readonly rooms?: RoomSource
  /** What `message` carries. @default any data, with `meta` where JSON cannot say it */
  readonly data?: DataSource
  /** What `presence` and `join` show of a user. @default any JSON of up to 2048 bytes */
  readonly presence?: DataSource
  /** The application's own messages: the data of each by its type, or `false` where it has none. @default none */
  readonly messages?: { readonly [Type in Own]: DataSource }
}

interface ProtocolArbitraries {
  readonly hello: fc.Arbitrary<HelloMessage>
  readonly auth: fc.Arbitrary<AuthMessage>
  readonly join: fc.Arbitrary<JoinMessage>
  readonly leave: fc.Arbitrary<LeaveMessage>
  readonly message: fc.Arbitrary<PublishMessage>
  readonly direct: fc.Arbitrary<DirectRequest>
  readonly presence: fc.Arbitrary<PresenceUpdateMessage>
  readonly typing: fc.Arbitrary<TypingUpdateMessage>
  readonly history: fc.Arbitrary<HistoryMessage>
  readonly ping: fc.Arbitrary<PingMessage>
}

/** Arbitraries of legal messages by type, and one of all of them. */
export type MessageArbitraries<Own extends string = never> = ProtocolArbitraries & {
  readonly [Type in Own]: fc.Arbitrary<OwnMessage<Type>>
} & {
  /** Messages of every type; more of those that are about rooms, and of the application's own. */
  readonly any: fc.Arbitrary<
    | { [Type in keyof ProtocolArbitraries]: ArbitraryValue<ProtocolArbitraries[Type]> }[keyof ProtocolArbitraries]
    | OwnMessage<Own>
  >
}
type ArbitraryValue<A> = A extends fc.Arbitrary<infer Value> ? Value : never

const { idLength, epochLength, keyLength } = protocolLimits

/** Text of so many UTF-16 units at most, up to the last one, halves of pairs too. */
const text = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: 6, arbitrary: fc.string({ minLength, maxLength: Math.min(maxLength, 10) }) },
    { weight: 2, arbitrary: fc.string({ unit: unit16, minLength, maxLength }) },
    { weight: 1, arbitrary: fc.string({ unit: unit16, minLength: maxLength, maxLength }) },
  )
const unit16 = fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code))

/** Integers that a double holds exactly, the first and the last of them too. */
const wholeNumber = fc.oneof(
  { withCrossShrink: true },
  { weight: 4, arbitrary: fc.integer() },
  { weight: 2, arbitrary: fc.maxSafeInteger() },
  { weight: 1, arbitrary: fc.constantFrom(0, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) },
)

/** Ids of requests. */
export const anyId: fc.Arbitrary<RequestId> = fc.oneof({ withCrossShrink: true }, wholeNumber, text(1, idLength))

/** Keys of messages. */
export const anyKey: fc.Arbitrary<string> = text(0, keyLength)

const count = fc.oneof({ withCrossShrink: true }, fc.integer({ min: 1, max: 1_000 }), wholeNumber).filter((n) => n > 0)

type Fields = Readonly<Record<string, fc.Arbitrary<unknown>>>
type Values<Of extends Fields> = { [Name in keyof Of]: ArbitraryValue<Of[Name]> }

/** Puts a message together: fields that must be there, and those that may. */
function messageOf<Type extends string, Must extends Fields, May extends Fields>(
  type: Type,
  must: Must,
  may: May,
): fc.Arbitrary<{ type: Type } & Values<Must> & Partial<Values<May>>> {
  const fields = { type: fc.constant(type), ...must, ...may }
  return fc.record(fields, { requiredKeys: ['type', ...Object.keys(must)], noNullPrototype: true }) as never
}

/** Spreads `data` and its `meta` into the message that carries them. */
const withData = <Message extends { readonly content?: object }>(message: Message): Omit<Message, 'content'> => {
  const { content, ...fields } = message
  return { ...fields, ...content }
}

function protocolMessages({ rooms, data, presence }: MessageSources): ProtocolArbitraries {
  const id = anyId
  const room = roomsOf(rooms)
  const state = statesOf(presence)
  const resume = fc.record({ session: fc.string(), secret: fc.string() }, { noNullPrototype: true })
  const since = fc.record({ epoch: text(0, epochLength), offset: wholeNumber }, { noNullPrototype: true })
  const content = dataOf(data)
  return {
    hello: messageOf('hello', {}, { token: fc.string(), resume, id }),
    auth: messageOf('auth', { token: fc.string() }, { id }),
    join: messageOf('join', { room }, { presence: state, since, id }),
    leave: messageOf('leave', { room }, { id }),
    message: messageOf('message', { room, content }, { volatile: fc.boolean(), key: anyKey, id }).map(
      (message) => withData(message) as PublishMessage,
    ),
    direct: messageOf('direct', { to: fc.string(), content }, { id }).map(
      (message) => withData(message) as DirectRequest,
    ),
    presence: messageOf('presence', { room, state }, { id }),
    typing: messageOf('typing', { room, typing: fc.boolean() }, { id }),
    history: messageOf('history', { room }, { before: wholeNumber, limit: count, id }),
    ping: messageOf('ping', {}, { id }),
  }
}

function ownMessage<Type extends string>(type: Type, source: DataSource): fc.Arbitrary<OwnMessage<Type>> {
  if (isProtocolType(type)) throw new TypeError(`A message of type ${type} is the protocol's own.`)
  if (type === 'any') throw new TypeError('There is an arbitrary named any already.')
  if (source === false) return messageOf(type, {}, { id: anyId })
  return messageOf(type, { content: dataOf(source) }, { id: anyId }).map((message) => withData(message))
}

/** How many of each there are among any. */
const weights: { readonly [Type in keyof ProtocolArbitraries]: number } = {
  ping: 1,
  leave: 2,
  join: 4,
  message: 6,
  direct: 1,
  presence: 2,
  typing: 2,
  history: 2,
  hello: 1,
  auth: 1,
}
const ownWeight = 4

/**
 * Legal messages of clients, as objects that a text frame says: whatever PROTOCOL.md allows, to its bounds. A server
 * may answer some by an `error`, such as one to a room that was not joined, but none by `bad-message`. Messages shrink.
 *
 * @throws SchemaError for a schema that no values can be made of
 * @throws TypeError for an application's message whose type is one of the protocol's, or `any`
 *
 * @example
 * ```ts
 * const { any, move } = messageArbitraries({ rooms: ['table'], messages: { move: moveSchema, resign: false } })
 * fc.assert(fc.asyncProperty(fc.array(any), async (messages) => {
 *   for (const message of messages) client.send(JSON.stringify(message))
 * }))
 * ```
 */
export function messageArbitraries<Own extends string = never>(
  sources: MessageSources<Own> = {},
): MessageArbitraries<Own> {
  const known = protocolMessages(sources)
  const own = Object.entries<DataSource>(sources.messages ?? {}).map(
    ([type, source]) => [type, ownMessage(type, source)] as const,
  )
  const any = fc.oneof(
    { withCrossShrink: true },
    ...Object.entries(weights).map(([type, weight]) => ({
      weight,
      arbitrary: known[type as keyof ProtocolArbitraries] as fc.Arbitrary<object>,
    })),
    ...own.map(([, arbitrary]) => ({ weight: ownWeight, arbitrary })),
  )
  return { ...known, any, ...Object.fromEntries(own) } as never
}
