import type { ErrorCode } from '../protocol/index.ts'
import type { AuthenticationFailure } from './ports/authenticate.ts'
import type { Clock } from './ports/environment.ts'
import type { RefusedFor } from './ports/transport.ts'
import type { Refusal, Telemetry } from './telemetry.ts'

/** How often something is reported for one reason (ms). */
const reportIntervalMs = 1_000

/** A refusal that has yet to be counted. */
type Single = Refusal extends infer R ? (R extends unknown ? Omit<R, 'count'> : never) : never

/** How often something was refused since the runtime began, by reason. */
export interface RefusalCounts {
  /** Sockets that were not let in, and connections that a user has too many of. */
  readonly connections: Readonly<Partial<Record<RefusedFor, number>>>
  /** Credentials that were not taken. */
  readonly authentications: Readonly<Partial<Record<AuthenticationFailure, number>>>
  /** Requests that were answered by an `error` of the protocol. */
  readonly requests: Readonly<Partial<Record<ErrorCode, number>>>
  /** Claims of sessions that were not given back. */
  readonly resumes: Readonly<Partial<Record<'unknown', number>>>
  /** Sessions that ended before their time, as there were too many that waited for their clients. */
  readonly sessions: Readonly<Partial<Record<'total' | 'user', number>>>
}

/** What is refused for one reason. */
interface Tally {
  total: number
  /** The last that was not reported yet, and how many there are. */
  latest: Single | undefined
  pending: number
  reportedAt: number
  /** Set while something is pending. */
  timer: unknown
}

/**
 * Counts what is refused, by reason, and reports it: the first of its reason at once, what follows within a second
 * together at its end. An attack is not to fill the log of whoever is attacked.
 */
export class Refusals {
  readonly #clock: Clock
  readonly #telemetry: Telemetry
  readonly #tallies = new Map<Refusal['type'], Map<string, Tally>>()
  #closed = false

  constructor(clock: Clock, telemetry: Telemetry) {
    this.#clock = clock
    this.#telemetry = telemetry
  }

  note(refusal: Single): void {
    const tally = this.#tallyOf(refusal)
    tally.total++
    tally.pending++
    tally.latest = refusal
    // The clock may have been set back meanwhile.
    const waitMs = reportIntervalMs - Math.abs(this.#clock.now() - tally.reportedAt)
    if (waitMs <= 0 || this.#closed) this.#report(tally)
    else tally.timer ??= this.#clock.setTimeout(() => this.#report(tally), waitMs)
  }

  get counts(): RefusalCounts {
    const of = (type: Refusal['type']): Record<string, number> =>
      Object.fromEntries([...(this.#tallies.get(type) ?? [])].map(([reason, { total }]) => [reason, total]))
    return {
      connections: of('connection.refused'),
      authentications: of('authentication.refused'),
      requests: of('request.refused'),
      resumes: of('resume.refused'),
      sessions: of('session.evicted'),
    }
  }

  /** Reports what is pending. After it everything is reported at once: there is no timer any more. */
  close(): void {
    this.#closed = true
    for (const tallies of this.#tallies.values()) for (const tally of tallies.values()) this.#report(tally)
  }

  #tallyOf({ type, reason }: Single): Tally {
    let tallies = this.#tallies.get(type)
    if (tallies === undefined) this.#tallies.set(type, (tallies = new Map()))
    let tally = tallies.get(reason)
    if (tally === undefined) {
      tally = { total: 0, latest: undefined, pending: 0, reportedAt: -Infinity, timer: undefined }
      tallies.set(reason, tally)
    }
    return tally
  }

  #report(tally: Tally): void {
    const { latest, pending } = tally
    this.#clock.clearTimeout(tally.timer)
    tally.timer = undefined
    if (latest === undefined) return
    tally.latest = undefined
    tally.pending = 0
    tally.reportedAt = this.#clock.now()
    this.#telemetry({ ...latest, count: pending } as Refusal)
  }
}
