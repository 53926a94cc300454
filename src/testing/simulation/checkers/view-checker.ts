import type { Position } from '../../../protocol/index.ts'
import type { LoggedMessage } from '../../../client/index.ts'
import type { Court } from '../court.ts'
import type { LogChecker } from './log-checker.ts'

/** What a server replays at most, so that a client is told of a loss beyond it. */
export interface ReplayLimits {
  readonly replayCount: number
  readonly replayBytes: number
}

/**
 * GAPLESS, as an application sees it through the client library: one message after the other, but for what it was told to
 * have missed; and it is told so only when there is no other way.
 */
export class ViewChecker {
  readonly #court: Court
  readonly #logs: LogChecker
  readonly #limits: ReplayLimits
  /** Who sees it, and where. */
  readonly #name: string
  readonly #device: string
  readonly #room: string
  readonly #keepsLogs: boolean
  #position: Position | undefined
  #spared = 0

  constructor(
    court: Court,
    logs: LogChecker,
    limits: ReplayLimits,
    where: { readonly device: string; readonly room: string; readonly keepsLogs: boolean },
  ) {
    this.#court = court
    this.#logs = logs
    this.#limits = limits
    this.#name = `${where.device} in ${where.room}`
    this.#device = where.device
    this.#room = where.room
    this.#keepsLogs = where.keepsLogs
  }

  /** The last place that was shown. */
  get position(): Position | undefined {
    return this.#position
  }

  message({ epoch, offset, from }: LoggedMessage, spoken: unknown): void {
    this.#logs.learn({ room: this.#room, epoch, offset, from, data: spoken as never })
    const before = this.#position
    this.#position = { epoch, offset }
    if (before === undefined) return
    if (before.epoch !== epoch) {
      this.#court.accuse('GAPLESS', `${this.#name} sees another log without having been told`)
    } else if (offset <= before.offset) {
      this.#court.accuse('GAPLESS', `${this.#name} sees ${offset} after ${before.offset}`)
    } else {
      const missing = offset - before.offset - 1
      this.#spared -= missing
      if (this.#spared < 0 && missing > 0) {
        this.#court.accuse('GAPLESS', `${this.#name} sees ${offset} after ${before.offset}, and was told nothing`)
      }
    }
  }

  skipped(count: number): void {
    // What was left out may show before or after what was kept.
    this.#spared = Math.max(0, this.#spared) + count
  }

  gap({ from, to }: { readonly from: Position; readonly to: Position }): void {
    this.#position = to
    this.#spared = 0
    if (!this.#mayBeTold(from, to)) {
      this.#court.accuse(
        'GAPLESS',
        `${this.#name} is told that something after ${from.offset} is lost, up to ${to.offset}: it is not`,
      )
    }
  }

  /** The server has accounted for everything up to where the log is. */
  joined(): void {
    this.#spared = 0
  }

  /** At the end of a run. */
  healed(heals: number): void {
    const reasons = this.#court.disturbed(this.#device, 'lose') || this.#court.excused('log lost', 'room crashed')
    if (heals > 0 && !reasons && !this.#court.excused('disk failed to write')) {
      this.#court.accuse('GAPLESS', `${this.#name} had to ask for what was missing, and nothing was lost`)
    }
  }

  #mayBeTold(from: Position, to: Position): boolean {
    const court = this.#court
    if (court.excused('disk failed to read', 'disk failed to write', 'disk slow', 'log lost', 'clock set')) return true
    // When it goes on, its time-outs have passed, whatever the disk has to say.
    if (court.excused('room crashed', 'server stopped')) return true
    if (from.epoch !== to.epoch) return (!this.#keepsLogs && court.excused('server restarted')) || from.offset === 0
    const { length, count } = this.#logs.between(from.epoch, from.offset, to.offset)
    return count > this.#limits.replayCount || length > this.#limits.replayBytes / 2
  }
}
