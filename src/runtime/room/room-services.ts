import type { AnyActorRef } from 'xstate'
import type { RoomInput } from '../../../machines/index.ts'
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
} from '../../protocol/index.ts'
import type { Core } from '../core.ts'
import { Frame } from '../ports/frame.ts'
import { admit, answerRead, replay } from './joining.ts'
import type { Reading } from './recovery.ts'
import {
  announceCount,
  announceLeave,
  appear,
  changeRole,
  identify,
  reappear,
  updatePresence,
  withdraw,
} from './room-presence.ts'
import { sizeOf } from '../connection/message-size.ts'
import { refuse as refuseMessage } from './refusal.ts'
import type { RoomRecord } from './room-record.ts'
import type { Session } from '../session/session.ts'
import { deliverStored, publish } from './storing.ts'
import { askerOf, type TurnEvent } from './turns.ts'
import { noteTyping, stopTyping, typingLogic } from './typing.ts'

/** What an action of the room's chart is called with; `Message` is what the event carries. */
export interface Args<Message = { readonly id?: RequestId } | undefined> {
  readonly context: RoomInput
  readonly event: TurnEvent & { readonly message: Message; readonly mayAskAgain?: boolean }
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
  const resume = ({ context, self }: Args<never>, events: readonly TurnEvent[]): void => {
    const room = roomOf({ context })
    const waiting = [...events] as Args['event'][]
    for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
      const args = { context, event, self }
      if (mustWait(room, event)) {
        putBy(args)
        continue
      }
      room.backlog.remove(sizeOf(event.message))
      try {
        table.get(event.type)?.(args as Args<never>)
      } catch (error) {
        // The room comes back, and does the rest then.
        room.held.push(...(waiting as never[]))
        answer(event, 'internal')
        throw error
      }
    }
  }
  const inTurn =
    <Message>(service: (args: Args<Message>) => void): Serve =>
    (args) => {
      if (!mustWait(roomOf(args), args.event)) service(args)
      else if (fits(args)) putBy(args)
    }
  const table = new Map<string, Serve>([
    [
      'room.join',
      inTurn<JoinMessage>((args) => {
        const { session, message } = args.event
        if (isAlive(session)) admit(core, roomOf(args), session, message, askerOf(args.event))
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
      inTurn<PublishMessage>((args) => {
        publish(core, roomOf(args), args.event.session, args.event.message, askerOf(args.event))
      }),
    ],
    [
      'room.presence',
      inTurn<PresenceUpdateMessage>((args) => {
        const { session, message } = args.event
        updatePresence(core, roomOf(args), session, message, askerOf(args.event))
      }),
    ],
    [
      'room.typing',
      inTurn<TypingUpdateMessage>((args) => {
        const room = roomOf(args)
        const { session, message } = args.event
        if (!room.has(session)) return refuse(args, 'not-a-member')
        noteTyping(core, typing, args.self, room, session, message.typing)
        if (message.id === undefined) return
        askerOf(args.event)?.push(Frame.of({ type: 'ack', id: message.id, room: room.name }))
      }),
    ],
    [
      'room.history',
      inTurn<HistoryMessage>((args) => {
        replay(core, roomOf(args), args.event.session, args.event.message, askerOf(args.event))
      }),
    ],
    ['room.withdraw', inTurn((args) => withdraw(core, roomOf(args), args.event.session))],
    ['room.reappear', inTurn((args) => reappear(core, roomOf(args), args.event.session))],
    ['room.role', inTurn((args) => changeRole(core, roomOf(args), args.event.session))],
    ['room.identify', inTurn((args) => identify(core, roomOf(args), args.event.session))],
    [
      'room.restore',
      (args) => {
        const { session, state, absent } = args.event as unknown as Restoration
        const room = roomOf(args)
        if (isAlive(session)) {
          room.add(session, state)
          room.listen(session)
          // Nobody has seen it go: to those who are back already it is not new.
          if (!absent) appear(room, session, state)
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

function dismiss(core: Core, room: RoomRecord, event: Args<LeaveMessage | undefined>['event']): void {
  const { session, message } = event
  stopTyping(room, session)
  const persona = room.remove(session)
  if (persona !== undefined) announceLeave(core, room, session, persona)
  // A store may find a crashed session again if the process ends before it has heard of the crash, and who is late to
  // join a room anew has yet to say again what was not acknowledged: then retries come.
  if (event.mayAskAgain !== true || core.options.sessions?.keepsChanges !== true) room.log?.forget(session.id)
  session.outbox?.settle(room)
  core.sessionChanged(session)
  if (message === undefined) return
  const id = message.id === undefined ? {} : { id: message.id }
  askerOf(event)?.push(Frame.of({ type: 'left', ...id, room: room.name }))
}

/** What a session asks takes its turn behind what it asked before, and nobody's is asked of a log that has failed. */
const mustWait = (room: RoomRecord, event: TurnEvent): boolean =>
  room.failing || (!room.turns.idle && room.turns.mustWait(event))

/** What takes its turn among what its session asks. */
const turnTypes = new Set(
  ['join', 'leave', 'publish', 'presence', 'typing', 'history', 'withdraw', 'reappear', 'identify', 'role'].map(
    (type) => `room.${type}`,
  ),
)

/** Puts an event by, behind what its session waits for, or until the log is open. */
export function putBy({ context, event }: Args<unknown>): void {
  const { turns, held } = roomOf({ context })
  if (!turnTypes.has(event.type)) held.push(event as never)
  else if (turns.mustWait(event)) turns.wait({ ...event, asker: askerOf(event) })
  else held.push({ ...event, asker: askerOf(event) } as never)
}

/** Takes an event into the backlog. One for which there is no more room is refused. */
export function fits({ context, event }: Args<unknown>): boolean {
  const room = context.room as RoomRecord
  const message = event.message as { readonly id?: RequestId } | undefined
  const bytes = sizeOf(message)
  if (room.backlog.add(bytes)) return true
  // What nobody asked for in so many words, such as a session's end, has nobody to be refused to.
  if (message === undefined || event.type === 'room.leave') {
    room.backlog.force(bytes)
    return true
  }
  const { session } = event
  const isComing = room.held.some((other) => other.type === 'room.join' && other.session === session)
  // Whoever is here already, or waits to be, stays.
  const stays = room.has(session) || isComing
  answer(event as Args['event'], stays ? 'storage-failed' : 'room-unavailable', room.name)
  if (!stays) session.rooms.delete(room.name)
  return false
}

/** Answers that a request failed. */
export function refuse<Message extends { readonly id?: RequestId } | undefined>(
  { event, context }: Args<Message>,
  code: ErrorCode,
): void {
  refuseMessage(roomOf({ context }), askerOf(event), event.message, code)
}

/** Answers that something failed, if it was a request. */
export function answer(event: object, code: ErrorCode, room?: string): void {
  const { session, message } = event as Partial<Args['event']>
  if (session === undefined || message === undefined) return
  askerOf(event as TurnEvent)?.refuse(errorMessage(code, message.id, room))
}
