import type { ErrorCode } from '../protocol/index.ts'

/** Why a call of the client library failed: a code of the protocol's `error`, or one of the client's own. */
export type ClientErrorCode =
  | ErrorCode
  /** No answer within the call's time. */
  | 'timeout'
  /** The call's `AbortSignal` fired. */
  | 'aborted'
  /** The client was closed, or the server told it not to come back. */
  | 'closed'
  /** The room has been left. */
  | 'left'
  /** Larger than the server takes. */
  | 'too-large'
  /** It was sent, and the session was lost before its answer came: it may have been taken, or not. */
  | 'unconfirmed'
  /** More calls, or larger ones, wait for their answers than `callLimit` and `queueBytes` allow. */
  | 'queue-full'
  /** An application's own, of the handler that answered. */
  | (string & {})

/** What the promises of the client library reject with. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode

  constructor(code: ClientErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Larger than the server takes: it would cost the connection. */
export function tooLarge(): ClientError {
  return new ClientError('too-large', 'It is larger than the server takes.')
}
