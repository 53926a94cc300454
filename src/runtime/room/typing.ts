import type { AnyActorRef, AnyMachineSnapshot } from 'xstate'
import { typingMachine } from '../../../machines/index.ts'
import type { TypingMessage } from '../../protocol/index.ts'
import { implement } from '../actors/actor-system.ts'
import type { Core } from '../core.ts'
import { Frame } from '../ports/frame.ts'
import { withLanes, type LanedLogic } from '../actors/lanes.ts'
import type { RoomRecord } from './room-record.ts'
import type { Session } from '../session/session.ts'

/** Marries the typing indicator's chart to the room that it reports to. */
export function typingLogic(core: Core): LanedLogic {
  const report = (type: string) => (args: { context: { session: object }; self: AnyActorRef }) => {
    args.self._parent?.send({ type, session: args.context.session })
  }
  const machine = implement(typingMachine, {
    actions: { announceStart: report('typing.started'), announceStop: report('typing.stopped') } as never,
    delays: { silence: core.settings.typingMs },
  })
  return withLanes(machine, { hot: [], ...core.lanes })
}

/** A member's client says that its user types, or has stopped. */
export function noteTyping(
  { steps }: Core,
  logic: LanedLogic,
  parent: AnyActorRef,
  room: RoomRecord,
  session: Session,
  typing: boolean,
): void {
  room.aboutToType.add(session.id)
  steps.after(() => {
    // It may have said what it was typing, or left, meanwhile.
    if (!room.aboutToType.delete(session.id)) return
    if (typing && room.typing.get(session.id) === undefined && room.has(session)) {
      room.typing.create(parent, logic, session.id, 'typing', { session }).start()
    }
    room.typing.get(session.id)?.send({ type: typing ? 'typing.start' : 'typing.stop' })
  })
}

/** Tells the other users, unless another tab of the same user says otherwise. */
export function announceTyping(room: RoomRecord, session: Session, typing: boolean): void {
  const { user } = room.personaOf(session) ?? session.persona
  const tabs = room.presence.sessionsOf(user)
  if (tabs.some((id) => id !== session.id && isTyping(room, id))) return
  room.broadcastToOthers(user, Frame.of(typingMessage(room, user, typing)))
}

/** Tells somebody who has just come who is typing. */
export function describeTyping(room: RoomRecord, newcomer: Session): void {
  if (room.typing.size === 0) return
  const own = room.personaOf(newcomer)?.user
  for (const { user } of room.presence.members()) {
    if (user === own) continue
    if (room.presence.sessionsOf(user).some((id) => isTyping(room, id))) newcomer.send(typingMessage(room, user, true))
  }
}

/** The member is going, or has said what it was typing: its indicator ends now. */
export function stopTyping(room: RoomRecord, session: Session): void {
  room.aboutToType.delete(session.id)
  if (isTyping(room, session.id)) announceTyping(room, session, false)
  room.typing.stop(session.id)
}

function isTyping(room: RoomRecord, session: string): boolean {
  const snapshot = room.typing.get(session)?.getSnapshot() as AnyMachineSnapshot | undefined
  return snapshot?.matches('typing') ?? false
}

function typingMessage(room: RoomRecord, user: string, typing: boolean): TypingMessage {
  return { type: 'typing', room: room.name, user, typing }
}
