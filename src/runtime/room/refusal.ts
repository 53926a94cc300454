import { errorMessage, type ErrorCode, type RequestId } from '../../protocol/index.ts'
import type { Outbox } from '../connection/outbox.ts'
import type { RoomRecord } from './room-record.ts'

/** Answers the connection that asked a room for something that it is not given it. */
export function refuse(
  room: RoomRecord,
  outbox: Outbox | undefined,
  message: { readonly id?: RequestId } | undefined,
  code: ErrorCode,
): void {
  outbox?.refuse(errorMessage(code, message?.id, room.name))
}
