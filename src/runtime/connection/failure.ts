import { protocolLimits, type RequestError } from '../../protocol/index.ts'
import type { Core } from '../core.ts'

/**
 * What is told of an error that an application threw for it to be told: its code, and its text. It is not counted by a
 * code of the application's: of those there is no end.
 */
export function failureOf({ refusals }: Core, error: RequestError): object {
  const code = String(error.code).slice(0, protocolLimits.idLength)
  if (code === 'invalid-data') refusals.note({ type: 'request.refused', reason: code })
  return { type: 'error', code, message: String(error.message), issues: error.issues }
}
