import { randomBytes } from 'node:crypto'
import type { Buffer } from 'node:buffer'
import type { Position } from '../../protocol/index.ts'
import type { Eventually } from '../../runtime/ports/eventually.ts'
import type {
  Appended,
  HistoryLimits,
  LogEntry,
  LoggedRequest,
  LogPage,
  LogRecord,
  ReadBounds,
  Recovery,
  RoomLog,
} from '../../runtime/ports/history.ts'
import type { Batch } from './batch.ts'
import {
  decodeEntry,
  decodeHead,
  encodeEntry,
  encodeHead,
  entryTime,
  expiryKey,
  nameKey,
  offsetKey,
  offsetOf,
  offsetRange,
  presence,
  type Head,
} from './codec.ts'
import type { Database } from './folder.ts'
import { Requests, writeRequest } from './requests.ts'
import type { Writer } from './writer.ts'
import { StoreError } from './store-error.ts'

/** What a log stands on. */
export interface LogGround {
  readonly db: Database
  readonly writer: Writer
  readonly generation: number
  /** A room is on disk for the first time. */
  firstExpiry(expires: number): void
  closed(log: LmdbLog): void
}

/**
 * One room's log. What has been given an offset is written by and by; what is kept can be read, and it is what is on
 * disk from the oldest entry that counts to {@link LmdbLog.offset}.
 */
export class LmdbLog implements RoomLog {
  readonly room: string
  readonly epoch: string
  offset: number
  readonly #ground: LogGround
  readonly #limits: HistoryLimits
  readonly #keepMs: number
  readonly #headKey: Buffer
  readonly #entries: Buffer
  readonly #requests: Requests
  /** The last offset that was given. */
  #given: number
  /** The first entry that readers are shown, if it is there. */
  #oldest: number
  /** The first entry that may be on disk once all is written that is under way. */
  #erased: number
  /** When the entry at the offset `#timed` was taken. */
  #time = 0
  #timed = 0
  #expires: number
  #isOnDisk: boolean
  #underWay = 0
  #failure: StoreError | undefined

  constructor(ground: LogGround, room: string, limits: HistoryLimits) {
    const { db, generation } = ground
    this.#ground = ground
    this.room = room
    this.#limits = { ...limits, count: Math.floor(limits.count) }
    this.#keepMs = Math.max(limits.count < 1 ? 0 : limits.ageMs, limits.idempotencyMs)
    this.#headKey = nameKey('h', room)
    this.#entries = nameKey('e', room)
    this.#requests = new Requests(db, room, limits)
    const value = db.get(this.#headKey)
    const head = value === undefined ? undefined : decodeHead(value)
    this.#isOnDisk = head !== undefined
    this.offset = this.#given = head?.offset ?? 0
    this.#expires = head?.expires ?? 0
    this.#erased = this.#firstOnDisk()
    this.#oldest = Math.max(this.#erased, this.#given - this.#limits.count + 1)
    const isWhole = head !== undefined && head.generation === generation
    this.epoch = isWhole ? head.epoch : randomBytes(18).toString('base64url')
    // A log that nobody has spoken in has nothing to lose, and is not written.
    if (head !== undefined && !isWhole) this.#renew(head)
  }

  /** Whether anything has been promised that is not settled. */
  get isBusy(): boolean {
    return this.#underWay > 0
  }

  append(record: LogRecord, request?: LoggedRequest): Eventually<Appended> {
    const { writer } = this.#ground
    this.#failure ??= writer.refusal
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const before = request === undefined ? undefined : this.#requests.offsetOf(request, record.at)
    if (before !== undefined) {
      const known = { offset: before, duplicate: true }
      return this.isBusy ? this.#promise(known) : known
    }
    const { count } = this.#limits
    const value = count > 0 ? encodeEntry(record) : undefined
    const offset = ++this.#given
    const requestWrites = request === undefined ? undefined : this.#requests.remember(request, offset, record.at)
    const expires = (this.#expires = Math.max(this.#expires, record.at + this.#keepMs))
    this.#trim(record.at)
    const from = this.#erased
    const to = (this.#erased = Math.max(from, this.#oldest, offset - count + 1))
    const write = (batch: Batch): void => {
      if (value !== undefined) batch.put(offsetKey(this.#entries, offset), value)
      if (requestWrites !== undefined) writeRequest(requestWrites, batch)
      for (let erased = from; erased < Math.min(to, offset); erased++) batch.remove(offsetKey(this.#entries, erased))
      this.#writeHead(batch, offset, expires)
    }
    return this.#promise({ offset, duplicate: false }, write, to)
  }

  since(position: Position, { limit, until, now }: ReadBounds): Recovery {
    this.#trim(now)
    const top = Math.min(until, this.offset)
    const missed = top - position.offset
    const lost = { recovered: false, entries: [] }
    if (position.epoch !== this.epoch || !(position.offset >= 0) || !(missed >= 0) || missed > limit) return lost
    if (missed > 0 && position.offset + 1 < this.#oldest) return lost
    const entries = this.#read(position.offset + 1, top)
    return entries.length === missed ? { recovered: true, entries } : lost
  }

  before(offset: number, { limit, until, now }: ReadBounds): LogPage {
    this.#trim(now)
    const last = Math.min(offset - 1, until, this.offset)
    if (!(last >= this.#oldest)) return { entries: [], complete: true }
    const first = Math.max(this.#oldest, last - limit + 1)
    return { entries: this.#read(first, last), complete: first === this.#oldest }
  }

  forget(session: string): void {
    const keys = this.#requests.forget(session)
    if (keys.length === 0 || this.#failure !== undefined) return
    this.#write((batch) => {
      for (const key of keys) batch.remove(key)
    })
  }

  close(): void {
    this.retire()
    this.#ground.closed(this)
  }

  /** Takes nothing any more. What is under way goes on. */
  retire(): void {
    this.#failure ??= new StoreError('store-closed', `The log of '${this.room}' is closed.`)
  }

  /** Takes every message that is kept off the disk. The epoch stays, and offsets go on. */
  empty(batch: Batch): void {
    for (; this.#erased <= this.offset; this.#erased++) batch.remove(offsetKey(this.#entries, this.#erased))
    this.#oldest = Math.max(this.#oldest, this.#erased)
  }

  /** Settles after all that was promised before it. */
  #promise(appended: Appended, write: (batch: Batch) => void = () => {}, oldest = 0): Promise<Appended> {
    this.#underWay++
    return new Promise((resolve, reject) => {
      const kept = (): void => {
        this.#underWay--
        this.offset = Math.max(this.offset, appended.offset)
        this.#oldest = Math.max(this.#oldest, oldest)
        resolve(appended)
      }
      const failed = (error: StoreError): void => {
        this.#underWay--
        this.#failure ??= error
        if (appended.offset <= this.offset) resolve(appended)
        else reject(error)
      }
      this.#ground.writer.add({ write, kept, failed })
    })
  }

  /** Writes what nobody waits for, and what does no harm when it is not written. */
  #write(write: (batch: Batch) => void): void {
    this.#ground.writer.add({ write, failed: () => {} })
  }

  /** Keeps the new epoch of a log that was there before, unless it is closed by then and may be on its way out. */
  #renew({ offset, expires }: Head): void {
    this.#write((batch) => {
      if (this.#failure === undefined) this.#writeHead(batch, offset, expires)
    })
  }

  #writeHead(batch: Batch, offset: number, expires: number): void {
    const { epoch, room } = this
    const { generation } = this.#ground
    batch.putLast(this.#headKey, () => encodeHead({ epoch, generation, offset, expires }))
    if (this.#isOnDisk) return
    this.#isOnDisk = true
    batch.put(expiryKey(expires, room), presence)
    this.#ground.firstExpiry(expires)
  }

  #read(first: number, last: number): LogEntry[] {
    if (last < first) return []
    const entries: LogEntry[] = []
    for (const { key, value } of this.#ground.db.getRange(offsetRange(this.#entries, first, last))) {
      entries.push(decodeEntry(offsetOf(key), value))
    }
    return entries
  }

  /** Shows no more what is too old. It is erased with the next entry. */
  #trim(now: number): void {
    const oldestAllowed = now - this.#limits.ageMs
    while (this.#oldest <= this.offset) {
      if (this.#timed !== this.#oldest) {
        const value = this.#ground.db.get(offsetKey(this.#entries, this.#oldest))
        this.#time = value === undefined ? -Infinity : entryTime(value)
        this.#timed = this.#oldest
      }
      if (this.#time > oldestAllowed) return
      this.#oldest++
    }
  }

  #firstOnDisk(): number {
    for (const key of this.#ground.db.getKeys({ ...offsetRange(this.#entries), limit: 1 })) return offsetOf(key)
    return this.#given + 1
  }
}
