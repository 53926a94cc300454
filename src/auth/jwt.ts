import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose'
import type { Identity, User } from '../../machines/index.ts'
import { AuthenticationError, type Authenticate, type Credentials } from '../runtime/ports/authenticate.ts'
import { cookieOf } from './cookie.ts'

/** What {@link jwt} takes: a `secret` or a `jwks`, and what a token has to say. */
export interface JwtOptions {
  /** What tokens are signed with (HS256, HS384, HS512): at least 32 bytes, as text in UTF-8. */
  readonly secret?: string | Uint8Array
  /**
   * The issuer's public keys: a set, or the address of one. A set at an address is fetched when it is first needed, again
   * when a token names a key that is not in it, at most every 30 s, and every 10 minutes.
   */
  readonly jwks?: string | URL | JSONWebKeySet
  /** Who must have issued the token (`iss`). @default anybody who has the key */
  readonly issuer?: string | string[]
  /** For whom the token must be (`aud`). Must be given with `jwks`: those keys sign for others, too. */
  readonly audience?: string | string[]
  /** Algorithms that are taken. @default those of the secret's kind; for `jwks` RS, PS and ES, each 256 to 512, and EdDSA */
  readonly algorithms?: readonly string[]
  /** By how much our clock and the issuer's may differ (ms). @default 0 */
  readonly clockToleranceMs?: number
  /** A cookie in which the token comes when it comes in no other way. See `origins`: cookies come from any page. */
  readonly cookie?: string
  /** Who the claims say it is. Throwing refuses them. @default the user of `sub` */
  readonly user?: (claims: JWTPayload) => User
  /** The time (ms since the epoch). @default the system's */
  readonly now?: () => number
}

const symmetric = ['HS256', 'HS384', 'HS512']
const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const leastSecretBytes = 32

/**
 * Knows users by JSON Web Tokens (RFC 7519), checked by [jose](https://github.com/panva/jose). A token that is missing,
 * not signed by the key, for somebody else, or out of its time is refused with 4001, and nothing tells which. Keys that
 * cannot be fetched are no fault of the client's: it is sent away with 1013, and comes back. The connection's
 * credentials expire when the token does (`exp`).
 *
 * @example
 * ```ts
 * createRuntime({ authenticate: jwt({ jwks: 'https://id.example.org/jwks.json', issuer, audience: 'chat' }) })
 * ```
 * @throws RangeError for a secret of less than 32 bytes, algorithms of another kind than the keys, or `jwks` without
 * `audience`
 * @throws TypeError without `secret` and `jwks`, or with both
 */
export function jwt(options: JwtOptions): Authenticate {
  const { issuer, audience, cookie, user = userOf, now = Date.now, clockToleranceMs = 0 } = options
  const key = keyOf(options)
  const expected = {
    algorithms: algorithmsOf(options),
    clockTolerance: clockToleranceMs / 1_000,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  }
  const inCookie = ({ headers }: Credentials['request']): string | undefined =>
    cookie === undefined ? undefined : cookieOf(headers['cookie'], cookie)

  const authenticate = async ({ token, request }: Credentials): Promise<Identity> => {
    const presented = token ?? inCookie(request)
    if (presented === undefined) throw new AuthenticationError('not-authenticated', 'There is no token.')
    try {
      const { payload } = await jwtVerify(presented, key, { ...expected, currentDate: new Date(now()) })
      const expiresAt = payload.exp === undefined ? {} : { expiresAt: payload.exp * 1_000 + clockToleranceMs }
      return { user: user(payload), ...expiresAt }
    } catch (cause) {
      if (cause instanceof KeysUnavailable) throw new AuthenticationError('unavailable', cause.message, { cause })
      // Not the error itself, which holds the claims: telemetry is not told what is in tokens.
      throw new AuthenticationError('not-authenticated', `The token was not accepted: ${(cause as Error).message}`)
    }
  }
  return Object.assign(authenticate, { presents: (request: Credentials['request']) => inCookie(request) !== undefined })
}

/** The keys of the issuer could not be had. */
class KeysUnavailable extends Error {}

function keyOf({ secret, jwks, audience }: JwtOptions): JWTVerifyGetKey {
  if ((secret === undefined) === (jwks === undefined)) throw new TypeError('jwt takes either a secret or a jwks.')
  if (secret !== undefined) {
    const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret
    // RFC 7518 §3.2: a key of the size of the hash output or larger.
    if (bytes.length < leastSecretBytes) {
      throw new RangeError(`A secret has at least ${leastSecretBytes} bytes, not ${bytes.length}: it could be guessed.`)
    }
    return () => Promise.resolve(bytes)
  }
  if (audience === undefined) {
    throw new RangeError('With jwks, say for which audience tokens are: their issuer signs for others, too.')
  }
  const isAddress = typeof jwks === 'string' || jwks instanceof URL
  if (!isAddress) return createLocalJWKSet(jwks as JSONWebKeySet)
  const remote = createRemoteJWKSet(new URL(jwks))
  return async (header, token) => {
    try {
      return await remote(header, token)
    } catch (cause) {
      // The token is at fault only when the keys are there, and none of them is its.
      if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys) throw cause
      if (cause instanceof errors.JOSENotSupported) throw cause
      throw new KeysUnavailable('The keys could not be fetched.', { cause })
    }
  }
}

function algorithmsOf({ secret, algorithms }: JwtOptions): string[] {
  const possible = secret === undefined ? asymmetric : symmetric
  for (const algorithm of algorithms ?? []) {
    if (!possible.includes(algorithm)) {
      throw new RangeError(`'${algorithm}' is none of ${possible.join(', ')}, which these keys are for.`)
    }
  }
  return [...(algorithms ?? possible)]
}

function userOf({ sub }: JWTPayload): User {
  if (sub === undefined || sub === '') throw new TypeError('The token says of nobody (sub).')
  return { id: sub }
}
