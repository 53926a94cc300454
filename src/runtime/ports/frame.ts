import { Buffer } from 'node:buffer'
import type { ServerMessage } from '../../protocol/index.ts'

/** One outgoing frame, encoded once and shared by every outbox it stands in. */
export class Frame {
  /** Text, or the content of a binary frame. */
  readonly payload: string | Uint8Array
  /** The size of the payload, of text in UTF-8, in bytes. */
  readonly byteLength: number
  /** The frame as it goes over a wire; kept here by the first transport that needs it. */
  wire: Uint8Array | undefined
  /** How many slow readers it waits for. */
  waiting = 0

  constructor(payload: string | Uint8Array) {
    this.payload = payload
    this.byteLength = Buffer.byteLength(payload)
  }

  static of(message: ServerMessage): Frame {
    return new Frame(JSON.stringify(message))
  }
}
