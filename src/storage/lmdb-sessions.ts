import { Buffer } from 'node:buffer'
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Eventually } from '../runtime/eventually.ts'
import type { Claim, SessionRecord, SessionStore } from '../runtime/session-store.ts'
import type { Batch } from './lmdb-batch.ts'
import { kindRange, nameKey } from './lmdb-codec.ts'
import type { Folder } from './lmdb-folder.ts'
import type { Writer } from './lmdb-writer.ts'

interface Session {
  record: SessionRecord
  readonly secretHash: Buffer
  /** How often it was claimed since the folder was opened. */
  claims: number
}

const hashBytes = 32
// The claims of one run: fences of the next run begin above them, though none of them was written.
const claimsPerRun = 2 ** 30
const nobodysHash = Buffer.alloc(hashBytes)

/** Sessions are known in memory, and written behind. */
export class Sessions implements SessionStore {
  readonly keepsChanges = true
  readonly #folder: Folder
  readonly #writer: Writer
  /** Read when they are first asked for: who keeps sessions elsewhere has none here. */
  #known: Map<string, Session> | undefined
  /** Those of which a change waits to be written. */
  readonly #changed = new Set<string>()

  constructor(folder: Folder, writer: Writer) {
    this.#folder = folder
    this.#writer = writer
  }

  restore(): readonly SessionRecord[] {
    return [...this.#sessions.values()].map(({ record }) => record)
  }

  /**
   * @throws RangeError when the id is too long
   * @throws StoreError `store-closed`, `store-write-failed`
   */
  async create(record: SessionRecord, secret: string): Promise<void> {
    const { id } = record
    const session = { record, secretHash: hash(secret), claims: 0 }
    nameKey('s', id)
    this.#sessions.set(id, session)
    try {
      if (this.#writer.refusal !== undefined) await this.#writer.recover()
      await new Promise<void>((kept, failed) => {
        this.#writer.add({ write: (batch) => this.#write(batch, id), kept, failed })
      })
    } catch (error) {
      // Nobody was told the secret. The session may be on the disk, should the disk have taken it and not said so.
      if (this.#sessions.get(id) === session) this.delete(id)
      throw error
    }
  }

  claim(id: string, secret: string): Eventually<Claim | undefined> {
    const session = this.#sessions.get(id)
    const isRight = timingSafeEqual(hash(secret), session?.secretHash ?? nobodysHash)
    if (session === undefined || !isRight) return undefined
    return { record: session.record, fence: this.#folder.run * claimsPerRun + ++session.claims }
  }

  put(record: SessionRecord): void {
    const session = this.#sessions.get(record.id)
    if (session === undefined) return
    session.record = record
    this.#change(record.id)
  }

  delete(id: string): void {
    if (this.#sessions.delete(id)) this.#change(id)
  }

  get #sessions(): Map<string, Session> {
    return (this.#known ??= this.#writer.isClosed ? new Map<string, Session>() : this.#read())
  }

  /** What changes often is written once. */
  #change(id: string): void {
    if (this.#changed.has(id)) return
    this.#changed.add(id)
    this.#writer.add({
      write: (batch) => {
        this.#changed.delete(id)
        this.#write(batch, id)
      },
    })
  }

  /** Writes what a session is by now: so it does not matter which of its changes is written when. */
  #write(batch: Batch, id: string): void {
    const session = this.#sessions.get(id)
    const key = nameKey('s', id)
    if (session === undefined) batch.remove(key)
    else batch.put(key, Buffer.concat([session.secretHash, Buffer.from(JSON.stringify(session.record))]))
  }

  #read(): Map<string, Session> {
    const sessions = new Map<string, Session>()
    for (const { key, value } of this.#folder.db.getRange(kindRange('s'))) {
      const record = readRecord(value)
      if (record === undefined) this.#writer.add({ write: (batch) => batch.remove(key) })
      else sessions.set(record.id, { record, secretHash: value.subarray(0, hashBytes), claims: 0 })
    }
    return sessions
  }
}

function hash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** What an older or a newer version wrote, or a broken disk, may not be a session. */
function readRecord(value: Buffer): SessionRecord | undefined {
  try {
    const record: unknown = JSON.parse(value.toString('utf8', hashBytes))
    return isRecord(record) ? record : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is SessionRecord {
  if (!isObject(value)) return false
  const { id, user, guest, rooms, detachedAt } = value
  if (typeof id !== 'string' || !isObject(user) || typeof user['id'] !== 'string' || typeof guest !== 'boolean')
    return false
  if (detachedAt !== undefined && typeof detachedAt !== 'number') return false
  return Array.isArray(rooms) && rooms.every((room) => isObject(room) && typeof room['name'] === 'string')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
