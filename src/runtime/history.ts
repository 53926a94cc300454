import type { Position, RequestId } from '../protocol/index.ts'

/** What is to be logged: the parts of a message that its room does not know by itself, as JSON. */
export interface LogRecord {
  /** When it was taken (ms since the epoch). */
  readonly at: number
  /** The sender: `{ user, session }`. One text for all messages of a session. */
  readonly from: string
  /** The members that hold the data, from the comma on: `,"data":…`, perhaps `,"meta":…`; or `,"bytes":…`. */
  readonly content: string
}

/** A message in a room's log. */
export interface LogEntry extends LogRecord {
  readonly offset: number
}

/** How much a room's log keeps. */
export interface HistoryLimits {
  /** Messages kept at most; 0 keeps none. */
  readonly count: number
  /** How long a message is kept (ms). */
  readonly ageMs: number
  /** How many of a session's last requests are remembered, so that a retry is recognised. */
  readonly idempotencyCount: number
  /** How long they are remembered after the last of them (ms). */
  readonly idempotencyMs: number
}

/** What a log says to "what did I miss?". */
export interface Recovery {
  /** Whether `entries` is all that was missed. */
  readonly recovered: boolean
  readonly entries: readonly LogEntry[]
}

/** One room's log. Every method takes effect at once and in order; a backend that cannot do so queues. */
export interface RoomLog {
  /** The log's identity: a log that was lost comes back under another. */
  readonly epoch: string
  /** The last offset given; 0 before the first. */
  readonly offset: number
  /** The offset that a session's request was given before, if it was. */
  duplicateOf(session: string, id: RequestId, now: number): number | undefined
  /**
   * Gives the next offset to a message and keeps it.
   * @param request - whose request it is, and under which id, when a retry is to be recognised
   */
  append(record: LogRecord, request?: LoggedRequest): LogEntry
  /** A session is not coming back; its requests need not be remembered. */
  forget(session: string): void
  /** The room is not in use any more. */
  close(): void
  /** What came after a position, when all of that is still here. */
  since(position: Position, limit: number, now: number): Recovery
  /** The newest `limit` entries before an offset, oldest first, and whether nothing older is kept. */
  before(
    offset: number,
    limit: number,
    now: number,
  ): { readonly entries: readonly LogEntry[]; readonly complete: boolean }
}

/** Where rooms' logs live. */
export interface History {
  open(room: string, limits: HistoryLimits): RoomLog | Promise<RoomLog>
}

/** A request as a log remembers it: ids are a session's own. */
export interface LoggedRequest {
  readonly session: string
  readonly id: RequestId
}

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

  duplicateOf(session: string, id: RequestId, now: number): number | undefined {
    const requests = this.#requests.get(session)
    if (requests === undefined || requests.at <= now - this.#limits.idempotencyMs) return undefined
    return requests.offsets.get(id)
  }

  forget(session: string): void {
    this.#requests.delete(session)
  }

  append({ at, from, content }: LogRecord, request?: LoggedRequest): LogEntry {
    const entry = { offset: ++this.offset, at, from, content }
    if (this.#limits.count > 0) {
      this.#entries.push(entry)
      this.#budget.grow(this, content.length)
    }
    this.#trim(at)
    if (request !== undefined) this.#remember(request, entry)
    return entry
  }

  since(position: Position, limit: number, now: number): Recovery {
    this.#trim(now)
    const lost = { recovered: false, entries: [] }
    if (position.epoch !== this.epoch || position.offset > this.offset || position.offset < 0) return lost
    const missed = this.offset - position.offset
    if (missed > limit || missed > this.#entries.length - this.#start) return lost
    return { recovered: true, entries: missed === 0 ? [] : this.#entries.slice(-missed) }
  }

  before(offset: number, limit: number, now: number): { entries: readonly LogEntry[]; complete: boolean } {
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
