/**
 * WebSocket close codes that Greenroom sends. 1000–1015 keep their registered meaning (RFC 6455 §7.4.1 and IANA); ours
 * stand in ranges, so that a client in any language can act on a code it does not know:
 * 4000–4099 do not come back, 4100–4199 get a new token first, 4200–4299 come back with backoff.
 */
export const closeCodes = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  invalidPayload: 1007,
  policyViolation: 1008,
  messageTooBig: 1009,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
  notAuthenticated: 4001,
  forbidden: 4003,
  replaced: 4009,
  tokenExpired: 4101,
  heartbeatLost: 4201,
  slowConsumer: 4208,
  authenticationTimeout: 4210,
  limitReached: 4213,
  rateLimited: 4229,
} as const

/** What a client does after a close: stay away, get a new token and come back, or come back with backoff. */
export type ReturnPolicy = 'never' | 'renew-token' | 'backoff'

const final = new Set<number>([1000, 1002, 1003, 1007, 1008, 1009, 1010])

/**
 * What a close code asks of the client.
 *
 * @param code - as received; 1005 and 1006 (no code, no close frame) mean that the network ended it
 */
export function returnPolicy(code: number): ReturnPolicy {
  if (final.has(code) || (code >= 4000 && code <= 4099)) return 'never'
  if (code >= 4100 && code <= 4199) return 'renew-token'
  return 'backoff'
}

const maxReasonBytes = 123

/**
 * Shortens a close reason to the 123 **bytes** of UTF-8 that a close frame has room for (RFC 6455 §5.5), without
 * cutting a character in two.
 */
export function closeReason(text: string): string {
  if (text.length * 3 <= maxReasonBytes) return text
  const encoder = new TextEncoder()
  const { read } = encoder.encodeInto(text, new Uint8Array(maxReasonBytes))
  return text.slice(0, read)
}
