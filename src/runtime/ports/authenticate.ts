import type { Identity, User } from '../../../machines/index.ts'
import type { ConnectRequest } from './transport.ts'

/** What an application is asked when somebody wants in. */
export interface Credentials {
  /** From `hello`, or from the upgrade request. */
  readonly token: string | undefined
  readonly request: ConnectRequest
}

/** Decides who somebody is. Throwing or rejecting refuses them; an {@link AuthenticationError} says how. */
export interface Authenticate {
  /** @param context - its `signal` is aborted when they have gone meanwhile, or the time is up */
  (credentials: Credentials, context: { readonly signal: AbortSignal }): User | Identity | Promise<User | Identity>
  /** Whether an upgrade request carries credentials that are no token, in a cookie or a header of their own. */
  readonly presents?: (request: ConnectRequest) => boolean
}

/**
 * How somebody is refused: `not-authenticated` (4001), credentials are missing or do not hold; `forbidden` (4003), they
 * are known, and not wanted; `unavailable` (1013), nobody can tell just now, and the client is to come back.
 */
export type AuthenticationFailure = 'not-authenticated' | 'forbidden' | 'unavailable'

/**
 * What `authenticate` throws to say how somebody is refused. Anything else that it throws is `not-authenticated`. The
 * client is told the code alone; telemetry has the error.
 */
export class AuthenticationError extends Error {
  override readonly name = 'AuthenticationError'
  readonly code: AuthenticationFailure

  constructor(code: AuthenticationFailure, message: string = code, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
