/** Something that is wrong with what somebody said. */
export interface DataIssue {
  /** For people. */
  readonly message: string
  /** Where it stands: the keys that lead to it. */
  readonly path: readonly (string | number)[]
}

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
  /** What is wrong with the data, if that is it. */
  readonly issues: readonly DataIssue[] | undefined

  constructor(code: string, message: string = code, issues?: readonly DataIssue[]) {
    // In JavaScript it may be anything, and is to be sent as text.
    super(String(message))
    this.code = String(code)
    this.issues = issues
  }
}
