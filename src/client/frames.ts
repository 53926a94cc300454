import { decodeBinary, encodeBinary, encodeData, utf8Length, type ServerMessage } from '../protocol/index.ts'

/** A message, encoded once however often it is sent. */
export interface OutgoingFrame {
  readonly payload: string | Uint8Array<ArrayBuffer>
  readonly byteLength: number
}

/**
 * A message with an application's data, if there is any.
 *
 * @throws TypeError for data that cannot be sent
 */
export function withContent<Message extends object>(message: Message, data: unknown): Message {
  return data === undefined ? message : { ...message, ...encodeData(data) }
}

/** Encodes a message; one with `bytes` becomes a binary frame. */
export function encodeFrame(message: object): OutgoingFrame {
  const { bytes, ...header } = message as { bytes?: Uint8Array }
  const text = JSON.stringify(header)
  if (bytes === undefined) return { payload: text, byteLength: utf8Length(text) }
  const payload = encodeBinary(text, bytes)
  return { payload, byteLength: payload.length }
}

/** What a frame from the server says, and the bytes that it carries; undefined for one that says nothing. */
export function decodeFrame(data: unknown): { message: ServerMessage; bytes?: Uint8Array } | undefined {
  try {
    if (typeof data === 'string') return { message: asMessage(data) }
    const parts = decodeBinary(data instanceof Uint8Array ? data : new Uint8Array(data as ArrayBuffer))
    return parts && { message: asMessage(parts.header), bytes: parts.bytes }
  } catch {
    return undefined
  }
}

/** A duration that the server has named, in ms: what is none, or would take no time, is the fallback. */
export function durationOf(named: unknown, fallback: number, least: number): number {
  if (typeof named !== 'number' || !(named > 0 && named < Infinity)) return fallback
  return Math.min(Math.max(named, least), 300_000)
}

/** How long credentials hold, as the server has said (ms): not for so short a time that they are renewed without end. */
export function lifeOf(named: unknown): number {
  return typeof named === 'number' ? Math.max(named, 1_000) : Infinity
}

/** @throws Error when it is not a message at all */
function asMessage(text: string): ServerMessage {
  const value = JSON.parse(text) as ServerMessage
  if (typeof value.type !== 'string') throw new TypeError('A message has a type.')
  return value
}
