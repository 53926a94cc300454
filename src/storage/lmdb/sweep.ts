import type { Buffer } from 'node:buffer'
import type { Batch } from './batch.ts'
import { decodeHead, expiryKey, expiryRange, nameKey, offsetRange, presence, readExpiryKey } from './codec.ts'
import type { Database } from './folder.ts'
import type { LmdbLog } from './log.ts'

// What is due is done in small portions, each in a transaction of its own or of somebody else's.
const roomsAtOnce = 64
const removalsAtOnce = 5_000
// One looks how much is on the disk before every so many transactions.
const measuredEvery = 64
// An open room that has expired is looked at again after this.
const openRoomMs = 60_000

/** What the sweep goes by. */
export interface SweepOptions {
  readonly db: Database
  /** The logs that are open, by room. */
  readonly logs: ReadonlyMap<string, LmdbLog>
  /** What may be on the disk. */
  readonly totalBytes: number
  readonly now: () => number
}

/**
 * Removes rooms that have expired, and when there is too much on the disk those that would have next. They stand in the
 * order in which they expire, each where it belonged when it was put there; it is moved when its turn comes, and so the
 * order costs nothing when somebody speaks.
 */
export class Sweep {
  readonly #options: SweepOptions
  /** The rooms of the transaction that is under way. */
  readonly #removing = new Set<string>()
  /** Before this, nothing expires of what is on the disk. */
  #next = -Infinity
  /** The same of what the transaction that is being made puts there. */
  #coming = Infinity
  #untilMeasured = 0
  #isOver = false

  constructor(options: SweepOptions) {
    this.#options = options
  }

  /** A room that was not there before. */
  expect(expires: number): void {
    this.#coming = Math.min(this.#coming, expires)
  }

  /** Whether a room is on its way out: it must not be opened before that has come to an end. */
  isRemoving(room: string): boolean {
    return this.#removing.has(room)
  }

  /** Adds what is due to a batch; says whether there is more. The batch before it has been settled. */
  addTo(batch: Batch): boolean {
    this.#removing.clear()
    const now = this.#options.now()
    const isOver = this.#measure()
    const isDue = isOver || now >= this.#next
    const isMoreDue = isDue && this.#visitFirst(batch, now, isOver)
    this.#next = Math.min(this.#next, this.#coming)
    this.#coming = Infinity
    return isMoreDue
  }

  #visitFirst(batch: Batch, now: number, isOver: boolean): boolean {
    const before = batch.size
    let rooms = 0
    for (const key of this.#options.db.getKeys({ ...expiryRange })) {
      const { expires, room } = readExpiryKey(key)
      if (!isOver && expires > now) {
        this.#next = expires
        return false
      }
      if (++rooms > roomsAtOnce || batch.size - before > removalsAtOnce) return batch.size > before
      this.#visit(batch, key, room, expires, now)
    }
    this.#next = Infinity
    return false
  }

  #visit(batch: Batch, key: Buffer, room: string, stood: number, now: number): void {
    const value = this.#options.db.get(nameKey('h', room))
    const { expires } = value === undefined ? { expires: 0 } : decodeHead(value)
    const log = this.#options.logs.get(room)
    const place = expiryKey(log === undefined || stood > now ? expires : Math.max(expires, now + openRoomMs), room)
    if (log === undefined && (expires <= now || place.equals(key))) {
      this.#remove(batch, key, room)
    } else if (place.equals(key)) {
      log?.empty(batch)
    } else {
      batch.remove(key)
      batch.put(place, presence)
      this.expect(readExpiryKey(place).expires)
    }
  }

  #remove(batch: Batch, key: Buffer, room: string): void {
    this.#removing.add(room)
    for (const kind of ['e', 'r'] as const) {
      let left = removalsAtOnce
      for (const entry of this.#options.db.getKeys(offsetRange(nameKey(kind, room)))) {
        // Oldest first: what remains is still a log.
        if (left-- === 0) return
        batch.remove(entry)
      }
    }
    batch.remove(nameKey('h', room))
    batch.remove(key)
  }

  #measure(): boolean {
    if (this.#isOver || this.#untilMeasured-- === 0) {
      this.#untilMeasured = measuredEvery
      this.#isOver = usedBytes(this.#options.db) > this.#options.totalBytes
    }
    return this.#isOver
  }
}

/** What holds data. Pages that have become free are used again and do not count. */
function usedBytes(db: Database): number {
  const { pageSize, treeBranchPageCount, treeLeafPageCount, overflowPages } = db.getStats() as {
    readonly pageSize: number
    readonly treeBranchPageCount: number
    readonly treeLeafPageCount: number
    readonly overflowPages: number
  }
  return pageSize * (treeBranchPageCount + treeLeafPageCount + overflowPages)
}
