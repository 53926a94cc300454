import type { ErrorCode } from './error-codes.ts'
import type { DataIssue } from './request-error.ts'

/** Anything JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** A request's id: chosen by the client, repeated in the one reply. */
export type RequestId = string | number

/** A place in a room's log: the log's identity and the last message seen. */
export interface Position {
  readonly epoch: string
  readonly offset: number
}

/** Who is in a room, by user; a user in several tabs stands here once. */
export interface Member {
  readonly user: string
  /** What the application says that the user is here: `owner`, `moderator`, or a word of its own. */
  readonly role?: string
  readonly state?: Json
}

interface Request {
  readonly id?: RequestId
}

export interface HelloMessage extends Request {
  readonly type: 'hello'
  readonly token?: string
  readonly resume?: { readonly session: string; readonly secret: string; readonly attempt?: number }
}
export interface AuthMessage extends Request {
  readonly type: 'auth'
  readonly token: string
}
export interface JoinMessage extends Request {
  readonly type: 'join'
  readonly room: string
  readonly presence?: Json
  readonly since?: Position
}
export interface LeaveMessage extends Request {
  readonly type: 'leave'
  readonly room: string
}
export interface PublishMessage extends Request {
  readonly type: 'message'
  readonly room: string
  readonly data: Json
  readonly meta?: Json
  /** What a binary frame carried, in place of `data`. Never in JSON. */
  readonly bytes?: Uint8Array
  /** The members `data` and `meta` as their sender wrote them, from the comma on. Never in JSON. */
  readonly dataText?: string
  /** May be dropped: it gets no offset and is not kept. */
  readonly volatile?: boolean
  /** What it is about: in a room that conflates, a later message of the same user and key stands for this one. */
  readonly key?: string
}
export interface DirectRequest extends Request {
  readonly type: 'direct'
  /** The user whom it is for. */
  readonly to: string
  readonly data: Json
  readonly meta?: Json
  /** The members `data` and `meta` as their sender wrote them, from the comma on. Never in JSON. */
  readonly dataText?: string
}
export interface PresenceUpdateMessage extends Request {
  readonly type: 'presence'
  readonly room: string
  readonly state: Json
}
export interface TypingUpdateMessage extends Request {
  readonly type: 'typing'
  readonly room: string
  readonly typing: boolean
}
export interface HistoryMessage extends Request {
  readonly type: 'history'
  readonly room: string
  readonly before?: number
  readonly limit?: number
}
export interface PingMessage extends Request {
  readonly type: 'ping'
}
/** A message that is not the protocol's but the application's own; its connection machine says when it is legal. */
export interface ApplicationMessage extends Request {
  readonly type: 'application'
  /** The type as it stood on the wire. */
  readonly name: string
  readonly data?: Json
  readonly meta?: Json
}
/** The answer to a request, of the server's to its client or of a client's to the server. */
export interface ReplyMessage {
  readonly type: 'reply'
  readonly id: RequestId
  readonly data?: Json
  readonly meta?: Json
  /** On the way to the server, what an `error` said; never on the wire. */
  readonly error?: { readonly code: string; readonly message: string }
}

/** What a client may send. */
export type ClientMessage =
  | HelloMessage
  | AuthMessage
  | JoinMessage
  | LeaveMessage
  | PublishMessage
  | DirectRequest
  | PresenceUpdateMessage
  | TypingUpdateMessage
  | HistoryMessage
  | PingMessage
  | ReplyMessage

export interface WelcomeMessage {
  readonly type: 'welcome'
  readonly id?: RequestId
  readonly session: string
  readonly secret: string
  readonly user: string
  /** The identity of the server's process: one that was started anew has another. */
  readonly server: string
  readonly resumed: boolean
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number }
  readonly limits: { readonly frameBytes: number; readonly rooms: number; readonly presenceBytes: number }
  /** How long the credentials still hold (ms), for those that run out. */
  readonly expiresInMs?: number
}
export interface AuthenticatedMessage {
  readonly type: 'authenticated'
  readonly id?: RequestId
  readonly user: string
  /** When the fresh credentials run out (ms since the epoch, by the server's clock), for those that do. */
  readonly expiresAt?: number
  /** How long they hold from now on (ms): the same for a client, whose clock may be wrong. */
  readonly expiresInMs?: number
}
/** A message as members of a room get it. */
export interface RoomMessage {
  readonly type: 'message'
  readonly room: string
  readonly epoch: string
  readonly offset: number
  /** When the server took it (ms since the epoch). */
  readonly at: number
  readonly from: { readonly user: string; readonly session: string }
  /** Absent when the message is bytes. */
  readonly data?: Json
  readonly meta?: Json
  /** The bytes of a message that came as a binary frame, in base64; only where it is replayed inside JSON. */
  readonly bytes?: string
}
/** A message that may be dropped, as members of a room get it: it has no place in the log. */
export interface VolatileMessage extends Omit<RoomMessage, 'epoch' | 'offset' | 'bytes'> {
  readonly volatile: true
}
/** What another user has said to this one alone. */
export interface DirectMessage {
  readonly type: 'direct'
  /** When the server took it (ms since the epoch). */
  readonly at: number
  readonly from: { readonly user: string; readonly session: string }
  readonly data: Json
  readonly meta?: Json
}
export interface JoinedMessage extends Position {
  readonly type: 'joined'
  readonly id?: RequestId
  readonly room: string
  readonly members: readonly Member[]
  /** How many users are here, in a room that does not say who. */
  readonly count?: number
  readonly recovered: boolean
  readonly messages: readonly RoomMessage[]
}
export interface LeftMessage {
  readonly type: 'left'
  readonly id?: RequestId
  readonly room: string
}
export interface AckMessage {
  readonly type: 'ack'
  readonly id: RequestId
  readonly room?: string
  readonly epoch?: string
  readonly offset?: number
  readonly duplicate?: boolean
}
export interface PresenceMessage {
  readonly type: 'presence'
  readonly room: string
  readonly joined?: readonly Member[]
  readonly updated?: readonly Member[]
  readonly left?: readonly string[]
  /** How many users are here, in a room that does not say who. */
  readonly count?: number
}
export interface TypingMessage {
  readonly type: 'typing'
  readonly room: string
  readonly user: string
  readonly typing: boolean
}
export interface HistoryPageMessage {
  readonly type: 'history'
  readonly id?: RequestId
  readonly room: string
  readonly epoch: string
  readonly messages: readonly RoomMessage[]
  /** Whether nothing older is kept. */
  readonly complete: boolean
}
/** Messages that a slow reader was spared, by the room's policy: nothing up to `offset` is still to come. */
export interface SkippedMessage extends Position {
  readonly type: 'skipped'
  readonly room: string
  /** How many were left out. */
  readonly count: number
}
/** The server is going away: the connection is closed shortly; come back after so many ms. */
export interface GoodbyeMessage {
  readonly type: 'goodbye'
  readonly reason: 'draining'
  readonly reconnectAfter: number
}
export interface PongMessage {
  readonly type: 'pong'
  readonly id?: RequestId
}
export interface ErrorMessage {
  readonly type: 'error'
  /** One of the protocol's, or of an application's own. */
  readonly code: ErrorCode | (string & {})
  readonly message: string
  readonly id?: RequestId
  readonly room?: string
  /** How long to wait before asking again (ms), where that is known. */
  readonly retryAfterMs?: number
  /** What is wrong with the data, where that is it. */
  readonly issues?: readonly DataIssue[]
}

/** An `error` of the protocol's own. */
export interface ProtocolErrorMessage extends ErrorMessage {
  readonly code: ErrorCode
}

/** What a server may send; an application's own messages come beside these, under types that it chooses. */
export type ServerMessage =
  | WelcomeMessage
  | AuthenticatedMessage
  | RoomMessage
  | VolatileMessage
  | DirectMessage
  | JoinedMessage
  | LeftMessage
  | AckMessage
  | PresenceMessage
  | TypingMessage
  | HistoryPageMessage
  | SkippedMessage
  | ReplyMessage
  | GoodbyeMessage
  | PongMessage
  | ErrorMessage
