/**
 * Who somebody is in this example. It tells people apart, it does not protect them: whoever knows an id can be it, and
 * a name is whatever its bearer says. An application of yours verifies a signed token here instead.
 */
export interface Identity {
  /** Chosen at random by a browser on its first visit; the tabs of one browser share it. */
  readonly id: string
  readonly name: string
}

/** Says an identity as the text that travels as the token. */
export function encodeIdentity({ id, name }: Identity): string {
  return JSON.stringify({ id, name })
}

/**
 * Reads a token.
 *
 * @throws TypeError when it is not an identity
 */
export function decodeIdentity(token: string): Identity {
  let claim: unknown
  try {
    claim = JSON.parse(token)
  } catch (cause) {
    throw new TypeError('The token is not JSON.', { cause })
  }
  const { id, name } = (claim ?? {}) as Partial<Record<keyof Identity, unknown>>
  if (typeof id !== 'string' || !/^[A-Za-z0-9_-]{1,40}$/.test(id)) {
    throw new TypeError('An id is 1 to 40 letters, digits, hyphens and underscores.')
  }
  if (typeof name !== 'string') throw new TypeError('A name is text.')
  return { id, name }
}
