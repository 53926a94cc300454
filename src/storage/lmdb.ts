import type { History } from '../runtime/ports/history.ts'
import type { SessionStore } from '../runtime/ports/session-store.ts'
import { openFolder, type Durability } from './lmdb/folder.ts'
import type { LmdbLog } from './lmdb/log.ts'
import { Rooms } from './lmdb/rooms.ts'
import { Sessions } from './lmdb/sessions.ts'
import { Sweep } from './lmdb/sweep.ts'
import { Writer } from './lmdb/writer.ts'

export { StoreError, type StoreErrorCode } from './lmdb/store-error.ts'

/** What {@link lmdb} takes. */
export interface LmdbOptions {
  /** The folder, which is made if it is not there. On a disk of this machine: not on a network's. */
  readonly path: string
  /**
   * When a message, or a session, counts as kept, and its sender is told so.
   *
   * - `'flushed'`: when the disk has it. It survives a power cut.
   * - `'committed'`: when the operating system has it. It survives the end of the process, `kill -9` included, and not
   *   the end of the machine: then the last messages may be gone, and members are told that they cannot be given all
   *   that they missed. Worth it where the disk is slow.
   *
   * @default 'flushed'
   */
  readonly durability?: 'flushed' | 'committed'
  /**
   * What rooms may have on the disk (bytes). Beyond it the rooms that would be forgotten soonest lose their messages
   * first. The file does not shrink; what becomes free in it is used again.
   *
   * @default 1_073_741_824
   */
  readonly totalBytes?: number
  /**
   * What sessions may have on the disk besides (bytes of keys and values). Beyond it what sessions are shown as in
   * their rooms is not kept: after a restart others see it when their clients have come back, who say it again. If that
   * does not suffice the sessions go that have been without a connection for longest; never one that has one.
   *
   * @default 268_435_456
   */
  readonly sessionsBytes?: number
  /** The time (ms since the epoch), by which rooms that nobody opens again are forgotten. @default Date.now */
  readonly now?: () => number
}

/** Rooms' logs and sessions in one folder. `close` may be called by each of those it was handed to. */
export interface LmdbStore extends History, SessionStore {
  /**
   * Waits for what is being written, and gives the folder back.
   *
   * @throws StoreError `store-write-failed`, when something could not be written. Then the folder remains this
   * process's until it ends
   */
  close(): Promise<void>
}

/**
 * Keeps rooms' logs and sessions in a folder, with LMDB: they are there again after a restart, and clients that come
 * back find their sessions and what they missed. Needs the package `lmdb`. A folder is one process's at a time. Nothing
 * is written that would leave less than 32 MiB on the disk.
 *
 * A file of which a part is missing, as after a copy that was broken off, is refused when it is opened. While it is open
 * it is mapped into memory: whoever shortens it or writes into it then may end the process. When it is deleted, moved or
 * replaced, nothing is taken any more until the next start.
 *
 * @example
 * ```ts
 * const store = lmdb({ path: './data' })
 * const runtime = createRuntime({ history: store, sessions: store })
 * ```
 * @throws TypeError, RangeError when an option is not what it can be
 * @throws StoreError `store-in-use`, `store-unusable`
 */
export function lmdb(options: LmdbOptions): LmdbStore {
  const { path, durability, totalBytes, sessionsBytes, now } = resolveOptions(options)
  const folder = openFolder(path, durability)
  const logs = new Map<string, LmdbLog>()
  const sweep = new Sweep({ db: folder.db, logs, totalBytes, now })
  const writer = new Writer(folder, (batch) => sweep.addTo(batch))
  const rooms = new Rooms(folder, writer, sweep, logs)
  const sessions = new Sessions(folder, writer, sessionsBytes)
  const close = async (): Promise<void> => {
    await writer.close()
    await folder.release()
  }
  let closed: Promise<void> | undefined
  // What has expired meanwhile goes first.
  writer.wake()
  return {
    keepsChanges: sessions.keepsChanges,
    open: (room, limits) => rooms.open(room, limits),
    restore: () => sessions.restore(),
    create: (record, secret) => sessions.create(record, secret),
    claim: (id, secret) => sessions.claim(id, secret),
    put: (record) => sessions.put(record),
    delete: (id) => sessions.delete(id),
    close: () => (closed ??= close()),
  }
}

const defaults = {
  durability: 'flushed' as Durability,
  totalBytes: 1_073_741_824,
  sessionsBytes: 268_435_456,
  now: () => Date.now(),
}

function resolveOptions(options: LmdbOptions): Required<LmdbOptions> {
  for (const name of Object.keys(options)) {
    if (name !== 'path' && !(name in defaults)) throw new RangeError(`There is no option '${name}'.`)
  }
  const { path, durability = defaults.durability, now = defaults.now } = options
  const { totalBytes = defaults.totalBytes, sessionsBytes = defaults.sessionsBytes } = options
  if (typeof path !== 'string' || path === '') throw new TypeError('path must name a folder')
  if (durability !== 'flushed' && durability !== 'committed') {
    throw new RangeError(`durability must be 'flushed' or 'committed', not '${String(durability)}'`)
  }
  for (const [name, value] of Object.entries({ totalBytes, sessionsBytes })) {
    if (typeof value !== 'number' || !(value > 0)) {
      throw new RangeError(`${name} must be a number > 0, not ${String(value)}`)
    }
  }
  if (typeof now !== 'function') throw new TypeError('now must be a function')
  return { path, durability, totalBytes, sessionsBytes, now }
}
