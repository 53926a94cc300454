import type { Buffer } from 'node:buffer'
import type { RequestId } from '../../protocol/index.ts'
import type { HistoryLimits, LoggedRequest } from '../../runtime/ports/history.ts'
import type { Batch } from './batch.ts'
import { decodeRequest, encodeRequest, nameKey, offsetKey, offsetOf, offsetRange } from './codec.ts'
import type { Database } from './folder.ts'

/** The last requests of a session. */
interface Window {
  /** When the last of them was taken. */
  at: number
  readonly offsets: Map<RequestId, number>
}

/** What is to be written so that a request is remembered, and others are forgotten. */
export interface RequestWrites {
  readonly added: { readonly key: Buffer; readonly value: Buffer } | undefined
  readonly removed: readonly Buffer[]
}

// So many sessions that have fallen silent are forgotten with each request, and so there are never many of them.
const forgottenAtOnce = 2

/** The requests that a log remembers, on disk under the offsets that they were given. */
export class Requests {
  readonly #prefix: Buffer
  readonly #limits: HistoryLimits
  // The session that has been silent for longest comes first.
  readonly #windows = new Map<string, Window>()

  constructor(db: Database, room: string, limits: HistoryLimits) {
    this.#prefix = nameKey('r', room)
    this.#limits = limits
    for (const { key, value } of db.getRange(offsetRange(this.#prefix))) {
      const { session, id, at } = decodeRequest(value)
      this.#set(session, id, offsetOf(key), at)
    }
  }

  offsetOf({ session, id }: LoggedRequest, now: number): number | undefined {
    const window = this.#windows.get(session)
    if (window === undefined || window.at <= now - this.#limits.idempotencyMs) return undefined
    return window.offsets.get(id)
  }

  remember(request: LoggedRequest, offset: number, at: number): RequestWrites {
    const { session, id } = request
    const { idempotencyCount, idempotencyMs } = this.#limits
    const removed: Buffer[] = []
    const window = this.#windows.get(session)
    if (window !== undefined && window.at <= at - idempotencyMs) removed.push(...this.forget(session))
    const { offsets } = this.#set(session, id, offset, at)
    for (const [oldest, before] of offsets) {
      if (offsets.size <= idempotencyCount) break
      offsets.delete(oldest)
      if (before !== offset) removed.push(offsetKey(this.#prefix, before))
    }
    removed.push(...this.#forgetSilent(at - idempotencyMs))
    const isRemembered = this.#windows.get(session)?.offsets.has(id) === true
    const key = offsetKey(this.#prefix, offset)
    return { added: isRemembered ? { key, value: encodeRequest(at, request) } : undefined, removed }
  }

  /** @returns the keys that are to be removed */
  forget(session: string): Buffer[] {
    const window = this.#windows.get(session)
    this.#windows.delete(session)
    return [...(window?.offsets.values() ?? [])].map((offset) => offsetKey(this.#prefix, offset))
  }

  #set(session: string, id: RequestId, offset: number, at: number): Window {
    const window = this.#windows.get(session) ?? { at, offsets: new Map<RequestId, number>() }
    window.at = at
    window.offsets.set(id, offset)
    this.#windows.delete(session)
    this.#windows.set(session, window)
    return window
  }

  #forgetSilent(before: number): Buffer[] {
    const removed: Buffer[] = []
    let left = forgottenAtOnce
    for (const [session, { at }] of this.#windows) {
      if (at > before || left-- === 0) break
      removed.push(...this.forget(session))
    }
    return removed
  }
}

/** Puts into a batch what a request has to say. */
export function writeRequest({ added, removed }: RequestWrites, batch: Batch): void {
  for (const key of removed) batch.remove(key)
  if (added !== undefined) batch.put(added.key, added.value)
}
