import type { Buffer } from 'node:buffer'
import type { Database, SubDatabase } from './folder.ts'
import type { StoreError } from './store-error.ts'

/** Something that happens to the store: wholly, or not at all. */
export interface Change {
  /**
   * What is to be written. Called when it is written, not when it is asked for: of what changes often only the last
   * state is.
   */
  write(batch: Batch): void
  /** It is kept as the store promises. */
  kept?(): void
  /** It is not. A change without this method waits, and is written when the disk takes something again. */
  failed?(error: StoreError): void
}

/** What is written in one transaction. */
export class Batch {
  readonly #writes: { readonly key: Buffer; readonly value: Buffer | undefined; readonly db?: SubDatabase }[] = []
  #bytes = 0
  readonly #last = new Map<Buffer, () => Buffer>()

  get size(): number {
    return this.#writes.length + this.#last.size
  }

  /** The size of what is put. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * @param db - where, if not in the main database
   */
  put(key: Buffer, value: Buffer, db?: SubDatabase): void {
    this.#bytes += key.length + value.length
    this.#writes.push({ key, value, ...(db && { db }) })
  }

  /**
   * @param db - where, if not in the main database
   */
  remove(key: Buffer, db?: SubDatabase): void {
    this.#writes.push({ key, value: undefined, ...(db && { db }) })
  }

  /**
   * Puts a value of which only the last of the batch counts.
   *
   * @param key - this very object, each time
   */
  putLast(key: Buffer, value: () => Buffer): void {
    this.#last.set(key, value)
  }

  /** Resolves when it is committed. What is not in the transaction by then is in none: an error is thrown before. */
  commit(main: Database): Promise<unknown> {
    for (const [key, value] of this.#last) this.put(key, value())
    this.#last.clear()
    return main.batch(() => {
      for (const { key, value, db = main } of this.#writes) {
        if (value === undefined) void db.remove(key)
        else void db.put(key, value)
      }
    })
  }
}
