import { Buffer } from 'node:buffer'
import type { RequestId } from '../../protocol/index.ts'
import type { LogEntry, LoggedRequest, LogRecord } from '../../runtime/ports/history.ts'

/**
 * How things are written down.
 *
 * A key is a letter, a name as JSON, and perhaps an offset. JSON keeps every text apart from every other, those that
 * UTF-8 has no bytes for as well, and no JSON string is the beginning of another: so the entries of a room are one
 * range, with nobody else's in it.
 */

/** About the store as a whole. */
export const metaKey = Buffer.from('m')
/** The number of the last batch. */
export const sequenceKey = Buffer.from('n')
/** Written to find out whether one can write. */
export const probeKey = Buffer.from('p')
/** A key that says all there is to say. */
export const presence = Buffer.from([1])

/** What of a name's is meant: a room's head, its entries, its requests; a session, what it is shown as. */
export type Kind = 'e' | 'h' | 'r' | 's' | 't'

const offsetBytes = 6
const lastOffset = 2 ** 48 - 1
// lmdb takes 1978 bytes; some are left for the offset and the time.
const keyBytes = 1_900

/**
 * The key of what there is once for a name, and the beginning of the keys of what there is many of.
 *
 * @throws RangeError when the name is too long
 */
export function nameKey(kind: Kind, name: string): Buffer {
  const key = Buffer.from(kind + JSON.stringify(name))
  if (key.length > keyBytes) throw new RangeError(`A name of ${name.length} characters is too long for the store.`)
  return key
}

/** The key of a room's thing at an offset. */
export function offsetKey(prefix: Buffer, offset: number): Buffer {
  const key = Buffer.allocUnsafe(prefix.length + offsetBytes)
  prefix.copy(key)
  key.writeUIntBE(offset, prefix.length, offsetBytes)
  return key
}

export function offsetOf(key: Buffer): number {
  return key.readUIntBE(key.length - offsetBytes, offsetBytes)
}

/** All keys at the offsets from one to another, for a read of lmdb. */
export function offsetRange(prefix: Buffer, from = 0, to = lastOffset - 1): { start: Buffer; end: Buffer } {
  return { start: offsetKey(prefix, from), end: offsetKey(prefix, to + 1) }
}

/** All keys of a kind. */
export function kindRange(kind: Kind): { start: Buffer; end: Buffer } {
  return { start: Buffer.from(kind), end: Buffer.from(String.fromCharCode(kind.charCodeAt(0) + 1)) }
}

/** The rooms in the order in which they expire. */
export const expiryRange = { start: Buffer.from('x'), end: Buffer.from('y') }

export function expiryKey(expires: number, room: string): Buffer {
  const key = Buffer.from(`x      ${JSON.stringify(room)}`)
  key.writeUIntBE(Math.min(Math.max(Math.ceil(expires), 0), lastOffset), 1, offsetBytes)
  return key
}

export function readExpiryKey(key: Buffer): { expires: number; room: string } {
  return { expires: key.readUIntBE(1, offsetBytes), room: JSON.parse(key.toString('utf8', 1 + offsetBytes)) as string }
}

/** What is known of a room's log besides its entries. */
export interface Head {
  readonly epoch: string
  /** The crash of the machine after which the epoch was given, as a number that grows. */
  readonly generation: number
  readonly offset: number
  /** When nothing in the log is of use any more (ms since the epoch). */
  readonly expires: number
}

export function encodeHead({ epoch, generation, offset, expires }: Head): Buffer {
  const value = Buffer.allocUnsafe(18 + epoch.length)
  value.writeUIntBE(offset, 0, offsetBytes)
  value.writeUInt32BE(generation, 6)
  value.writeDoubleBE(expires, 10)
  value.write(epoch, 18, 'latin1')
  return value
}

export function decodeHead(value: Buffer): Head {
  return {
    offset: value.readUIntBE(0, offsetBytes),
    generation: value.readUInt32BE(6),
    expires: value.readDoubleBE(10),
    epoch: value.toString('latin1', 18),
  }
}

const utf8 = 0
const utf16 = 1
const entryHeaderBytes = 13

/** Everything of an entry but its offset, which is in its key. */
export function encodeEntry({ at, from, content }: LogRecord): Buffer {
  const kind = isWellFormed(from) && isWellFormed(content) ? utf8 : utf16
  const encoding = kind === utf8 ? 'utf8' : 'utf16le'
  const fromBytes = Buffer.byteLength(from, encoding)
  const value = Buffer.allocUnsafe(entryHeaderBytes + fromBytes + Buffer.byteLength(content, encoding))
  value[0] = kind
  value.writeDoubleBE(at, 1)
  value.writeUInt32BE(fromBytes, 9)
  value.write(from, entryHeaderBytes, encoding)
  value.write(content, entryHeaderBytes + fromBytes, encoding)
  return value
}

export function decodeEntry(offset: number, value: Buffer): LogEntry {
  const encoding = value[0] === utf8 ? 'utf8' : 'utf16le'
  const contentStart = entryHeaderBytes + value.readUInt32BE(9)
  return {
    offset,
    at: entryTime(value),
    from: value.toString(encoding, entryHeaderBytes, contentStart),
    content: value.toString(encoding, contentStart),
  }
}

/** When an entry was taken, without decoding the rest of it. */
export function entryTime(value: Buffer): number {
  return value.readDoubleBE(1)
}

/** JSON tells `1` from `"1"`. */
export function encodeRequest(at: number, { session, id }: LoggedRequest): Buffer {
  const text = JSON.stringify([session, id])
  const value = Buffer.allocUnsafe(8 + Buffer.byteLength(text))
  value.writeDoubleBE(at, 0)
  value.write(text, 8)
  return value
}

export function decodeRequest(value: Buffer): LoggedRequest & { readonly at: number } {
  const [session, id] = JSON.parse(value.toString('utf8', 8)) as [string, RequestId]
  return { at: value.readDoubleBE(0), session, id }
}

/** Whether UTF-8 gives the text back as it was. The method is in Node 20, and not in the types of ES2023. */
function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed()
}
