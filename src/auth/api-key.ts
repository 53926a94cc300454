import type { Identity, User } from '../../machines/index.ts'
import { AuthenticationError, type Authenticate, type Credentials } from '../runtime/ports/authenticate.ts'

/** What {@link apiKey} takes. */
export interface ApiKeyOptions {
  /**
   * Whose key it is; undefined for nobody's. What it throws means that it cannot tell just now: the client comes back.
   * Look a key up by its hash rather than by itself, so that its place in an index tells nothing of it by time.
   */
  verify(
    key: string,
    context: Pick<Credentials, 'request'> & { readonly signal: AbortSignal },
  ): User | Identity | undefined | Promise<User | Identity | undefined>
  /** The header of the upgrade request that it comes in; else it is the token. @default 'x-api-key' */
  readonly header?: string
}

/**
 * Knows clients by keys: programs, that is, and not pages, which cannot keep one. A key that is nobody's is refused with
 * 4003, a missing one with 4001.
 *
 * @example
 * ```ts
 * createRuntime({ authenticate: apiKey({ verify: (key) => keys.get(sha256(key)) }) })
 * ```
 */
export function apiKey({ verify, header = 'x-api-key' }: ApiKeyOptions): Authenticate {
  const name = header.toLowerCase()
  const keyOf = (request: Credentials['request']): string | undefined => {
    const value = request.headers[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const authenticate = async (
    { token, request }: Credentials,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<User | Identity> => {
    const key = keyOf(request) ?? token
    if (key === undefined || key === '') throw new AuthenticationError('not-authenticated', 'There is no API key.')
    const owner = await ask(() => verify(key, { request, signal }))
    if (owner === undefined) throw new AuthenticationError('forbidden', 'The API key is nobody’s.')
    return owner
  }
  return Object.assign(authenticate, { presents: (request: Credentials['request']) => keyOf(request) !== undefined })
}

async function ask<Answer>(verify: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await verify()
  } catch (cause) {
    if (cause instanceof AuthenticationError) throw cause
    throw new AuthenticationError('unavailable', 'The API key could not be checked.', { cause })
  }
}
