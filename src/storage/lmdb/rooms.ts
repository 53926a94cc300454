import type { Eventually } from '../../runtime/ports/eventually.ts'
import type { History, HistoryLimits, RoomLog } from '../../runtime/ports/history.ts'
import type { Folder } from './folder.ts'
import { LmdbLog, type LogGround } from './log.ts'
import type { Sweep } from './sweep.ts'
import type { Writer } from './writer.ts'

/** The rooms' logs. */
export class Rooms implements History {
  readonly #writer: Writer
  readonly #sweep: Sweep
  readonly #logs: Map<string, LmdbLog>
  readonly #ground: LogGround

  /**
   * @param logs - those that are open, which the sweep has to know as well
   */
  constructor({ db, generation }: Folder, writer: Writer, sweep: Sweep, logs: Map<string, LmdbLog>) {
    this.#writer = writer
    this.#sweep = sweep
    this.#logs = logs
    this.#ground = {
      db,
      writer,
      generation,
      firstExpiry: (expires) => sweep.expect(expires),
      closed: (log) => {
        if (logs.get(log.room) === log) logs.delete(log.room)
      },
    }
  }

  /**
   * @throws RangeError when the name is too long
   * @throws StoreError `store-closed`; `store-write-failed`, when a write has failed and another fails as well
   */
  open(room: string, limits: HistoryLimits): Eventually<RoomLog> {
    const last = this.#logs.get(room)
    last?.retire()
    const isReady = this.#writer.refusal === undefined && last?.isBusy !== true && !this.#sweep.isRemoving(room)
    return isReady ? this.#load(room, limits) : this.#loadLater(room, limits)
  }

  /** What the log was promised, or what is being taken from it, is settled first. */
  async #loadLater(room: string, limits: HistoryLimits): Promise<RoomLog> {
    await this.#writer.settled()
    await this.#writer.recover()
    return this.#load(room, limits)
  }

  #load(room: string, limits: HistoryLimits): RoomLog {
    this.#logs.get(room)?.retire()
    const log = new LmdbLog(this.#ground, room, limits)
    this.#logs.set(room, log)
    return log
  }
}
