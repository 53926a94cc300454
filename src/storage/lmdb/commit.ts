import { Buffer } from 'node:buffer'
import { constants } from 'node:os'
import type { Batch } from './batch.ts'
import { sequenceKey } from './codec.ts'
import type { Folder } from './folder.ts'
import { refuseIfFull } from './space.ts'
import { StoreError } from './store-error.ts'

// A look takes a microsecond, and a transaction a hundred or so. When it takes longer, one looks every millisecond.
const eagerLooks = 200

export function writeError(path: string, cause: unknown): StoreError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new StoreError('store-write-failed', `The store at '${path}' cannot be written: ${reason}`, { cause })
}

// After these the transaction is not there, and the next may well be.
const { ENOSPC, EDQUOT, EFBIG, ENOMEM } = constants.errno
const passing = new Set<unknown>([ENOSPC, EDQUOT, EFBIG, ENOMEM])

/** Numbers the batches of a folder, so that one can see of each whether it is there. */
export interface Sequence {
  last: number
}

/** No number is that of a batch of another run, which may be the last on the disk. */
export function firstSequence({ run }: Folder): Sequence {
  return { last: run * 2 ** 32 }
}

/**
 * Writes a batch; resolves when the disk has it.
 *
 * @param onVisible - called when it would outlive the process; perhaps never, and then the promise tells
 * @throws StoreError `store-write-failed`
 */
export async function commit(folder: Folder, sequence: Sequence, batch: Batch, onVisible: () => void): Promise<void> {
  const { db, path, durability } = folder
  let stop = (): void => {}
  try {
    refuseIfFull(path, batch.bytes)
    if (durability === 'committed') {
      const number = ++sequence.last
      const value = Buffer.alloc(8)
      value.writeDoubleBE(number)
      batch.put(sequenceKey, value)
      stop = watch(folder, number, onVisible)
    }
    await batch.commit(db)
    await db.flushed
    // A file that was deleted meanwhile takes everything. So one asks now, when it is to be promised.
    if (!folder.isThere()) throw new Error('its file has been deleted, moved or replaced')
  } catch (error) {
    throw writeError(path, await causeOf(error))
  } finally {
    stop()
  }
}

/** lmdb shows a transaction to readers before the disk has it, and tells when the disk has it only. So one looks. */
function watch(folder: Folder, number: number, onVisible: () => void): () => void {
  const { db } = folder
  let looks = 0
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  const isVisible = (): boolean => {
    try {
      db.resetReadTxn()
      return db.get(sequenceKey)?.readDoubleBE() === number && folder.isThere()
    } catch {
      // Nothing can be read after certain failures. Whoever waits will hear of it.
      return false
    }
  }
  const look = (): void => {
    if (isOver) return
    if (isVisible()) onVisible()
    else if (++looks < eagerLooks) setImmediate(look)
    else timer = setTimeout(look, 1)
  }
  setImmediate(look)
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}

/** lmdb rejects with an error that says little, and promises another that says more. */
async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { readonly commitError?: Promise<unknown> }
  if (commitError === undefined) return error
  try {
    return await commitError
  } catch (cause) {
    return cause
  }
}

/**
 * Whether one may try again. After an I/O error nobody knows what is on the disk, and the kernel forgets that it owes
 * something; and lmdb may never answer again.
 */
export function isPassing({ cause }: StoreError): boolean {
  return passing.has((cause as { readonly code?: unknown } | undefined)?.code)
}
