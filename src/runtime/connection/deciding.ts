import { RequestError, type RequestId } from '../../protocol/index.ts'
import type { Core } from '../core.ts'
import { isThenable } from '../ports/eventually.ts'
import type { ConnectionLink } from './connection-link.ts'
import type { Call } from './inbox.ts'

/** Why there is no decision. */
export type Indecision = 'internal' | 'timeout'

/** Something that the application is to decide. */
export interface Decision<Answer = unknown> {
  /** What decides, for reports. */
  readonly callback: string
  /** The room, or the type of message, that it decides for, where it is one of several. */
  readonly of?: string
  readonly id: RequestId | undefined
  /** Whether what the session sends meanwhile waits. */
  readonly ordered: boolean
  /** How long it may take (ms). @default the runtime's `credentialsTimeoutMs` */
  readonly timeoutMs?: number
  ask(context: { readonly signal: AbortSignal }): Answer | PromiseLike<Answer>
  answered(answer: Answer): void
  /** Told of what took its time, in a step of its own. @default `answered` */
  answeredLater?(answer: Answer): void
  undecided(code: Indecision): void
  /** Told of a `RequestError` that was thrown. @default one like any other: reported, and `undecided` */
  refused?(error: RequestError): void
}

/** Has the application decide something: at once, or as a call of the connection's. */
export function decide<Answer>(core: Core, link: ConnectionLink, decision: Decision<Answer>): void {
  const { id, ordered, callback, of, timeoutMs = core.settings.credentialsTimeoutMs } = decision
  const controller = new AbortController()
  const broken = (error: unknown): void => {
    core.telemetry({ type: 'callback.threw', callback, ...(of === undefined ? {} : { of }), error })
    decision.undecided('internal')
  }
  const failed = (error: unknown): void => {
    if (decision.refused === undefined || !(error instanceof RequestError)) return broken(error)
    try {
      decision.refused(error)
    } catch (unsayable) {
      broken(unsayable)
    }
  }
  let answer: Answer | PromiseLike<Answer>
  try {
    answer = decision.ask(controller)
  } catch (error) {
    return failed(error)
  }
  // What is answered at once waits for nothing.
  if (!isThenable(answer)) return decision.answered(answer)
  // Some databases' queries are awaited and no promises; to ask one twice may be to query twice.
  const promise = Promise.resolve(answer)
  // It is nobody's before the call has begun, and stays so when the connection has ended.
  promise.catch(() => {})
  const call: Call = {
    id,
    ordered,
    timeoutMs,
    run: (signal) => {
      signal.addEventListener('abort', () => controller.abort(), { once: true })
      return promise
    },
    done: (result) => {
      if (decision.answeredLater === undefined) decision.answered(result as Answer)
      else decision.answeredLater(result as Answer)
    },
    failed,
    broken,
    expired: () => decision.undecided('timeout'),
  }
  core.inboxOf(link).begin(call)
}
