import type { Socket } from 'node:net'
import { membersIn, on, without, type WrongServer } from './wrong-server.ts'

/** Servers that are wrong about frames, users, sessions and promises. */
export const wrongConnections: readonly WrongServer[] = [
  {
    does: 'closes for a frame that is not JSON',
    rule: 'FRAME-1',
    fault: () => ({
      out: on('error', (message, tap) => {
        if (message['code'] !== 'bad-json') return [message]
        tap.socket.close(1008, '')
        return []
      }),
    }),
  },
  {
    does: 'lets a client say when and where',
    rule: 'FRAME-3',
    fault: () => {
      const forged = new Map<unknown, unknown>()
      return {
        in: (message) => {
          if (message['from'] !== undefined) forged.set(message['room'], message['from'])
          return message
        },
        out: on('message', (message) => {
          const from = forged.get(message['room'])
          return [from === undefined ? message : { ...message, from }]
        }),
      }
    },
  },
  {
    does: 'takes smaller frames than it says',
    rule: 'FRAME-4',
    fault: () => ({
      out: on('welcome', (message) => [
        { ...message, limits: { ...(message['limits'] as object), frameBytes: 70_000 } },
      ]),
    }),
  },
  {
    does: 'takes any meta',
    rule: 'META-1',
    fault: () => ({
      out: on('error', (message) => [
        message['code'] === 'bad-meta' && message['id'] !== undefined ? { type: 'ack', id: message['id'] } : message,
      ]),
    }),
  },
  {
    does: 'does not name the room in an error',
    rule: 'ERROR-1',
    fault: () => ({ out: on('error', (message) => [without(message, 'room')]) }),
  },
  {
    does: 'loses the last byte',
    rule: 'BINARY-1',
    fault: () => ({ bytes: (frame) => frame.subarray(0, -1) }),
  },
  {
    does: 'announces a second tab as joined',
    rule: 'PRESENCE-4',
    fault: () => ({
      out: on('joined', (message, tap) => {
        const { room } = message
        const here = membersIn(tap, room)
        if (!tap.rooms.has(room) && here.some(({ user }) => user === tap.user)) {
          for (const other of here) {
            if (other.user !== tap.user) other.send({ type: 'presence', room, joined: [{ user: String(tap.user) }] })
          }
        }
        return [message]
      }),
    }),
  },
  {
    does: 'shows typing to whoever types',
    rule: 'TYPING-1',
    fault: () => ({
      in: (message, tap) => {
        if (message.type === 'typing') tap.send({ ...without(message, 'id'), user: tap.user })
        return message
      },
    }),
  },
  {
    does: 'accepts any fresh token',
    rule: 'AUTH-2',
    fault: () => ({
      out: on('error', (message, tap) => [
        message['code'] === 'not-authenticated'
          ? { type: 'authenticated', id: message['id'], user: tap.user }
          : message,
      ]),
    }),
  },
  {
    does: 'gives a session to whoever names it',
    rule: 'RESUME-2',
    fault: () => {
      const secrets = new Map<unknown, unknown>()
      return {
        out: on('welcome', (message) => {
          secrets.set(message['session'], message['secret'])
          return [message]
        }),
        in: (message) => {
          const { session } = (message['resume'] ?? {}) as { session?: unknown }
          const secret = secrets.get(session)
          return message.type === 'hello' && secret !== undefined
            ? { ...message, resume: { session, secret } }
            : message
        },
      }
    },
  },
  {
    does: 'keeps a session whose client has left',
    rule: 'RESUME-3',
    fault: () => ({ closed: (code) => (code === 1000 ? 1001 : code) }),
  },
  {
    does: 'does not close the older of two connections of a session',
    rule: 'FENCE',
    fault: () => ({ close: (code, reason) => (code === 4009 ? undefined : [code, reason]) }),
  },
  {
    does: 'closes the older of two connections with 1000',
    rule: 'FENCE',
    fault: () => ({ close: (code, reason) => (code === 4009 ? [1000, reason] : [code, reason]) }),
  },
  {
    does: 'takes a message again that comes again on another socket',
    rule: 'ONCE',
    fault: () => {
      const prefix = 'again: '
      return {
        in: (message, tap) =>
          message.type === 'message' && tap.welcome?.['resumed'] === true
            ? { ...message, id: `${prefix}${String(message['id'])}` }
            : message,
        out: on('ack', (message) => [{ ...message, id: unprefixed(message['id'], prefix) }]),
      }
    },
  },
  {
    does: 'ends a connection with two close frames',
    rule: 'CLOSED',
    fault: () => ({
      close: (code, reason, tap) => {
        const { _socket: tcp } = tap.socket as unknown as { _socket: Socket }
        tap.socket.close(code, reason)
        tcp.write(Uint8Array.of(0x88, 2, code >> 8, code & 0xff))
        return undefined
      },
    }),
  },
  {
    does: 'gives no reason for a close',
    rule: 'CLOSE-2',
    fault: () => ({ close: (code) => [code, ''] }),
  },
  {
    does: 'answers an answer that it did not ask for',
    rule: 'CALL-5',
    fault: () => ({
      in: (message, tap) => {
        if (message.type === 'reply') tap.send({ type: 'error', code: 'unknown-type', message: 'x' })
        return message
      },
    }),
  },
  {
    does: 'ends everybody when one sends lists that are too deep',
    rule: 'ISOLATE',
    fault: () => ({
      long: (text, tap) => {
        if (text.includes('['.repeat(1_000))) for (const { socket } of tap.others) socket.close(1011, 'crashed')
      },
    }),
  },
]

const unprefixed = (id: unknown, prefix: string): unknown =>
  typeof id === 'string' && id.startsWith(prefix) ? id.slice(prefix.length) : id
