import type { PresenceMessage, RoomMessage, SkippedMessage, TypingMessage, VolatileMessage } from '../protocol/index.ts'
import type { CallMessage, CallOptions } from './calls.ts'
import type { ClientError } from './client-error.ts'
import type { ClientRoom } from './client-room.ts'
import type { ClientEnvironment } from './environment.ts'

/** A request about a room. */
export interface RoomCall extends CallMessage {
  readonly room: string
}

/** What a room needs of its client. */
export interface RoomPort {
  readonly environment: ClientEnvironment
  request<Reply>(message: RoomCall, options?: CallOptions): Promise<Reply>
  /** Sends now or never. */
  transmit(message: object): void
  /** Asks the server to let the room in. */
  ask(room: ClientRoom): void
  /** Tells the server that the room has been left. */
  leave(room: ClientRoom): Promise<void>
  /** The room is over: what was asked about it fails. */
  forget(room: ClientRoom, error: ClientError): void
}

/** What concerns a room that we are in. */
export type RoomNews = RoomMessage | VolatileMessage | SkippedMessage | PresenceMessage | TypingMessage
