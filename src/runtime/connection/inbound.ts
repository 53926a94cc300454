import {
  type ApplicationMessage,
  type ClientMessage,
  type ErrorCode,
  type ProtocolErrorMessage,
  type JoinMessage,
  type Json,
  type RequestId,
} from '../../protocol/index.ts'
import type { ConnectionLink } from './connection-link.ts'
import { answerRequest } from './answering.ts'
import type { Core } from '../core.ts'
import type { Call } from './inbox.ts'
import { sendDirect } from './direct.ts'
import { conform } from './conforming.ts'
import { permit } from './permission.ts'
import { presenceSizeOf, sizeOf } from './message-size.ts'
import type { Session } from '../session/session.ts'

/** What a connection handles while open: messages, and the errors of those that could not be read. */
export type Inbound =
  | Exclude<ClientMessage, { type: 'hello' | 'auth' }>
  | ProtocolErrorMessage
  | ApplicationMessage
  | { readonly type: 'call'; readonly call: Call }

type Handler<Message> = (core: Core, link: ConnectionLink, session: Session, message: Message) => void

/** One handler a type: a message that is added to the protocol does not compile until it is handled here. */
const handlers: { readonly [Type in Inbound['type']]: Handler<Extract<Inbound, { type: Type }>> } = {
  message: (core, link, session, message) => toRoom(core, link, session, 'room.publish', message),
  join,
  leave: (core, link, session, message) => toRoom(core, link, session, 'room.leave', message),
  presence: (core, link, session, message) => {
    const fault = faultOf(core, session, message)
    if (fault === undefined) toRoom(core, link, session, 'room.presence', message)
    else link.refuse(fault, message.id, message.room)
  },
  typing: (core, link, session, message) => toRoom(core, link, session, 'room.typing', message),
  history: (core, link, session, message) => toRoom(core, link, session, 'room.history', message),
  ping: (_core, link, _session, { id }) => link.send({ type: 'pong', ...(id === undefined ? {} : { id }) }),
  error: (_core, link, _session, error) => link.outbox.refuse(error),
  reply: (_core, link, _session, reply) => link.requests?.settle(reply),
  direct: sendDirect,
  application: answerRequest,
  call: (_core, link, _session, { call }) => link.inbox?.begin(call),
}

/**
 * Whether something has nothing to do with anything before it: an answer that waited for its own request would wait for
 * ever. From somebody whose credentials have run out no answer is taken either.
 */
const overtakes = ({ type }: Inbound, { inbox }: ConnectionLink): boolean =>
  type === 'ping' || (type === 'reply' && inbox?.suspended === false)

/** Handles one message of an open connection, in its turn. */
export function handleMessage(core: Core, link: ConnectionLink, message: Inbound): void {
  const { inbox, session } = link
  // Already now: it may have to wait, and the room is not to be left meanwhile.
  if (session?.unconfirmed !== undefined && message.type === 'join') session.unconfirmed.delete(message.room)
  if (inbox?.busy === true && !overtakes(message, link)) inbox.hold(message, sizeOf(message))
  else if (session === undefined) return
  else if (core.options.authorize === undefined && message.type !== 'join') fulfil(core, link, session, message)
  else permit(core, link, session, message, () => fulfil(core, link, session, message))
}

/** Does what somebody asks for who may ask for it. */
function fulfil(core: Core, link: ConnectionLink, session: Session, message: Inbound): void {
  if (!core.hasRoomSchemas) return perform(core, link, message)
  // A schema costs work: it is asked of nothing that is refused anyway. What it makes of a state is looked at again.
  const fault = faultOf(core, session, message)
  const { id, room } = message as { readonly id?: RequestId; readonly room?: string }
  if (fault !== undefined) return link.refuse(fault, id, room)
  const { permissions } = session
  conform(core, link, session, message, (fitted) => {
    const proceed = (): void => perform(core, link, fitted)
    // Circumstances have changed while the schema took its time.
    if (session.permissions === permissions) proceed()
    else permit(core, link, session, fitted, proceed)
  })
}

/** Does at once what a message asks for: also for a machine's own actions, which wait for nobody. */
export function perform(core: Core, link: ConnectionLink, message: Inbound): void {
  const { session } = link
  // Another connection has taken the session over; this one is on its way out and has no say any more.
  if (session === undefined) return
  ;(handlers[message.type] as Handler<Inbound>)(core, link, session, message)
}

function join(core: Core, link: ConnectionLink, session: Session, message: JoinMessage): void {
  const { id, room } = message
  const fault = faultOf(core, session, message)
  if (fault !== undefined) return link.refuse(fault, id, room)
  const address = `room:${room}`
  // From now on, not from the answer on: what is said right behind a join goes to the same room, after it.
  session.rooms.set(room, address)
  session.unconfirmed?.delete(room)
  core.route(address, { type: 'room.join', session, message } as never)
}

function toRoom(
  core: Core,
  link: ConnectionLink,
  session: Session,
  type: string,
  message: { readonly room: string; readonly id?: RequestId },
): void {
  const address = session.rooms.get(message.room)
  if (address === undefined) link.refuse('not-a-member', message.id, message.room)
  else core.route(address, { type, session, message } as never)
}

/** What speaks against what a message asks for, by how much it is. */
function faultOf(core: Core, session: Session, message: Inbound): ErrorCode | undefined {
  if (message.type === 'presence') return faultOfState(core, message.state)
  if (message.type !== 'join') return undefined
  const fault = faultOfState(core, message.presence)
  if (fault !== undefined || session.rooms.has(message.room)) return fault
  return session.rooms.size >= core.settings.roomsPerSession ? 'too-many-rooms' : undefined
}

/** What speaks against showing somebody as this. */
function faultOfState({ settings, budget }: Core, state: Json | undefined): ErrorCode | undefined {
  if (state === undefined) return undefined
  if (presenceSizeOf(state) > settings.presenceBytes) return 'presence-too-large'
  return budget.spent ? 'overloaded' : undefined
}
