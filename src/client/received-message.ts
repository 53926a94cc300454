import { decodeData, type Json, type RoomMessage, type VolatileMessage as VolatileWire } from '../protocol/index.ts'
import { ClientError } from './client-error.ts'

/** What somebody has said. */
export interface Heard<Data = unknown> {
  readonly data: Data
  readonly from: { readonly user: string; readonly session: string }
  /** When the server took it. */
  readonly at: Date
}

/** A message that has a place in its room's log. */
export interface LoggedMessage<Data = unknown> extends Heard<Data> {
  readonly volatile: false
  /** The identity of the room's log; offsets compare only within one. */
  readonly epoch: string
  readonly offset: number
  /** Whether it was missed and is given now, or is older. */
  readonly replayed: boolean
}

/** A message that its sender allowed to be dropped: it is in no log, and nobody asks for it if it is lost. */
export interface VolatileMessage<Data = unknown> extends Heard<Data> {
  readonly volatile: true
  readonly epoch?: undefined
  readonly offset?: undefined
  readonly replayed: false
}

/** A message as an application gets it; `volatile` tells the two kinds apart. */
export type ReceivedMessage<Data = unknown> = LoggedMessage<Data> | VolatileMessage<Data>

/** Older messages. */
export interface HistoryPage {
  readonly messages: readonly LoggedMessage[]
  /** Whether nothing older is kept. */
  readonly complete: boolean
}

/** @throws ClientError `bad-meta` when the meta does not fit its data */
export function receivedMessage(
  message: RoomMessage | VolatileWire,
  replayed: boolean,
  bytes = bytesOf(message),
): ReceivedMessage {
  const { from, at } = message
  const heard = { data: bytes ?? decodeContent(message), from, at: new Date(at) }
  if ('volatile' in message) return { ...heard, volatile: true, replayed: false }
  const { epoch, offset } = message
  return { ...heard, volatile: false, epoch, offset, replayed }
}

function bytesOf(message: RoomMessage | VolatileWire): Uint8Array | undefined {
  const { bytes } = message as Partial<RoomMessage>
  return bytes === undefined ? undefined : Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0))
}

/**
 * The application's data in a message.
 *
 * @throws ClientError `bad-meta` when the meta does not fit it
 */
export function decodeContent(message: { readonly data?: Json; readonly meta?: Json }): unknown {
  try {
    return decodeData(message)
  } catch (cause) {
    throw new ClientError('bad-meta', String(cause), { cause })
  }
}
