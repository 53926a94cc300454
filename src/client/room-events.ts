import type { Position } from '../protocol/index.ts'
import type { ClientError } from './client-error.ts'
import type { ReceivedMessage } from './received-message.ts'

/**
 * `joining` until the server has let us in (again), `left` for ever after `leave()`, a refusal, or the client's end. A
 * room that asks for what it has missed is `joined` all the while.
 */
export type RoomStatus = 'joining' | 'joined' | 'left'

/** What a room tells. */
export interface RoomEvents {
  message: ReceivedMessage
  /** The users who are typing, without oneself. */
  typing: readonly string[]
  status: RoomStatus
  /**
   * The room was joined, for the first time or again; `recovered` tells whether nothing was missed. It was `healed` when
   * the connection was there all the while and a message was missing from what came by it.
   */
  joined: { readonly recovered: boolean; readonly healed: boolean }
  /** What was said between these places may be missing for good: the server could not give it any more. */
  gap: { readonly from: Position; readonly to: Position }
  /** So many messages were left out, because the room spares readers that are too slow. */
  skipped: { readonly count: number }
  error: ClientError
}
