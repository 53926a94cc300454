/**
 * Why nothing could be checked.
 *
 * - `bad-url`: the address is none of a WebSocket, or carries credentials
 * - `unknown-rule`: PROTOCOL.md has no such rule, or it cannot be checked from outside
 * - `bad-option`: a number that it cannot be
 * - `unreachable`: nobody answers there
 * - `no-websocket`: somebody answers, and does not accept WebSockets
 * - `credentials-needed`: nobody is let in without a token, and none was given
 * - `credentials-refused`: a token was refused
 */
export type ConformanceErrorCode =
  | 'bad-url'
  | 'unknown-rule'
  | 'bad-option'
  | 'unreachable'
  | 'no-websocket'
  | 'credentials-needed'
  | 'credentials-refused'

/** Thrown when a server could not be checked at all. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError'
  readonly code: ConformanceErrorCode

  constructor(code: ConformanceErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
