import type { EndReason } from '../../../machines/index.ts'
import { closeCodes } from '../../protocol/index.ts'

/** What becomes of the session when a connection ends: it waits, it is over, or it is none of its business. */
type SessionFate = 'waits' | 'leaves'

interface Ending {
  readonly code: number
  readonly session: SessionFate
}

/** Joins the charts' reasons to the wire's codes. A reason that is missing here does not compile. */
export const endings: { readonly [reason in EndReason]: Ending } = {
  'client-left': { code: closeCodes.normal, session: 'leaves' },
  'socket-lost': { code: closeCodes.goingAway, session: 'waits' },
  'protocol-error': { code: closeCodes.protocolError, session: 'waits' },
  'message-too-big': { code: closeCodes.messageTooBig, session: 'waits' },
  'not-authenticated': { code: closeCodes.notAuthenticated, session: 'leaves' },
  'authentication-timeout': { code: closeCodes.authenticationTimeout, session: 'waits' },
  'authentication-unavailable': { code: closeCodes.tryAgainLater, session: 'waits' },
  forbidden: { code: closeCodes.forbidden, session: 'leaves' },
  replaced: { code: closeCodes.replaced, session: 'waits' },
  'token-expired': { code: closeCodes.tokenExpired, session: 'waits' },
  'heartbeat-lost': { code: closeCodes.heartbeatLost, session: 'waits' },
  'slow-consumer': { code: closeCodes.slowConsumer, session: 'waits' },
  'limit-reached': { code: closeCodes.limitReached, session: 'waits' },
  'rate-limited': { code: closeCodes.rateLimited, session: 'waits' },
  'server-closing': { code: closeCodes.serviceRestart, session: 'waits' },
  crashed: { code: closeCodes.internalError, session: 'waits' },
}

/** What a close code that came from outside says of how a connection ended. */
export function reasonOfClose(code: number): EndReason {
  switch (code) {
    case closeCodes.normal:
      return 'client-left'
    case closeCodes.protocolError:
    case closeCodes.invalidPayload:
    case closeCodes.policyViolation:
      return 'protocol-error'
    case closeCodes.messageTooBig:
      return 'message-too-big'
    default:
      return 'socket-lost'
  }
}
