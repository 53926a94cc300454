/**
 * What arrives at a server on the open internet, and what must come of it. Every line is tested under its sentence, or
 * stands among those that do not apply yet, with the reason.
 */
export const lines = {
  'origin.foreign': 'a page of a foreign origin, of one that looks alike, of none or of `null` is refused with 403',
  'handshake.broken': 'an upgrade request for another path, by another version or without a key is answered 4xx',
  'handshake.headers': 'thousands of headers, or one of 17 KB, are served or answered 431 within milliseconds',
  'handshake.trickle': 'a request that trickles in is ended after 10 s',
  'handshake.silent': 'a connection that says nothing is ended after 10 s',
  'handshake.mute': 'TCP connections that ask for nothing are few: the longest silent one makes place for another',
  'handshake.quota': 'connections that have not said who they are have a smaller quota of their own',
  'handshake.reset': 'a reset while credentials are checked leaves nothing behind',
  'handshake.rate': 'upgrades that come faster than allowed are answered 503, and when to come back',
  'handshake.proxy': '`X-Forwarded-For` counts only behind a proxy that is trusted',
  'identity.log': 'a token in the query stands in no log and no report',
  'identity.forged':
    'a token that has expired, is signed wrongly or not at all, or is for another audience closes with 4001, all alike',
  'identity.expired':
    'a token that expires on a live connection may be renewed for a while; then it is closed with 4101',
  'identity.other': 'a fresh token of another user is refused, and the connection stays whose it was',
  'identity.early': 'what is said before the welcome is held within bounds, handled after it in order, or dropped',
  'identity.secret':
    'a guessed session secret yields a fresh session, and a fourth guess on one connection closes it with 4213',

  'frame.malformed': 'a malformed frame closes with 1002',
  'frame.encoding': 'text that is not UTF-8 closes with 1007, in a close reason too; cut characters are fine',
  'frame.size': 'a frame over the size, alone or summed, closes with 1009, and is never held',
  'frame.endless': 'a message of fragments without end closes with 1008',
  'frame.trickle':
    'a message that comes byte by byte is ended within the heartbeat and the time to answer, or at its 65th fragment',
  'frame.pings': 'a flood of pings is closed with 4229, and holds nothing, whether or not the answers are read',
  'frame.closing': 'bad close codes, two closes and what follows a close are answered by one close frame',
  'frame.cut': 'a reset, or an end without a close, ends the connection within a second',
  'frame.halfOpen': 'a half-open connection is gone within the heartbeat and the time to answer',

  'message.unreadable': 'what cannot be read is answered by `error`, with its id where it has one; a row of it by 4213',
  'message.deep':
    'a depth of 100,000 and 100,000 keys are answered within milliseconds: by `error`, or by 1009 as a frame too large; others wait for less than 100 ms',
  'message.meta': 'annotations that would cost more than they say are answered `bad-meta`',
  'room.name': 'a name that no room can have is answered by `error`; odd ones are ordinary',
  'room.forbidden': 'a room that is forbidden and one that there is not read the same',
  'room.many': 'one room more than allowed is answered by `error`, for that join only',
  'room.twice': 'a room that is joined twice is joined once',
  'room.outside': 'a message to a room that was not joined is answered by `error`, and is not kept',
  'rate.message':
    'messages beyond the rate are answered with `retryAfterMs`; going on is closed with 4229, and not forgiven at once',
  'rate.connections':
    'connections of one user or one address beyond the limit are refused; others wait for less than 20 ms while dozens are let in at once',
  'presence.large': 'a presence state that is too large is answered by `error`, and nothing of it is shown',
  'presence.often':
    'presence that changes faster than allowed is answered `rate-limited`, and the others hear no more of it',
  'typing.endless': 'typing that never stops is shown as stopped',
  'once.repeated': 'the same id twice is one message, and the second ack says `duplicate`',
  'history.absurd': 'absurd limits of a history are clamped, or answered by `error`',
  'recovery.unknown': 'an offset from the future and an unknown epoch are told `recovered: false`',
  'message.forged': 'what only the server may say of a message is ignored when a client says it',
  'handler.failing': 'a handler that throws, rejects or never answers is answered by `error` in bounded time',

  'reader.stopped': 'a reader that stops is closed with 4208, gone a second later, and recovers when it is back',
  'reader.many': 'many slow readers share a budget, and the slowest go first',
  'return.many':
    'thousands that return at once are served from history and lose nothing; others wait for less than 3 s',
  'drain.signal': 'SIGTERM drains: clients are told to come back, and the process ends by itself',
  'process.stopped': 'a process that is stopped for a while and goes on has its timers and its presence right',
} as const

/** The name of a line. */
export type LineId = keyof typeof lines

/** What there is nothing to try on yet, and why. */
export const notApplicable: { readonly [line: string]: string } = {
  'a backplane that is down, frozen, flushed or fails over: `error`, never a false ack': 'there is no backplane yet',
  'a log that the backplane has lost comes back under a new epoch': 'there is no backplane yet',
  'rooms catch up when the backplane is back': 'there is no backplane yet',
  'garbage on the backplane is counted and ignored': 'there is no backplane yet',
}

/** How a test of a line is called. */
export const sentenceOf = (line: LineId): string => lines[line]
