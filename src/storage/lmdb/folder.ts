import { Buffer } from 'node:buffer'
import { fsyncSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { open, type Database as AnyDatabase, type RootDatabase } from 'lmdb'
import { metaKey } from './codec.ts'
import { fileIdentity, refuseBrokenFile, withDescriptor } from './file.ts'
import { hasRestartedSince, isRunning, thisOwner, type Owner } from './owner.ts'
import { refuseIfFull } from './space.ts'
import { StoreError } from './store-error.ts'

/** When something counts as kept. See `LmdbOptions.durability`. */
export type Durability = 'flushed' | 'committed'

export type Database = RootDatabase<Buffer, Buffer>

/** A part of the file with keys of its own, and written in the same transactions. */
export type SubDatabase = AnyDatabase<Buffer, Buffer>

/** A folder that is this store's, until it is given back. */
export interface Folder {
  readonly path: string
  readonly durability: Durability
  /** What is known of rooms, and of the store as a whole. */
  readonly db: Database
  /** What is known of sessions: apart, so that one can tell who needs how much. */
  readonly sessions: SubDatabase
  /** How often the folder has been opened. */
  readonly run: number
  /** How often a crash of the machine may have taken back what had been promised. */
  readonly generation: number
  /** What is to be written last, so that the next who opens it knows that nothing is missing. */
  readonly farewell: Buffer
  /** Whether the file is where it was. When it is not, the system takes what is written, and nobody finds it again. */
  isThere(): boolean
  /** Lets go of the folder. */
  release(): Promise<void>
}

/** What the store knows of itself. */
interface Meta {
  readonly format: typeof format
  readonly run: number
  readonly generation: number
  /** Who has it open, or had when it ended improperly. */
  readonly owner?: Owner & { readonly durability: Durability }
}

const format = 1
const binary = { encoding: 'binary', keyEncoding: 'binary' } as const
const textOf = (meta: Meta): Buffer => Buffer.from(JSON.stringify(meta))

// lmdb gives one environment to all of a process that open the same folder, and by the second opening loses the lock
// that other processes see. So that is refused before lmdb hears of it.
const openHere = new Set<string>()

/**
 * Opens a folder for this store alone.
 *
 * @throws StoreError `store-in-use`, `store-unusable`
 */
export function openFolder(name: string, durability: Durability): Folder {
  const path = attempt(resolve(name), () => {
    const folder = resolve(name)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return realpathSync(folder)
  })
  if (openHere.has(path)) throw new StoreError('store-in-use', `This process has the store at '${path}' open already.`)
  attempt(path, () => refuseIfFull(path, 0))
  const file = join(path, 'data.mdb')
  const db = attempt(path, () => {
    refuseBrokenFile(file)
    return openDatabase(path)
  })
  try {
    const meta = attempt(path, () => take(db, path, durability))
    const sessions = attempt(path, () => db.openDB<Buffer, Buffer>('sessions', binary))
    const identity = attempt(path, () => fileIdentity(file))
    openHere.add(path)
    const { owner: _, ...rest } = meta
    return {
      path,
      durability,
      db,
      sessions,
      run: meta.run,
      generation: meta.generation,
      farewell: textOf(rest),
      isThere: () => fileIdentity(file) === identity,
      release: async () => {
        await db.close()
        openHere.delete(path)
      },
    }
  } catch (error) {
    void db.close()
    throw error
  }
}

function openDatabase(path: string): Database {
  return open<Buffer, Buffer>({
    path,
    // Otherwise a folder with a dot in its name would be taken for a file.
    noSubdir: false,
    ...binary,
    // Always on: a file that was written with it must not be opened without it after a crash of the machine, for then
    // lmdb would not see which of its roots is whole.
    overlappingSync: true,
    // A failed commit would reject a promise that lmdb keeps to itself, and end the process.
    eventTurnBatching: false,
  })
}

/** Puts this process's name on the folder, in one transaction with the question whether another's is on it. */
function take(db: Database, path: string, durability: Durability): Meta {
  // Read before this process is among them.
  const readers = db.readerList()
  const meta = db.transactionSync(() => {
    const last = readMeta(db)
    if (last?.owner !== undefined && isInUse(last.owner, readers)) {
      throw new StoreError('store-in-use', `Process ${last.owner.pid} has the store at '${path}' open.`)
    }
    const crashed = last?.owner?.durability === 'committed' && hasRestartedSince(last.owner)
    const next: Meta = {
      format,
      run: (last?.run ?? 0) + 1,
      generation: (last?.generation ?? 0) + (crashed ? 1 : 0),
      owner: { ...thisOwner(), durability },
    }
    db.put(metaKey, textOf(next))
    return next
  })
  syncFolder(path)
  // From now on this process is among the readers that lmdb knows of.
  db.get(metaKey)
  return meta
}

/**
 * Where processes cannot see each other, as in containers that share a folder, lmdb can: whoever opens a file that
 * nobody has open, by the kernel's locks, finds an empty list of readers.
 */
function isInUse(owner: Owner, readers: string): boolean {
  return isRunning(owner) || readers.split('\n').some((line) => Number.parseInt(line, 10) === owner.pid)
}

function readMeta(db: Database): Meta | undefined {
  const value = db.get(metaKey)
  if (value === undefined) {
    for (const _ of db.getKeys({ limit: 1 })) throw new Error('it holds data of another program')
    return undefined
  }
  const meta = JSON.parse(value.toString()) as Meta
  if (meta.format !== format) throw new Error(`its format is ${String(meta.format)}, and this version knows ${format}`)
  return meta
}

/** A new file is there after a power cut when its folder says so. */
function syncFolder(path: string): void {
  for (const folder of [path, dirname(path)]) {
    try {
      withDescriptor(folder, fsyncSync)
    } catch {
      // Not every system lets one do that to a folder, nor every folder.
    }
  }
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof StoreError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new StoreError('store-unusable', `The store at '${path}' cannot be opened: ${reason}`, { cause: error })
  }
}
