import type { HistoryMessage, JoinMessage, Position } from '../../protocol/index.ts'
import type { LogEntry, LogPage, Recovery } from '../ports/history.ts'
import type { Outbox } from '../connection/outbox.ts'
import type { Session } from '../session/session.ts'

const nothing: Recovery = { recovered: false, entries: [] }

/** How much one answer may hold. */
export interface AnswerLimits {
  readonly count: number
  /** Of data, in characters of JSON. */
  readonly length: number
}

/**
 * Puts what was read of a log together with what came while it was read: by offset, each once, without a gap.
 * Somebody who cannot be given all of it is given none of it, and is told so (after Centrifugo's recovery).
 *
 * @param position - the last message seen
 * @param read - what the log had beyond it
 * @param held - what was delivered since the reading began, in order
 * @param top - the last offset that was delivered
 */
export function merge(
  position: Position,
  read: Recovery,
  held: readonly LogEntry[],
  top: number,
  limits: AnswerLimits,
): Recovery {
  if (!read.recovered) return nothing
  const entries: LogEntry[] = []
  let [last, length] = [position.offset, 0]
  for (const entry of [...read.entries, ...held]) {
    if (entry.offset <= last) continue
    length += entry.content.length
    if (entry.offset !== last + 1 || entries.length >= limits.count || length > limits.length) return nothing
    entries.push(entry)
    last = entry.offset
  }
  return last === top ? { recovered: true, entries } : nothing
}

/** Takes of a page what one answer holds: the newest, but at least one. */
export function bounded({ entries, complete }: LogPage, lengthLimit: number): LogPage {
  let start = entries.length
  let length = 0
  while (start > 0) {
    length += entries[start - 1]?.content.length ?? 0
    if (length > lengthLimit && start < entries.length) break
    start--
  }
  return { entries: start === 0 ? entries : entries.slice(start), complete: complete && start === 0 }
}

/** Somebody for whom the log is being read, and what came meanwhile. */
export class Reading {
  readonly session: Session
  /** The connection that asked. */
  readonly outbox: Outbox | undefined
  readonly message: JoinMessage | HistoryMessage
  /** The identity of the log that is read. */
  readonly epoch: string | undefined
  result: Recovery | LogPage = nothing
  readonly held: LogEntry[] = []
  readonly #limits: AnswerLimits
  #length = 0

  constructor(
    session: Session,
    message: JoinMessage | HistoryMessage,
    epoch: string | undefined,
    limits: AnswerLimits,
  ) {
    this.session = session
    this.epoch = epoch
    this.outbox = session.outbox
    this.message = message
    this.#limits = limits
  }

  /** A message was delivered while the log is read. Beyond what an answer holds there is no use for it. */
  hold(entry: LogEntry): void {
    this.#length += entry.content.length
    if (this.held.length <= this.#limits.count && this.#length <= this.#limits.length) this.held.push(entry)
  }
}
