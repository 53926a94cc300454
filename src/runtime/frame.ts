import { Buffer } from 'node:buffer'
import type { ServerMessage } from '../protocol/index.ts'

/** One outgoing text frame, encoded once and shared by every outbox it stands in. */
export class Frame {
  readonly text: string
  /** The size of the text in UTF-8, in bytes. */
  readonly byteLength: number
  /** The frame as it goes over a wire; kept here by the first transport that needs it. */
  wire: Uint8Array | undefined

  constructor(text: string) {
    this.text = text
    this.byteLength = Buffer.byteLength(text)
  }

  static of(message: ServerMessage): Frame {
    return new Frame(JSON.stringify(message))
  }
}
