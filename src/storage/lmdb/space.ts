import { statfsSync } from 'node:fs'
import { constants } from 'node:os'

// lmdb 3.5.6 writes past the end of a piece of memory while it says that a disk is full (`last_error` in its mdb.c), and
// that ends the process sooner or later. So the disk is not filled to the brim.
const reservedBytes = 33_554_432

/**
 * Asks whether there is room on a folder's disk.
 *
 * @throws Error with the code of `ENOSPC`
 */
export function refuseIfFull(path: string, bytes: number): void {
  if (freeBytes(path) >= reservedBytes + 2 * bytes) return
  const error = new Error(`less than ${reservedBytes} bytes would be left on its disk`)
  throw Object.assign(error, { code: constants.errno.ENOSPC })
}

function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  } catch {
    // Where the system does not tell, lmdb will.
    return Infinity
  }
}
