import type { Json, PresenceUpdateMessage } from '../../protocol/index.ts'
import { sendLater } from '../actors/actor-system.ts'
import type { Core } from '../core.ts'
import { Frame } from '../ports/frame.ts'
import type { Outbox } from '../connection/outbox.ts'
import type { PresenceChange } from './presence.ts'
import { refuse } from './refusal.ts'
import type { RoomRecord } from './room-record.ts'
import type { Persona, Session } from '../session/session.ts'
import { stopTyping } from './typing.ts'

/** A session has come: the others are told, unless its user was here already. */
export function announceJoin(core: Core, room: RoomRecord, session: Session, state: Json | undefined): void {
  tell(core, room, appear(room, session, state), session)
}

/** Puts a member among those who are here, as what it was let in as. */
export function appear(room: RoomRecord, session: Session, state: Json | undefined): PresenceChange | undefined {
  const persona = room.personaOf(session)
  if (persona === undefined) return undefined
  return room.presence.join(persona.user, session.id, { state, role: session.roles?.get(room.name) })
}

/** A member is something else from now on. */
export function changeRole(core: Core, room: RoomRecord, session: Session): void {
  const persona = room.personaOf(session)
  if (persona === undefined) return
  tell(core, room, room.presence.assign(persona.user, session.id, session.roles?.get(room.name)))
}

/** A session has gone: the others are told, unless its user is still here. */
export function announceLeave(core: Core, room: RoomRecord, session: Session, { user }: Persona): void {
  tell(core, room, room.presence.leave(user, session.id), session)
}

/** A member says something new of itself. */
export function updatePresence(
  core: Core,
  room: RoomRecord,
  session: Session,
  message: PresenceUpdateMessage,
  outbox: Outbox | undefined,
): void {
  const persona = room.personaOf(session)
  if (persona === undefined) return refuse(room, outbox, message, 'not-a-member')
  const { id, state } = message
  room.add(session, state)
  core.sessionChanged(session)
  tell(core, room, room.presence.update(persona.user, session.id, state))
  if (id !== undefined) outbox?.push(Frame.of({ type: 'ack', id, room: room.name }))
}

/** A member's client has been away for longer than the grace. */
export function withdraw(core: Core, room: RoomRecord, session: Session): void {
  stopTyping(room, session)
  const persona = room.personaOf(session)
  if (persona !== undefined) tell(core, room, room.presence.leave(persona.user, session.id))
}

/** It has come back after that. */
export function reappear(core: Core, room: RoomRecord, session: Session): void {
  tell(core, room, appear(room, session, room.stateOf(session)))
}

/** A member who was a guest is a user now: the others see the one go and the other come, in one message. */
export function identify(core: Core, room: RoomRecord, session: Session): void {
  const former = room.personaOf(session)
  // Who came in after that has come as the user.
  if (former === undefined || former === session.persona) return
  stopTyping(room, session)
  room.identify(session)
  // Somebody who is away is shown when they are back.
  if (!room.presence.sessionsOf(former.user).includes(session.id)) return
  const left = room.presence.leave(former.user, session.id)
  const joined = appear(room, session, room.stateOf(session))
  const updated = [...(left?.updated ?? []), ...(joined?.updated ?? [])]
  tell(core, room, {
    ...(joined?.joined && { joined: joined.joined }),
    ...(updated.length > 0 && { updated }),
    ...(left?.left && { left: left.left }),
  })
}

/**
 * Tells members of a room that tells counts only how many users are here. Also when it is what they were told last: who
 * has come meanwhile was told what was so at that moment.
 */
export function announceCount(room: RoomRecord): void {
  room.countDue = false
  room.broadcast(Frame.of({ type: 'presence', room: room.name, count: room.presence.size }))
}

function tell(core: Core, room: RoomRecord, change: PresenceChange | undefined, except?: Session): void {
  if (change === undefined) return
  if (room.options.presence === 'count') {
    if (change.joined !== undefined || change.left !== undefined) scheduleCount(core, room)
    return
  }
  room.broadcast(Frame.of({ type: 'presence', room: room.name, ...change }), except)
}

/** However many come and go, members are told at intervals. */
export function scheduleCount({ settings }: Core, room: RoomRecord): void {
  if (room.countDue || room.actor === undefined) return
  room.countDue = true
  sendLater(room.actor, { type: 'room.count' }, settings.presenceCountIntervalMs, 'count')
}
