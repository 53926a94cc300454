import type { AnyActorRef } from 'xstate'
import type { RoomInput } from '../../machines/index.ts'
import {
  errorMessage,
  type ErrorCode,
  type HistoryMessage,
  type JoinMessage,
  type Json,
  type LeaveMessage,
  type PresenceUpdateMessage,
  type PublishMessage,
  type RequestId,
  type TypingUpdateMessage,
} from '../protocol/index.ts'
import type { Core } from './core.ts'
import { admit, answerRead, replay } from './joining.ts'
import type { Reading } from './recovery.ts'
import { announceCount, announceJoin, announceLeave, reappear, updatePresence, withdraw } from './room-presence.ts'
import type { RoomRecord } from './room-record.ts'
import type { Session } from './session.ts'
import { deliverStored, publish } from './storing.ts'
import type { TurnEvent } from './turns.ts'
import { noteTyping, stopTyping, typingLogic } from './typing.ts'

/** What an action of the room's chart is called with; `Message` is what the event carries. */
export interface Args<Message = { readonly id?: RequestId } | undefined> {
  readonly context: RoomInput
  readonly event: { readonly type: string; readonly session: Session; readonly message: Message }
  readonly self: AnyActorRef
}

/** A member that a former process knew. */
interface Restoration {
  readonly session: Session
  readonly state?: Json
  readonly absent: boolean
}

/** What an open room does about an event. */
export type Serve = (args: Args<never>) => void

export const roomOf = ({ context }: { readonly context: RoomInput }): RoomRecord => context.room as RoomRecord

/** What an open room does, by event. */
export function services(core: Core, isAlive: (session: Session) => boolean): ReadonlyMap<string, Serve> {
  const typing = typingLogic(core)
  const emptied = (args: Args<never>): void => {
    if (roomOf(args).size === 0) args.self.send({ type: 'room.emptied' })
  }
  const resume = (args: Args<never>, events: readonly TurnEvent[]): void => {
    for (const event of events) {
      roomOf(args).backlog.remove((event as Partial<Args['event']>).message)
      table.get(event.type)?.({ ...args, event } as never)
    }
  }
  // What a session asks takes its turn behind what it asked before.
  const inTurn =
    <Message>(service: (args: Args<Message>) => void): Serve =>
    (args) => {
      const { turns } = roomOf(args)
      if (turns.idle || !turns.mustWait(args.event)) service(args)
      else if (fits(args)) turns.wait(args.event)
    }
  const table = new Map<string, Serve>([
    [
      'room.join',
      inTurn<JoinMessage>((args) => {
        const { session, message } = args.event
        if (isAlive(session)) admit(core, roomOf(args), session, message)
        emptied(args as Args<never>)
      }),
    ],
    [
      'room.leave',
      inTurn<LeaveMessage | undefined>((args) => {
        dismiss(core, roomOf(args), args.event)
        emptied(args as Args<never>)
      }),
    ],
    [
      'room.publish',
      inTurn<PublishMessage>((args) => publish(core, roomOf(args), args.event.session, args.event.message)),
    ],
    [
      'room.presence',
      inTurn<PresenceUpdateMessage>((args) => {
        updatePresence(core, roomOf(args), args.event.session, args.event.message)
      }),
    ],
    [
      'room.typing',
      inTurn<TypingUpdateMessage>((args) => {
        const room = roomOf(args)
        const { session, message } = args.event
        if (!room.has(session)) return refuse(args, 'not-a-member')
        noteTyping(core, typing, args.self, room, session, message.typing)
        if (message.id !== undefined) session.send({ type: 'ack', id: message.id, room: room.name })
      }),
    ],
    [
      'room.history',
      inTurn<HistoryMessage>((args) => replay(core, roomOf(args), args.event.session, args.event.message)),
    ],
    ['room.withdraw', inTurn((args) => withdraw(core, roomOf(args), args.event.session))],
    ['room.reappear', inTurn((args) => reappear(core, roomOf(args), args.event.session))],
    [
      'room.restore',
      (args) => {
        const { session, state, absent } = args.event as unknown as Restoration
        const room = roomOf(args)
        if (isAlive(session)) {
          room.add(session, state)
          room.listen(session)
          if (!absent) announceJoin(core, room, session, state)
        }
        emptied(args)
      },
    ],
    [
      'room.stored',
      (args) => {
        let failed = false
        deliverStored(
          core,
          roomOf(args),
          (events) => resume(args, events),
          (error) => {
            failed = true
            core.telemetry({ type: 'storage.failed', room: roomOf(args).name, error })
          },
        )
        if (failed) args.self.send({ type: 'room.storageFailed' })
      },
    ],
    [
      'room.read',
      (args) => {
        const { reading } = args.event as unknown as { reading: Reading }
        const room = roomOf(args)
        if (room.readings.get(reading.session.id) !== reading) return
        answerRead(core, room, reading)
        resume(args, room.turns.end(reading.session, 'reading'))
      },
    ],
    ['room.count', (args) => announceCount(roomOf(args))],
  ])
  return table
}

function dismiss(
  core: Core,
  room: RoomRecord,
  { session, message }: { readonly session: Session; readonly message: LeaveMessage | undefined },
): void {
  stopTyping(room, session)
  if (room.remove(session)) announceLeave(core, room, session)
  room.log?.forget(session.id)
  session.outbox?.settle(room)
  core.sessionChanged(session)
  if (message === undefined) return
  session.send({ type: 'left', ...(message.id === undefined ? {} : { id: message.id }), room: room.name })
}

/** Takes an event into the backlog. One for which there is no more room is refused. */
export function fits({ context, event }: Args<unknown>): boolean {
  const room = context.room as RoomRecord
  const message = event.message as { readonly id?: RequestId } | undefined
  if (room.backlog.add(message)) return true
  // What nobody asked for in so many words, such as a session's end, has nobody to be refused to.
  if (message === undefined || event.type === 'room.leave') {
    room.backlog.force(message)
    return true
  }
  event.session.send(errorMessage('room-unavailable', message.id, room.name))
  if (event.type === 'room.join') event.session.rooms.delete(room.name)
  return false
}

/** Answers that a request failed. */
export function refuse<Message extends { readonly id?: RequestId } | undefined>(
  { event, context }: Args<Message>,
  code: ErrorCode,
): void {
  event.session.send(errorMessage(code, event.message?.id, (context.room as RoomRecord).name))
}
