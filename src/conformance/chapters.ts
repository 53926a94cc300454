import { authChecks } from './chapters/auth.ts'
import { binaryChecks } from './chapters/binary.ts'
import type { Check } from './check.ts'
import { closingChecks } from './chapters/closing.ts'
import { dataChecks } from './chapters/data.ts'
import { errorChecks } from './chapters/errors.ts'
import { fenceChecks } from './chapters/fence.ts'
import { frameChecks } from './chapters/frames.ts'
import { helloChecks } from './chapters/hello.ts'
import { historyChecks } from './chapters/history.ts'
import { isolateChecks } from './chapters/isolate.ts'
import { joinChecks } from './chapters/join.ts'
import { joinedChecks } from './chapters/joined.ts'
import { leaveChecks } from './chapters/leave.ts'
import { messageChecks } from './chapters/message.ts'
import { presenceChecks, presencePromise } from './chapters/presence.ts'
import { promiseChecks } from './chapters/promises.ts'
import { requestChecks } from './chapters/requests.ts'
import { sessionChecks } from './chapters/sessions.ts'
import { typingChecks, typingPromise } from './chapters/typing.ts'
import { upgradeChecks } from './chapters/upgrade.ts'

/** Those that do not need a client to be welcomed: they tell why nobody is. */
export const handshakeChecks: readonly Check[] = [...upgradeChecks, ...helloChecks]

/**
 * All checks, in the order in which the rules build on each other: what is broken first is not the consequence of
 * something that comes later.
 */
export const checks: readonly Check[] = [
  ...handshakeChecks,
  ...requestChecks,
  ...joinChecks,
  ...leaveChecks,
  ...messageChecks,
  ...joinedChecks,
  ...historyChecks,
  ...frameChecks,
  ...dataChecks,
  ...errorChecks,
  ...binaryChecks,
  ...presenceChecks,
  ...typingChecks,
  ...authChecks,
  ...sessionChecks,
  ...fenceChecks,
  ...promiseChecks,
  ...presencePromise,
  ...typingPromise,
  ...closingChecks,
  ...isolateChecks,
]
