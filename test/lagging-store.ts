import { expect, onTestFinished } from 'vitest'
import { equalSecrets } from '../src/runtime/session/memory-sessions.ts'
import type { Claim, SessionRecord, SessionStore } from '../src/runtime/ports/session-store.ts'
import type {
  Appended,
  History,
  HistoryLimits,
  LoggedRequest,
  LogPage,
  LogRecord,
  ReadBounds,
  Recovery,
  RoomLog,
} from '../src/runtime/ports/history.ts'
import { Errands, failure } from './errands.ts'
import { memoryHistory } from '../src/runtime/room/memory-history.ts'
import type { Position } from '../src/protocol/index.ts'

/** What becomes of a message: it is kept; it is not; or it is, and the store says that it is not. */
export type Fate = 'kept' | 'lost' | 'hushed'

interface Append {
  settle(fate: Fate): void
}

/**
 * Logs on a disk that the test turns: they outlive their rooms, and a runtime. It holds those who use it to the port's
 * terms; who breaks them fails the test.
 */
export class LaggingHistory implements History {
  readonly opens = new Errands('open')
  readonly reads = new Errands('read')
  readonly breaches: string[] = []
  /** Whether messages are kept at once, as promises still. */
  prompt = false
  readonly #appends: Append[] = []
  readonly #disk = new Map<string, RoomLog>()
  readonly #inUse = new Map<string, LaggingLog>()
  readonly #memory: History
  #epochs = 0

  constructor() {
    this.#memory = memoryHistory(() => `epoch ${++this.#epochs}`)
    onTestFinished(() => expect(this.breaches).toEqual([]))
  }

  /** How many messages wait to be kept. */
  get size(): number {
    return this.#appends.length
  }

  async open(room: string, limits: HistoryLimits): Promise<RoomLog> {
    return this.opens.begin(() => {
      if (this.#inUse.get(room)?.isInUse === true) this.breaches.push(`'${room}' is open already`)
      let log = this.#disk.get(room)
      if (log === undefined) this.#disk.set(room, (log = this.#memory.open(room, limits) as RoomLog))
      const lagging = new LaggingLog(log, this, (append) => {
        if (this.prompt) append.settle('kept')
        else this.#appends.push(append)
      })
      this.#inUse.set(room, lagging)
      return lagging
    })
  }

  /** Settles what waits longest. */
  settle(fate: Fate = 'kept', count = Infinity): void {
    for (const append of this.#appends.splice(0, Math.min(count, this.#appends.length))) append.settle(fate)
  }

  /** A room's log is gone: it comes back empty, under another epoch. */
  lose(room: string): void {
    this.#disk.delete(room)
  }

  close(): void {
    this.#inUse.clear()
  }
}

class LaggingLog implements RoomLog {
  readonly epoch: string
  readonly #log: RoomLog
  readonly #store: LaggingHistory
  readonly #delay: (append: Append) => void
  #underWay = 0
  #hasFailed = false
  #end: 'failed' | 'closed' | undefined

  constructor(log: RoomLog, store: LaggingHistory, delay: (append: Append) => void) {
    this.#log = log
    this.epoch = log.epoch
    this.#store = store
    this.#delay = delay
  }

  get offset(): number {
    return this.#log.offset
  }

  get isInUse(): boolean {
    return this.#underWay > 0 || (this.#end === undefined && !this.#hasFailed)
  }

  append(record: LogRecord, request?: LoggedRequest): Promise<Appended> {
    this.#note('append')
    this.#underWay++
    const appended = new Promise<Appended>((resolve, reject) => {
      this.#delay({
        settle: (fate) => {
          this.#underWay--
          const result = fate === 'lost' ? undefined : (this.#log.append(record, request) as Appended)
          if (fate === 'kept' && result !== undefined) resolve(result)
          else {
            this.#hasFailed = true
            reject(failure('write'))
          }
        },
      })
    })
    // Whoever uses the log cannot know before it has been told.
    appended.catch(async () => {
      await Promise.resolve()
      this.#end ??= 'failed'
    })
    return appended
  }

  since(position: Position, { limit, until, now }: ReadBounds): Promise<Recovery> {
    this.#note('since')
    return this.#store.reads.begin(() => {
      const { recovered, entries } = this.#log.since(position, { limit: Infinity, until, now }) as Recovery
      const shown = entries.filter(({ offset }) => offset <= until)
      if (!recovered || position.offset > until || shown.length > limit) return { recovered: false, entries: [] }
      return { recovered, entries: shown }
    })
  }

  before(offset: number, bounds: ReadBounds): Promise<LogPage> {
    this.#note('before')
    return this.#store.reads.begin(() => this.#log.before(Math.min(offset, bounds.until + 1), bounds) as LogPage)
  }

  forget(session: string): void {
    this.#note('forget')
    this.#log.forget(session)
  }

  close(): void {
    this.#note('close')
    if (this.#underWay > 0) this.#store.breaches.push('closed with messages under way')
    this.#end = 'closed'
  }

  #note(call: string): void {
    if (this.#end !== undefined) this.#store.breaches.push(`${call} on a log that has ${this.#end}`)
  }
}

/** Sessions on such a disk. They are told apart by who is asked for first, and answered when the test says. */
export class LaggingSessions implements SessionStore {
  readonly keepsChanges: boolean
  readonly restores = new Errands('read')
  readonly creates = new Errands('write')
  readonly claims = new Errands('read')
  /** What is on the disk, by id. */
  readonly disk = new Map<string, { record: SessionRecord; readonly secret: string; fence: number }>()
  readonly breaches: string[] = []
  #isClosed = false

  constructor({ keepsChanges = true } = {}) {
    this.keepsChanges = keepsChanges
    onTestFinished(() => expect(this.breaches).toEqual([]))
  }

  /** What a process finds whose predecessor was killed just now. */
  afterKill(): LaggingSessions {
    const next = new LaggingSessions()
    for (const [id, session] of this.disk) next.disk.set(id, structuredClone(session))
    return next
  }

  restore(): Promise<readonly SessionRecord[]> {
    this.#isClosed = false
    return this.restores.begin(() => [...this.disk.values()].map(({ record }) => record))
  }

  create(record: SessionRecord, secret: string): Promise<void> {
    this.#note('create')
    // Calls take effect in the order in which they are made, whenever they are answered.
    this.disk.set(record.id, { record, secret, fence: 0 })
    return this.creates.begin(() => {})
  }

  claim(id: string, secret: string): Promise<Claim | undefined> {
    this.#note('claim')
    const session = this.disk.get(id)
    const isRight = session !== undefined && equalSecrets(session.secret, secret)
    const claim = isRight ? { record: session.record, fence: ++session.fence } : undefined
    return this.claims.begin(() => claim)
  }

  put(record: SessionRecord): void {
    this.#note('put')
    const session = this.disk.get(record.id)
    if (session !== undefined) session.record = structuredClone(record)
  }

  delete(id: string): void {
    this.#note('delete')
    this.disk.delete(id)
  }

  close(): void {
    this.#isClosed = true
  }

  #note(call: string): void {
    if (this.#isClosed) this.breaches.push(`${call} on a store that is closed`)
  }
}
