import type { Tap, Wire } from './fault.ts'
import { membersIn, on, without, type WrongServer } from './wrong-server.ts'

const messagesOf = (message: Wire): readonly Wire[] => message['messages'] as readonly Wire[]
const membersOf = (message: Wire): readonly Wire[] => message['members'] as readonly Wire[]

/** Servers that are wrong about rooms and what is said in them. */
export const wrongRooms: readonly WrongServer[] = [
  {
    does: 'repeats the name of a room that cannot be one',
    rule: 'JOIN-2',
    fault: () => ({
      out: on('error', (message) => [message['code'] === 'bad-room-name' ? { ...message, room: 'x' } : message]),
    }),
  },
  {
    does: 'shows a second join as another coming',
    rule: 'JOIN-3',
    fault: () => ({
      out: on('joined', (message, tap) => {
        const { room } = message
        if (tap.rooms.has(room)) {
          for (const other of membersIn(tap, room)) {
            if (other !== tap) other.send({ type: 'presence', room, joined: [{ user: String(tap.user) }] })
          }
        }
        return [message]
      }),
    }),
  },
  {
    does: 'takes more rooms than it says',
    rule: 'JOIN-5',
    options: { roomsPerSession: 11 },
    fault: () => ({
      out: on('welcome', (message) => [{ ...message, limits: { ...(message['limits'] as object), rooms: 10 } }]),
    }),
  },
  {
    does: 'goes on telling a room to whoever has left it',
    rule: 'LEAVE-1',
    fault: () => {
      const left = new Map<unknown, Set<Tap>>()
      return {
        out: (message, tap) => {
          const { room } = message
          if (message.type === 'left') left.set(room, (left.get(room) ?? new Set()).add(tap))
          if (message.type === 'joined') left.get(room)?.delete(tap)
          if (message.type === 'message') for (const gone of left.get(room) ?? []) gone.send(message)
          return [message]
        },
      }
    },
  },
  {
    does: 'sends its own copy to nobody',
    rule: 'MESSAGE-5',
    fault: () => ({
      out: on('message', (message, tap) => {
        const { session } = message['from'] as { session: unknown }
        return session === tap.welcome?.['session'] ? [] : [message]
      }),
    }),
  },
  {
    does: 'acknowledges before the sender has its own copy',
    rule: 'MESSAGE-3',
    fault: () => ({
      batch: (messages) =>
        messages.flatMap((message, index) => {
          if (message.type === 'message' && messages[index + 1]?.type === 'ack') return []
          const before = messages[index - 1]
          return message.type === 'ack' && before?.type === 'message' ? [message, before] : [message]
        }),
    }),
  },
  {
    does: 'says no room in an ack',
    rule: 'ACK-1',
    fault: () => ({ out: on('ack', (message) => [without(message, 'room')]) }),
  },
  {
    does: 'repeats an offset',
    rule: 'GAP-1',
    fault: () => ({
      out: on('message', (message) => [message['offset'] === 10 ? { ...message, offset: 9 } : message]),
    }),
  },
  {
    does: 'shuffles two messages of another',
    rule: 'GAP-1',
    fault: () => ({
      batch: (messages, tap) => {
        const [first, second, ...rest] = messages
        const isOthers = (message: Wire | undefined): boolean =>
          message?.type === 'message' && (message['from'] as { user: unknown }).user !== tap.user
        if (first === undefined || second === undefined || !isOthers(first) || !isOthers(second)) return messages
        return [second, first, ...rest]
      },
    }),
  },
  {
    does: 'forgets that a message was sent before',
    rule: 'MESSAGE-4',
    fault: () => ({ out: on('ack', (message) => [without(message, 'duplicate')]) }),
  },
  {
    does: 'loses members called __proto__',
    rule: 'MESSAGE-6',
    fault: () => ({
      out: on('message', (message) => [
        JSON.parse(JSON.stringify(message).replaceAll('"__proto__"', '"proto"')) as Wire,
      ]),
    }),
  },
  {
    does: 'gives a volatile message an offset',
    rule: 'VOLATILE-1',
    fault: () => ({
      out: on('message', (message) => [message['volatile'] === true ? { ...message, offset: 1 } : message]),
    }),
  },
  {
    does: 'lists a user once for each session',
    rule: 'JOINED-1',
    fault: () => ({
      out: on('joined', (message, tap) => {
        const here = membersIn(tap, message['room']).filter((other) => other.user === tap.user && other !== tap)
        return [{ ...message, members: [...membersOf(message), ...here.map(() => ({ user: tap.user }))] }]
      }),
    }),
  },
  {
    does: 'says that all is recovered where one is missing',
    rule: 'JOINED-2',
    fault: () => ({ out: on('joined', (message) => [{ ...message, messages: messagesOf(message).slice(1) }]) }),
  },
  {
    does: 'never recovers anything',
    rule: 'JOINED-2',
    fault: () => ({ out: on('joined', (message) => [{ ...message, recovered: false, messages: [] }]) }),
  },
  {
    does: 'gives history with the newest first',
    rule: 'HISTORY-1',
    fault: () => ({ out: on('history', (message) => [{ ...message, messages: messagesOf(message).toReversed() }]) }),
  },
]
