import type { RequestId } from '../../protocol/index.ts'
import type { Core } from '../core.ts'
import type { ConnectionLink } from './connection-link.ts'
import type { Call } from './inbox.ts'

/** Why there is no decision. */
export type Indecision = 'internal' | 'timeout'

/** Something that the application is to decide. */
export interface Decision {
  /** The name of the option that decides, for reports. */
  readonly callback: string
  readonly id: RequestId | undefined
  /** Whether what the session sends meanwhile waits. */
  readonly ordered: boolean
  ask(context: { readonly signal: AbortSignal }): unknown
  answered(answer: unknown): void
  undecided(code: Indecision): void
}

/** Has the application decide something: at once, or as a call of the connection's. */
export function decide(core: Core, link: ConnectionLink, decision: Decision): void {
  const { id, ordered, callback, answered } = decision
  const controller = new AbortController()
  const failed = (error: unknown): void => {
    core.telemetry({ type: 'callback.threw', callback, error })
    decision.undecided('internal')
  }
  let answer: unknown
  try {
    answer = decision.ask(controller)
  } catch (error) {
    return failed(error)
  }
  // What is answered at once waits for nothing. Some databases' queries are awaited and no promises.
  if (!isThenable(answer)) return answered(answer)
  const call: Call = {
    id,
    ordered,
    timeoutMs: core.settings.credentialsTimeoutMs,
    run: (signal) => {
      signal.addEventListener('abort', () => controller.abort(), { once: true })
      return answer
    },
    done: answered,
    failed,
    broken: failed,
    expired: () => decision.undecided('timeout'),
  }
  core.inboxOf(link).begin(call)
}

const isThenable = (value: unknown): boolean =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
