import { on, type WrongServer } from './wrong-server.ts'

/** Replies to requests, under an id that was chosen by the client. */
const replies = new Set(['ack', 'joined', 'left', 'history'])

/** Servers that are wrong about greetings and requests. */
export const wrongRequests: readonly WrongServer[] = [
  {
    does: 'welcomes a client before its hello',
    rule: 'HELLO-1',
    fault: () => ({ opened: (tap) => tap.send({ type: 'welcome', session: 'x', secret: 'x', user: 'x' }) }),
  },
  {
    does: 'drops what came before the hello',
    rule: 'HELLO-3',
    fault: () => ({
      in: (message, tap) => (tap.welcome === undefined && message.type !== 'hello' ? undefined : message),
    }),
  },
  {
    does: 'closes with 4003 whose token is refused',
    rule: 'HELLO-5',
    fault: () => ({
      close: (code, reason) => (code === 4001 ? [4003, 'forbidden'] : [code, reason]),
    }),
  },
  {
    does: 'says another server in each welcome',
    rule: 'WELCOME-1',
    fault: () => {
      let count = 0
      return { out: on('welcome', (message) => [{ ...message, server: `server ${++count}` }]) }
    },
  },
  {
    does: 'leaks the secret of whoever speaks',
    rule: 'WELCOME-2',
    fault: () => ({
      out: on('message', (message, tap) => {
        const { session } = message['from'] as { session: string }
        const speaker = [...tap.others].find(({ welcome }) => welcome?.['session'] === session)
        return [{ ...message, from: { ...(message['from'] as object), secret: speaker?.welcome?.['secret'] } }]
      }),
    }),
  },
  {
    does: 'says in its welcome that the credentials have run out for a while',
    rule: 'WELCOME-3',
    fault: () => ({ out: on('welcome', (message) => [{ ...message, expiresInMs: -1 }]) }),
  },
  {
    does: 'does not tell 1 from "1"',
    rule: 'REQUEST-2',
    fault: () => ({
      out: (message) => [
        replies.has(message.type) ? { ...message, id: message['id'] && String(message['id']) } : message,
      ],
    }),
  },
  {
    does: 'drops acks',
    rule: 'REQUEST-2',
    fault: () => ({ out: on('ack', () => []) }),
  },
  {
    does: 'answers twice',
    rule: 'REQUEST-2',
    fault: () => ({ out: on('ack', (message) => [message, message]) }),
  },
  {
    does: 'acknowledges what has no id',
    rule: 'REQUEST-3',
    fault: () => ({
      in: (message, tap) => {
        if (message.type === 'message' && message['id'] === undefined && tap.welcome !== undefined)
          tap.send({ type: 'ack', room: message['room'] })
        return message
      },
    }),
  },
  {
    does: 'takes any id',
    rule: 'REQUEST-1',
    fault: () => ({ in: (message) => (message['id'] === true ? { ...message, id: 'true' } : message) }),
  },
]
