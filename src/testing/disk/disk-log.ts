import type { Position } from '../../protocol/index.ts'
import type {
  Appended,
  LoggedRequest,
  LogPage,
  LogRecord,
  ReadBounds,
  Recovery,
  RoomLog,
} from '../../runtime/ports/history.ts'
import type { DiskTerms } from './virtual-disk.ts'
import { WriteQueue } from './write-queue.ts'

/** One process's use of a room's log on a {@link VirtualDisk}: from its opening until it fails or is closed. */
export class DiskLog implements RoomLog {
  readonly epoch: string
  readonly #stored: RoomLog
  readonly #terms: DiskTerms
  readonly #writes: WriteQueue
  #offset: number

  constructor(stored: RoomLog, terms: DiskTerms) {
    this.#stored = stored
    this.#terms = terms
    this.epoch = stored.epoch
    this.#offset = stored.offset
    this.#writes = new WriteQueue(terms)
  }

  get offset(): number {
    return this.#offset
  }

  append(record: LogRecord, request?: LoggedRequest): Promise<Appended> {
    const { process, random } = this.#terms
    if (this.#terms.fails('crash')) throw new Error('The store lost its mind.')
    const fails = this.#terms.fails('append')
    return new Promise((resolve, reject) => {
      this.#writes.add(() => {
        const kept = !fails || random.chance(0.5)
        const appended = kept ? (this.#stored.append(record, request) as Appended) : undefined
        // To a process that is gone nothing is promised.
        if (!process.isAlive) return
        if (fails || appended === undefined) return reject(new Error('The disk failed to write.'))
        this.#offset = Math.max(this.#offset, appended.offset)
        resolve(appended)
      })
    })
  }

  async since(position: Position, { limit, until, now }: ReadBounds): Promise<Recovery> {
    await this.#read()
    // What is kept beyond `until`, or on its way, is nobody's business yet: it neither counts as missed nor as gone.
    const { entries } = this.#stored.before(until + 1, { limit: Infinity, until, now }) as LogPage
    const missed = Math.min(until, this.#stored.offset) - position.offset
    const isPlace = position.epoch === this.epoch && position.offset >= 0 && missed >= 0
    if (!isPlace || missed > limit || missed > entries.length) return { recovered: false, entries: [] }
    return { recovered: true, entries: missed === 0 ? [] : entries.slice(-missed) }
  }

  async before(offset: number, bounds: ReadBounds): Promise<LogPage> {
    await this.#read()
    return this.#stored.before(Math.min(offset, bounds.until + 1), bounds)
  }

  forget(session: string): void {
    this.#writes.add(() => this.#stored.forget(session))
  }

  close(): void {
    this.#writes.flush()
  }

  async #read(): Promise<void> {
    await this.#terms.later('read')
    if (this.#terms.fails('read')) throw new Error('The disk failed to read.')
  }
}
