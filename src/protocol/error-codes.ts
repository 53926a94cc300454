/**
 * The codes of `error` messages: stable, for programs; the `message` beside one is for people. PROTOCOL.md says of each
 * when it is sent and what to do.
 */
export const errorCodes = {
  'bad-json': 'The frame is not JSON.',
  'bad-message': 'The frame is not a message of this protocol.',
  'unknown-type': 'No message has this type.',
  'bad-room-name': 'A room name is 1 to 255 bytes of text without control characters.',
  'not-a-member': 'Join the room first.',
  'too-many-rooms': 'This session is in as many rooms as it may be.',
  'presence-too-large': 'The presence state is larger than allowed.',
  'bad-data': 'The data is nested too deep or has too many parts.',
  'invalid-data': 'The data is not what is expected here; `issues` say why.',
  'bad-meta': 'The meta names a conversion that is not allowed from a client.',
  'not-allowed': 'The connection does not take this message now.',
  expelled: 'You may not be in this room any more, and are out of it.',
  forbidden: 'You may not do this here, or there is no such room.',
  'not-authenticated': 'A token that holds is needed for this.',
  'room-unavailable': 'The room could not be opened, or failed too often.',
  'storage-failed': 'The log could not do it now. Ask again under the same id.',
  overloaded: 'The server holds as much as it may. Ask again later.',
  'rate-limited': 'Too much was sent at once. Send it again after `retryAfterMs`.',
  timeout: 'Nobody answered in time.',
  internal: 'Something failed on the server; the connection goes on.',
} as const

/** One of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes
