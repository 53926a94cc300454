import type { Wire } from './fault.ts'
import { on, without, type WrongServer } from './wrong-server.ts'

/** What a message of one type becomes; nothing when it is dropped. */
type Change = (message: Wire) => Wire | undefined

const changing = (rule: string, type: string, does: string, change: Change): WrongServer => ({
  rule,
  does,
  fault: () => ({
    out: on(type, (message) => {
      const changed = change(message)
      return changed === undefined ? [] : [changed]
    }),
  }),
})

const dropping = (rule: string, type: string, does = `never sends ${type}`): WrongServer =>
  changing(rule, type, does, () => undefined)

/** Answers a request that failed as if it had not. */
const lenient = (rule: string, code: string, type: string): WrongServer =>
  changing(rule, 'error', `answers ${type} for ${code}`, (message) =>
    message['code'] === code && message['id'] !== undefined
      ? { ...without(message, 'code', 'message'), type }
      : message,
  )

/** Hears a message otherwise than it was sent. */
const hearing = (rule: string, type: string, does: string, change: Change): WrongServer => ({
  rule,
  does,
  fault: () => ({ in: (message) => (message.type === type ? change(message) : message) }),
})

/** Closes with another code. */
const closing = (rule: string, code: number, options: WrongServer['options'] = {}): WrongServer => ({
  rule,
  does: `closes with 1000 for ${code}`,
  options,
  fault: () => ({ close: (closed, reason) => (closed === code ? [1000, ''] : [closed, reason]) }),
})

const list = (value: unknown): readonly Wire[] => value as readonly Wire[]

const fromRequests: readonly WrongServer[] = [
  {
    rule: 'HELLO-2',
    does: 'waits for a hello of everybody',
    fault: () => ({ out: on('welcome', (message, tap) => (tap.request.protocol === '' ? [] : [message])) }),
  },
  closing('HELLO-4', 4210, { credentialsTimeoutMs: 300 }),
  dropping('HELLO-6', 'error'),
  {
    rule: 'HELLO-7',
    does: 'greets anew as somebody else',
    fault: () => ({
      out: on('welcome', (message, tap) => [tap.welcome === undefined ? message : { ...message, user: 'eve' }]),
    }),
  },
  dropping('PING-1', 'pong'),
  { rule: 'REQUEST-4', does: 'answers the last first', fault: () => ({ batch: (messages) => messages.toReversed() }) },
  changing('FRAME-2', 'error', 'calls all errors bad-message', (message) => ({ ...message, code: 'bad-message' })),
  changing('FRAME-5', 'error', 'says nothing of what is not JSON', (message) =>
    message['code'] === 'bad-json' ? undefined : message,
  ),
  changing('DATA-1', 'message', 'gives plain JSON a meta', (message) => ({ meta: {}, ...message })),
  lenient('DATA-2', 'bad-data', 'ack'),
  changing('META-2', 'message', 'loses meta', (message) => without(message, 'meta')),
  changing('BINARY-2', 'error', 'calls all errors internal', (message) => ({ ...message, code: 'internal' })),
  changing('BINARY-3', 'ack', 'forgets that a message was sent before', (message) => without(message, 'duplicate')),
  changing('BINARY-4', 'history', 'leaves bytes out of history', (message) => ({
    ...message,
    messages: list(message['messages']).map((replayed) => without(replayed, 'bytes')),
  })),
]

const fromRooms: readonly WrongServer[] = [
  changing('JOIN-1', 'joined', 'says no epoch', (message) => without(message, 'epoch')),
  {
    rule: 'JOIN-4',
    does: 'forgets what is sent behind a join',
    fault: () => ({
      in: (message, tap) => (message.type === 'message' && !tap.rooms.has(message['room']) ? undefined : message),
    }),
  },
  hearing('JOIN-6', 'join', 'does not look at presence', (message) => without(message, 'presence')),
  hearing('JOIN-7', 'join', 'does not look at since', (message) => without(message, 'since')),
  changing('JOINED-3', 'joined', 'says an offset that is too low', (message) => ({
    ...message,
    offset: Math.max(0, Number(message['offset']) - 1),
  })),
  dropping('JOINED-4', 'typing'),
  lenient('LEAVE-2', 'not-a-member', 'left'),
  changing('LEFT-1', 'ack', 'knows every message', (message) => ({ ...message, duplicate: true })),
  lenient('MESSAGE-1', 'not-a-member', 'ack'),
  hearing('MESSAGE-2', 'message', 'takes a message without data', (message) => ({ data: null, ...message })),
  changing('HISTORY-2', 'history', 'never says that it is complete', (message) => ({ ...message, complete: false })),
  lenient('HISTORY-3', 'not-a-member', 'history'),
  changing('HISTORY-4', 'joined', 'recovers nothing', (message) => ({ ...message, recovered: false, messages: [] })),
  {
    rule: 'PRESENCE-1',
    does: 'announces every change twice',
    fault: () => ({ out: on('presence', (message) => [message, message]) }),
  },
  lenient('PRESENCE-2', 'presence-too-large', 'ack'),
  dropping('PRESENCE-3', 'presence'),
  {
    ...changing('COUNT-1', 'joined', 'lists somebody beside the count', (message) => ({
      ...message,
      members: [{ user: 'eve' }],
    })),
    options: { rooms: { '*': { presence: 'count' } } },
  },
  changing('TYPING-2', 'typing', 'shows no end', (message) => (message['typing'] === true ? message : undefined)),
  lenient('TYPING-3', 'bad-message', 'ack'),
  {
    rule: 'TYPING-4',
    does: 'shows the end of one session as the end of all',
    fault: () => ({
      in: (message, tap) => {
        if (message.type !== 'typing' || message['typing'] !== false) return message
        for (const other of tap.others)
          other.send({ type: 'typing', room: message['room'], user: tap.user, typing: false })
        return message
      },
    }),
  },
]

const fromSessions: readonly WrongServer[] = [
  changing('AUTH-1', 'authenticated', 'refuses every token', (message) => ({ ...message, type: 'error' })),
  changing('AUTHENTICATED-1', 'authenticated', 'says when by a text', (message) => ({ ...message, expiresAt: 'soon' })),
  changing('AUTHENTICATED-1', 'authenticated', 'says how long by a text', (message) => ({
    ...message,
    expiresInMs: 'long',
  })),
  lenient('AUTH-3', 'not-authenticated', 'authenticated'),
  changing('RESUME-1', 'welcome', 'never resumes', (message) => ({ ...message, resumed: false })),
  changing('RESUME-4', 'joined', 'replays all but the first', (message) => ({
    ...message,
    messages: list(message['messages']).slice(1),
  })),
  {
    rule: 'RESUME-5',
    does: 'does not look at a late claim',
    fault: () => ({
      in: (message, tap) =>
        message.type === 'hello' && tap.welcome !== undefined ? without(message, 'resume') : message,
    }),
  },
  {
    rule: 'ORDER',
    does: 'tells one user in another order',
    fault: () => ({ batch: (messages, tap) => (tap.user === 'bob' ? messages.toReversed() : messages) }),
  },
  changing('GAPLESS', 'joined', 'replays all but the last', (message) => ({
    ...message,
    messages: list(message['messages']).slice(0, -1),
  })),
  changing('PRESENCE', 'presence', 'tells nobody who has left', (message) =>
    message['left'] === undefined ? message : undefined,
  ),
  changing('TYPING', 'typing', 'shows no end', (message) => (message['typing'] === true ? message : undefined)),
  closing('HEARTBEAT-1', 4201, { heartbeatMs: 300, heartbeatTimeoutMs: 300 }),
  // Whether its close frame is still read is a matter of time; that it cost others a message is not.
  changing('BOUND', 'message', 'loses a message while a reader is slow', (message) =>
    message['offset'] === 100 ? undefined : message,
  ),
]

/** Servers that are wrong in an answer, each found by the check of the rule that it breaks; others break as well. */
export const wrongAnswers: readonly WrongServer[] = [...fromRequests, ...fromRooms, ...fromSessions]
