import type { DataIssue, ErrorCode, ErrorMessage } from '../protocol/index.ts'

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
  /**
   * It was sent, and before its answer came the session was lost, or the server that was asked: it may have been done, or
   * not.
   */
  | 'unconfirmed'
  /** More calls, or larger ones, wait for their answers than `callLimit` and `queueBytes` allow. */
  | 'queue-full'
  /** An application's own, of the handler that answered. */
  | (string & {})

/** What the promises of the client library reject with. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode
  /** How long to wait before asking again (ms), where the server has said so. */
  readonly retryAfterMs: number | undefined
  /** What is wrong with the data (`invalid-data`), as the server has it. */
  readonly issues: readonly DataIssue[] | undefined

  /** @param message - anything: what a server sends and a handler throws need not be text */
  constructor(
    code: ClientErrorCode,
    message: unknown,
    options?: {
      readonly cause?: unknown
      readonly retryAfterMs?: number | undefined
      readonly issues?: readonly DataIssue[] | undefined
    },
  ) {
    super(textOf(message), options)
    this.code = code
    this.retryAfterMs = options?.retryAfterMs
    this.issues = options?.issues
  }
}

/** What the server has refused. */
export function refusal({ code, message, retryAfterMs, issues }: Omit<ErrorMessage, 'type'>): ClientError {
  return new ClientError(code, message, {
    retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : undefined,
    issues: Array.isArray(issues) ? issues : undefined,
  })
}

/** As text, whatever it is. Never throws. */
export function textOf(value: unknown): string {
  try {
    return String(value)
  } catch {
    return 'unprintable'
  }
}

/** Larger than the server takes: it would cost the connection. */
export function tooLarge(): ClientError {
  return new ClientError('too-large', 'It is larger than the server takes.')
}
