import { Batch, type Change } from './batch.ts'
import { metaKey, presence, probeKey } from './codec.ts'
import { commit, firstSequence, isPassing, writeError, type Sequence } from './commit.ts'
import type { Folder } from './folder.ts'
import { StoreError } from './store-error.ts'

// More of them in one transaction would hold up the event loop while they are handed over.
const batchWrites = 10_000

/**
 * Writes changes in the order in which they came, and all that came during one transaction in the next. There is one at
 * a time: what lmdb does with a transaction that was begun before the last one failed is not to be relied on.
 */
export class Writer {
  readonly #folder: Folder
  readonly #addDue: (batch: Batch) => boolean
  readonly #sequence: Sequence
  #queue: Change[] = []
  #isWriting = false
  #isScheduled = false
  #isClosed = false
  #failure: StoreError | undefined
  #recovery: Promise<void> | undefined
  #waiting: (() => void)[] = []

  /**
   * @param addDue - adds to a batch what is due whether or not anybody has asked for it, and says whether there is more
   */
  constructor(folder: Folder, addDue: (batch: Batch) => boolean) {
    this.#folder = folder
    this.#sequence = firstSequence(folder)
    this.#addDue = addDue
  }

  /** Why nothing can be written at present. */
  get refusal(): StoreError | undefined {
    return this.#isClosed ? this.#closedError() : this.#failure
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  add(change: Change): void {
    const { refusal } = this
    if (refusal === undefined || (!this.#isClosed && change.failed === undefined)) {
      this.#queue.push(change)
      this.wake()
    } else {
      change.failed?.(refusal)
    }
  }

  /** Writes what there is to write at the end of this turn of the event loop. */
  wake(): void {
    if (this.#isScheduled || this.#isWriting || this.#failure !== undefined) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#write()
    })
  }

  /** Resolves when nothing is under way. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#tellWhetherSettled()
    })
  }

  /**
   * Finds out whether the disk takes something again, if it did not.
   *
   * @throws StoreError `store-write-failed`, `store-closed`
   */
  async recover(): Promise<void> {
    if (this.#isClosed) throw this.#closedError()
    await this.#tryAgain()
  }

  #tryAgain(): Promise<void> {
    return (this.#recovery ??= this.#probe().finally(() => {
      this.#recovery = undefined
    }))
  }

  /** Writes what is left, and then that this was all. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.settled()
    if (this.#failure !== undefined) {
      await this.#tryAgain()
      await this.settled()
    }
    if (this.#failure !== undefined) throw this.#failure
    const batch = new Batch()
    batch.put(metaKey, this.#folder.farewell)
    await commit(this.#folder, this.#sequence, batch, () => {})
  }

  #write(): void {
    if (this.#isWriting || (this.#isClosed && this.#queue.length === 0)) return
    const batch = new Batch()
    let count = 0
    let isMoreDue = false
    try {
      while (count < this.#queue.length && batch.size < batchWrites) this.#queue[count++]?.write(batch)
      isMoreDue = this.#addDue(batch)
    } catch (error) {
      return this.#fail(writeError(this.#folder.path, error), [])
    }
    const changes = this.#queue.splice(0, count)
    let isKept = false
    const keep = (): void => {
      if (isKept) return
      isKept = true
      for (const change of changes) change.kept?.()
    }
    const goOn = (): void => {
      keep()
      this.#isWriting = false
      if (this.#queue.length > 0 || isMoreDue) this.wake()
      this.#tellWhetherSettled()
    }
    // A retry waits for what came before it, and has nothing to write itself.
    if (batch.size === 0) return goOn()
    this.#isWriting = true
    commit(this.#folder, this.#sequence, batch, keep).then(goOn, (error: StoreError) => {
      this.#isWriting = false
      this.#fail(error, isKept ? [] : changes)
    })
  }

  #fail(error: StoreError, changes: readonly Change[]): void {
    this.#failure = error
    const all = [...changes, ...this.#queue]
    this.#queue = all.filter(({ failed }) => failed === undefined)
    for (const change of all) change.failed?.(error)
    this.#tellWhetherSettled()
  }

  async #probe(): Promise<void> {
    const failure = this.#failure
    if (failure === undefined) return
    if (!isPassing(failure)) throw failure
    const batch = new Batch()
    batch.put(probeKey, presence)
    this.#isWriting = true
    try {
      await commit(this.#folder, this.#sequence, batch, () => {})
      this.#failure = undefined
    } catch (error) {
      this.#failure = error as StoreError
      throw error
    } finally {
      this.#isWriting = false
      if (this.#queue.length > 0) this.wake()
      this.#tellWhetherSettled()
    }
  }

  #tellWhetherSettled(): void {
    if (this.#isWriting || (this.#queue.length > 0 && this.#failure === undefined)) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #closedError(): StoreError {
    return new StoreError('store-closed', `The store at '${this.#folder.path}' is closed.`)
  }
}
