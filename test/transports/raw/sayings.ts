import { Buffer } from 'node:buffer'
import { encodeBinary } from '../../../src/protocol/index.ts'

/** A message, and what comes back of it. */
export interface Saying {
  readonly payload: Buffer
  readonly data: string
}

/** A text message that the server answers with its own data. */
export function echo(data: string, id: number | string = 1): Saying {
  return { payload: Buffer.from(JSON.stringify({ type: 'echo', id, data })), data }
}

/** One of exactly so many bytes. */
export function echoOfBytes(bytes: number): Saying {
  return echo('x'.repeat(bytes - echo('').payload.length))
}

/** A binary message to a room, of exactly so many bytes, and the bytes in it. */
export function binaryOfBytes(bytes: number, room: string): { payload: Buffer; body: Buffer } {
  const header = JSON.stringify({ type: 'message', room, id: 1 })
  const body = Buffer.alloc(bytes - 4 - header.length, 'y')
  return { payload: Buffer.from(encodeBinary(header, body)), body }
}
