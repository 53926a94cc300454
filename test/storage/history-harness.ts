import type { Appended, History, LoggedRequest, ReadBounds, RoomLog } from '../../src/runtime/ports/history.ts'

/** A store under test. */
export interface HistoryHarness {
  readonly history: History
  /** Ends the store as a restart would, and begins it anew. Absent where nothing outlives the store. */
  restart?(): Promise<void>
  close(): Promise<void>
}

export const limits = { count: 5, ageMs: 1_000, idempotencyMs: 2_000, idempotencyCount: 4 }

/** Bounds that leave everything in. */
export const all = (bounds: Partial<ReadBounds> = {}): ReadBounds => ({
  limit: 100,
  until: Infinity,
  now: 0,
  ...bounds,
})

export const append = (log: RoomLog, at = 0, request?: LoggedRequest): Promise<Appended> =>
  Promise.resolve(log.append({ at, from: '{}', content: `,"data":${at}` }, request))
