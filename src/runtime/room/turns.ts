import type { Outbox } from '../connection/outbox.ts'
import type { Session } from '../session/session.ts'

/** What a session asks of a room, as an event of the room's. */
export interface TurnEvent {
  readonly type: string
  readonly session: Session
  /** The connection that asked, once the event has had to wait: the session may be another's by now. */
  readonly asker?: Outbox | undefined
}

/** Where the answer to an event goes. Another connection that has the session now has not asked. */
export function askerOf(event: TurnEvent): Outbox | undefined {
  return 'asker' in event ? event.asker : event.session.outbox
}

interface Turn {
  /** Messages that the log has yet to answer for. */
  publishing: number
  /** Answers that the log is being read for. */
  reading: number
  /** What the session has asked since. */
  waiting: TurnEvent[]
}

/**
 * Keeps what each session asks of a room in order while the log takes its time. Messages follow one another without
 * waiting, for the log keeps their order itself; anything else waits for what its session has asked before.
 */
export class Turns {
  readonly #turns = new Map<string, Turn>()

  /** Whether nobody has to wait: always so with a log that answers at once. */
  get idle(): boolean {
    return this.#turns.size === 0
  }

  /** Whether an event has to wait. */
  mustWait({ type, session }: TurnEvent): boolean {
    const turn = this.#turns.get(session.id)
    if (turn === undefined) return false
    return type !== 'room.publish' || turn.reading > 0 || turn.waiting.length > 0
  }

  /** Puts an event by that has to wait. */
  wait(event: TurnEvent): void {
    this.#turns.get(event.session.id)?.waiting.push(event)
  }

  /** Something that takes time has begun. */
  begin({ id }: Session, what: 'publishing' | 'reading'): void {
    let turn = this.#turns.get(id)
    if (turn === undefined) this.#turns.set(id, (turn = { publishing: 0, reading: 0, waiting: [] }))
    turn[what]++
  }

  /** It has ended. Returns what has waited for it, to be handled in order; what has to wait on is put by again. */
  end({ id }: Session, what: 'publishing' | 'reading'): readonly TurnEvent[] {
    const turn = this.#turns.get(id)
    if (turn === undefined || --turn[what] > 0 || turn.publishing + turn.reading > 0) return []
    this.#turns.delete(id)
    return turn.waiting
  }

  /** Everything that waits; nothing does afterwards. */
  clear(): TurnEvent[] {
    const waiting = [...this.#turns.values()].flatMap((turn) => turn.waiting)
    this.#turns.clear()
    return waiting
  }
}
