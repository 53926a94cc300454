/**
 * Why a request failed, in a word for programs. A handler that throws one decides what its caller is told; of anything
 * else that is thrown the caller learns no more than that it failed.
 *
 * @example
 * ```ts
 * throw new RequestError('no-such-profile', 'There is no profile of that name.')
 * ```
 */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  /** Up to 64 characters. */
  readonly code: string

  constructor(code: string, message: string = code) {
    // In JavaScript it may be anything, and is to be sent as text.
    super(String(message))
    this.code = String(code)
  }
}
