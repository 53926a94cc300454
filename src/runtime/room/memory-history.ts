import type { Position, RequestId } from '../../protocol/index.ts'
import type {
  Appended,
  History,
  HistoryLimits,
  LogEntry,
  LoggedRequest,
  LogPage,
  LogRecord,
  ReadBounds,
  Recovery,
  RoomLog,
} from '../ports/history.ts'

/**
 * Keeps logs in this process, as long as their rooms are in use.
 *
 * @param totalBytes - what all of them may hold together; beyond it the logs that nobody has
 * spoken in for longest are emptied
 */
export function memoryHistory(newId: () => string, totalBytes = 67_108_864): History {
  const budget = new Budget(totalBytes)
  return { open: (_room, limits) => new MemoryLog(newId(), limits, budget) }
}

/** What the logs of a process hold together. */
class Budget {
  readonly #totalBytes: number
  readonly #logs = new Set<MemoryLog>()
  #bytes = 0

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes
  }

  grow(log: MemoryLog, bytes: number): void {
    // A Set keeps the order of insertion: the first is the one that nobody has spoken in for longest.
    this.#logs.delete(log)
    this.#logs.add(log)
    this.#bytes += bytes
    for (const oldest of this.#logs) {
      if (this.#bytes <= this.#totalBytes) return
      oldest.empty()
    }
  }

  shrink(log: MemoryLog, bytes: number, isEmpty: boolean): void {
    this.#bytes -= bytes
    if (isEmpty) this.#logs.delete(log)
  }
}

/** Every append is kept at once, so there is never anything beyond {@link ReadBounds.until}. */
class MemoryLog implements RoomLog {
  readonly epoch: string
  offset = 0
  readonly #limits: HistoryLimits
  // Oldest first; `#start` spares shifting the array for each message that drops out.
  #entries: LogEntry[] = []
  #start = 0
  readonly #budget: Budget
  readonly #requests = new Map<string, { at: number; readonly offsets: Map<RequestId, number> }>()

  constructor(epoch: string, limits: HistoryLimits, budget: Budget) {
    this.epoch = epoch
    this.#limits = limits
    this.#budget = budget
  }

  close(): void {
    this.empty()
    this.#requests.clear()
  }

  /** Forgets every message. The epoch stays: offsets go on, and whoever asks for what is gone is told so. */
  empty(): void {
    const bytes = this.#entries.slice(this.#start).reduce((sum, { content }) => sum + content.length, 0)
    this.#entries = []
    this.#start = 0
    this.#budget.shrink(this, bytes, true)
  }

  #offsetOf({ session, id }: LoggedRequest, now: number): number | undefined {
    const requests = this.#requests.get(session)
    if (requests === undefined || requests.at <= now - this.#limits.idempotencyMs) return undefined
    return requests.offsets.get(id)
  }

  forget(session: string): void {
    this.#requests.delete(session)
  }

  append({ at, from, content }: LogRecord, request?: LoggedRequest): Appended {
    const before = request === undefined ? undefined : this.#offsetOf(request, at)
    if (before !== undefined) return { offset: before, duplicate: true }
    const entry = { offset: ++this.offset, at, from, content }
    if (this.#limits.count > 0) {
      this.#entries.push(entry)
      this.#budget.grow(this, content.length)
    }
    this.#trim(at)
    if (request !== undefined) this.#remember(request, entry)
    return { offset: entry.offset, duplicate: false }
  }

  since(position: Position, { limit, now }: ReadBounds): Recovery {
    this.#trim(now)
    const lost = { recovered: false, entries: [] }
    if (position.epoch !== this.epoch || position.offset > this.offset || position.offset < 0) return lost
    const missed = this.offset - position.offset
    if (missed > limit || missed > this.#entries.length - this.#start) return lost
    return { recovered: true, entries: missed === 0 ? [] : this.#entries.slice(-missed) }
  }

  before(offset: number, { limit, now }: ReadBounds): LogPage {
    this.#trim(now)
    const oldest = this.offset - (this.#entries.length - this.#start) + 1
    const end = this.#start + Math.max(0, Math.min(offset, this.offset + 1) - oldest)
    const begin = Math.max(this.#start, end - limit)
    return { entries: this.#entries.slice(begin, end), complete: begin === this.#start }
  }

  #trim(now: number): void {
    const entries = this.#entries
    const { count, ageMs } = this.#limits
    while (this.#start < entries.length) {
      const oldest = entries[this.#start]
      if (oldest === undefined || (entries.length - this.#start <= count && oldest.at > now - ageMs)) break
      this.#start++
      this.#budget.shrink(this, oldest.content.length, this.#start === entries.length)
    }
    if (this.#start > count || this.#start === entries.length) {
      this.#entries = entries.slice(this.#start)
      this.#start = 0
    }
  }

  #remember({ session, id }: LoggedRequest, { offset, at }: LogEntry): void {
    const { idempotencyCount, idempotencyMs } = this.#limits
    let requests = this.#requests.get(session)
    if (requests === undefined) this.#requests.set(session, (requests = { at, offsets: new Map() }))
    const { offsets } = requests
    if (requests.at <= at - idempotencyMs) offsets.clear()
    requests.at = at
    offsets.set(id, offset)
    if (offsets.size <= idempotencyCount) return
    // A Map keeps the order of insertion: the first is the oldest.
    for (const oldest of offsets.keys()) {
      offsets.delete(oldest)
      return
    }
  }
}
