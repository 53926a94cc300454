import type { ServerMessage } from '../../../protocol/index.ts'
import type { Court, Disturbance } from '../court.ts'
import type { Tapped, WireListener } from '../wire-tap.ts'

/** How long a close handshake may take, and a little (ms). */
const closeMs = 5_001

/** What may be done to a device, so that a close code is no surprise. */
const explained: Readonly<Record<number, readonly Disturbance[]>> = {
  4001: ['intruder'],
  4201: ['cut', 'stall', 'freeze', 'sleep', 'ignore'],
  4208: ['stall', 'freeze', 'sleep', 'cut'],
  4210: ['intruder', 'cut', 'stall', 'freeze', 'sleep', 'ignore'],
  4213: ['intruder'],
  1002: ['intruder'],
  1007: ['intruder'],
  1008: ['intruder'],
  1009: ['intruder'],
}

/** CLOSED and ISOLATE: one close frame at most, nothing after it, an end in time; and nobody is closed without a reason. */
export class ClosingChecker implements WireListener {
  readonly #court: Court
  readonly #open = new Set<Tapped>()

  constructor(court: Court) {
    this.#court = court
  }

  reset(): void {
    this.#open.clear()
  }

  opened(connection: Tapped): void {
    this.#open.add(connection)
  }

  sent(connection: Tapped, message: ServerMessage): void {
    if (connection.closing === undefined || connection.closing.code === 1006) return
    this.#court.accuse('CLOSED', `${connection.device} is sent a ${message.type} after its close frame`)
  }

  pinged(connection: Tapped): void {
    if (connection.closing === undefined && !connection.isOver) return
    this.#court.accuse('CLOSED', `${connection.device} is pinged after its end`)
  }

  closing(connection: Tapped, code: number): void {
    const { device, closing } = connection
    if (closing !== undefined && code !== 1006) {
      this.#court.accuse('CLOSED', `${device} is sent a second close frame (${code} after ${closing.code})`)
    }
    if (!this.#isExplained(device, code))
      this.#court.accuse('ISOLATE', `${device} is closed with ${code} for no reason`)
  }

  ended(connection: Tapped): void {
    this.#open.delete(connection)
  }

  /** Between two steps: nobody is closing for longer than a handshake may take. */
  inspect(): void {
    for (const { device, closing } of this.#open) {
      if (closing !== undefined && this.#court.now - closing.at > closeMs && !this.#court.excused('server stopped')) {
        this.#court.accuse('CLOSED', `${device} has been closing since ${closing.at} ms`)
      }
    }
  }

  #isExplained(device: string, code: number): boolean {
    const court = this.#court
    const crashed = court.excused('connection crashed', 'session crashed', 'disk failed for a session')
    switch (code) {
      case 1011:
        return crashed
      case 1013:
        // It has yet to take in what a disk keeps of sessions.
        return true
      case 1012:
        return court.excused('server leaving', 'server restarted')
      case 4009:
      case 4101:
        // Who replaces whom is another checker's; that a token ends is its nature.
        return true
      case 4201:
      case 4210:
        if (court.excused('server stopped', 'disk slow')) return true
        break
      case 1006:
        return crashed || court.disturbed(device, 'cut', 'stall', 'freeze', 'sleep', 'ignore', 'intruder')
          ? true
          : court.excused('server leaving', 'server restarted', 'server stopped')
      default:
    }
    return court.disturbed(device, ...(explained[code] ?? []))
  }
}
