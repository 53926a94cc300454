import type { Position, RequestId } from '../../protocol/index.ts'
import type { Eventually } from './eventually.ts'

/** What is to be logged: the parts of a message that its room does not know by itself, as JSON. */
export interface LogRecord {
  /** When it was taken (ms since the epoch). */
  readonly at: number
  /** The sender: `{ user, session }`. One text for all messages of a session. */
  readonly from: string
  /**
   * The members that hold the data, from the comma on: `,"data":…`, perhaps `,"meta":…`; or `,"bytes":…`. Opaque to
   * the log, which gives it back as it was.
   */
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

/** A request as a log remembers it: ids are a session's own. */
export interface LoggedRequest {
  readonly session: string
  readonly id: RequestId
}

/** What came of an append. */
export interface Appended {
  /** The message's place in the log: a fresh one, or for a retry the one that it was given before. */
  readonly offset: number
  /** Whether this request had been taken before; then nothing was added. */
  readonly duplicate: boolean
}

/** What of a log is asked for. */
export interface ReadBounds {
  /** Entries at most. */
  readonly limit: number
  /** The last offset that may be shown: what is being appended beyond it may still fail. */
  readonly until: number
  /** The time (ms since the epoch): what is older than the log keeps is not shown. */
  readonly now: number
}

/** What a log says to "what did I miss?". */
export interface Recovery {
  /** Whether `entries` is all that was missed, up to {@link ReadBounds.until}. */
  readonly recovered: boolean
  readonly entries: readonly LogEntry[]
}

/** A part of a log, oldest first. */
export interface LogPage {
  readonly entries: readonly LogEntry[]
  /** Whether nothing older is kept. */
  readonly complete: boolean
}

/**
 * One room's log. Calls take effect in the order in which they are made. What a method returns directly is done; a
 * promise is for stores that need time, and its room goes on meanwhile.
 */
export interface RoomLog {
  /** The log's identity: a log that was lost, wholly or in part, comes back under another. */
  readonly epoch: string
  /** The last offset that is kept as promised; 0 before the first. */
  readonly offset: number
  /**
   * One step, all or nothing: recognises a retry, gives the next offset, keeps the message and remembers the request.
   * A promise resolves when the message is kept as the store promises, and promises of one log settle in the order of
   * the calls. After a rejection the log is not used any more: the room opens it again, and finds there what was kept.
   * What is thrown, rather than rejected, is a crash of the room.
   *
   * @param request - whose request it is, and under which id, when a retry is to be recognised
   */
  append(record: LogRecord, request?: LoggedRequest): Eventually<Appended>
  /** What came after a position, when all of that is still here. */
  since(position: Position, bounds: ReadBounds): Eventually<Recovery>
  /** The newest entries before an offset. */
  before(offset: number, bounds: ReadBounds): Eventually<LogPage>
  /** A session is not coming back; its requests need not be remembered. */
  forget(session: string): void
  /** The room is not in use any more. Never while an append is under way. */
  close(): void
}

/** Where rooms' logs live: the port that a store implements. */
export interface History {
  open(room: string, limits: HistoryLimits): Eventually<RoomLog>
  /** The runtime has ended. No log is used any more. */
  close?(): Eventually<void>
}
