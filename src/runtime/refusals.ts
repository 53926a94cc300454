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
}

/**
 * Counts what is refused, by reason, and reports it: the first of its reason at once, what follows within a second
 * together at its end. An attack is not to fill the log of whoever is attacked.
 */
export class Refusals {
  readonly #clock: Clock
  readonly #telemetry: Telemetry
  readonly #tallies = new Map<string, Tally>()
  #timer: unknown
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
    if (Math.abs(this.#clock.now() - tally.reportedAt) >= reportIntervalMs || this.#closed) this.#report(tally)
    else this.#timer ??= this.#clock.setTimeout(() => this.#flush(), reportIntervalMs)
  }

  get counts(): RefusalCounts {
    const of = (type: Refusal['type']): Record<string, number> =>
      Object.fromEntries(
        [...this.#tallies]
          .filter(([key]) => key.startsWith(`${type} `))
          .map(([key, { total }]) => [key.slice(type.length + 1), total]),
      )
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
    this.#clock.clearTimeout(this.#timer)
    this.#closed = true
    this.#flush()
  }

  #tallyOf(refusal: Single): Tally {
    const key = `${refusal.type} ${refusal.reason}`
    let tally = this.#tallies.get(key)
    if (tally === undefined) {
      tally = { total: 0, latest: undefined, pending: 0, reportedAt: -Infinity }
      this.#tallies.set(key, tally)
    }
    return tally
  }

  #flush(): void {
    this.#timer = undefined
    for (const tally of this.#tallies.values()) if (tally.pending > 0) this.#report(tally)
  }

  #report(tally: Tally): void {
    const { latest, pending } = tally
    tally.latest = undefined
    tally.pending = 0
    tally.reportedAt = this.#clock.now()
    if (latest !== undefined) this.#telemetry({ ...latest, count: pending } as Refusal)
  }
}
