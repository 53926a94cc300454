import { Buffer } from 'node:buffer'
import type { Json } from '../../protocol/index.ts'
import type { SessionRecord } from '../../runtime/ports/session-store.ts'
import { nameKey, offsetKey, offsetOf } from './codec.ts'

/**
 * How sessions are written down: what changes seldom under one key, and what a session is shown as in a room under
 * another, by the number that its being there was given. No two are given the same while they are on the disk.
 */

/** A session's being in a room. */
export interface Place {
  readonly number: number
  /** What it was let in as, where that was said. */
  role: string | undefined
  /** What it is shown as there, if that is on the disk, or soon will be. */
  state: Json | undefined
  /** What the state takes there. */
  bytes: number
}

/** What is known of a session. */
export interface StoredSession {
  record: SessionRecord
  readonly secretHash: Buffer
  readonly places: Map<string, Place>
  /** What all but the states takes on the disk. */
  bytes: number
  /** How often it was claimed since the folder was opened. */
  claims: number
}

const hashBytes = 32

/**
 * @throws RangeError when the id is too long
 */
export function sessionKey(id: string): Buffer {
  return nameKey('s', id)
}

/** The key of what a session is shown as. */
export function stateKey(id: string, number: number): Buffer {
  return offsetKey(nameKey('t', id), number)
}

/** The number in the key of a state. */
export const numberOf = offsetOf

/** Everything of a session but what it is shown as. */
export function encodeSession({ record, secretHash, places }: StoredSession): Buffer {
  const { id, user, guest, detachedAt } = record
  const rooms = [...places].map(([name, { number, role }]) => ({ name, number, role }))
  return Buffer.concat([secretHash, Buffer.from(JSON.stringify({ id, user, guest, rooms, detachedAt }))])
}

/** What an older or a newer version wrote, or a broken disk, may not be a session. */
export function decodeSession(value: Buffer): StoredSession | undefined {
  const record = parse(value.subarray(hashBytes))
  if (!isRecord(record)) return undefined
  const places = record.rooms.map(
    ({ name, number, role }) => [name, { number, role, state: undefined, bytes: 0 }] as const,
  )
  // lmdb may use the memory of the value for another.
  const secretHash = Buffer.from(value.subarray(0, hashBytes))
  return { record, secretHash, places: new Map(places), bytes: 0, claims: 0 }
}

export function encodeState(state: Json): Buffer {
  return Buffer.from(JSON.stringify(state))
}

/** Undefined when it is no state. */
export function decodeState(value: Buffer): Json | undefined {
  return parse(value) as Json | undefined
}

function parse(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString())
  } catch {
    return undefined
  }
}

type WrittenRecord = Omit<SessionRecord, 'rooms'> & {
  readonly rooms: { readonly name: string; number: number; role?: string }[]
}

function isRecord(value: unknown): value is WrittenRecord {
  if (!isObject(value)) return false
  const { id, user, guest, rooms, detachedAt } = value
  if (typeof id !== 'string' || !isObject(user) || typeof user['id'] !== 'string' || typeof guest !== 'boolean')
    return false
  if (detachedAt !== undefined && typeof detachedAt !== 'number') return false
  return Array.isArray(rooms) && rooms.every(isPlace)
}

function isPlace(value: unknown): boolean {
  if (!isObject(value) || typeof value['name'] !== 'string' || !Number.isSafeInteger(value['number'])) return false
  return value['role'] === undefined || typeof value['role'] === 'string'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
