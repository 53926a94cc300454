import type { Position } from '../protocol/index.ts'
import type { ClientError } from './client-error.ts'
import type { ReceivedMessage } from './received-message.ts'

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

/**
 * `joining` until the server has let us in (again), `left` for ever after `leave()`, a refusal, or the client's end. A
 * room that asks for what it has missed is `joined` all the while.
 */
export type RoomStatus = 'joining' | 'joined' | 'left'

/** What a room tells. */
export interface RoomEvents extends Record<string, unknown> {
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
