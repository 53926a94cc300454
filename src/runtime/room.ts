import { Buffer } from 'node:buffer'
import { fromPromise, type AnyActorRef, type AnyMachineSnapshot, type EventObject } from 'xstate'
import { roomMachine, type RoomEvent, type RoomInput } from '../../machines/index.ts'
import {
  encodeBinary,
  errorMessage,
  type ErrorCode,
  type HistoryMessage,
  type JoinMessage,
  type LeaveMessage,
  type PresenceUpdateMessage,
  type PublishMessage,
  type RequestId,
  type TypingUpdateMessage,
} from '../protocol/index.ts'
import type { Core } from './core.ts'
import { Frame } from './frame.ts'
import type { History, LogEntry, Recovery, RoomLog } from './history.ts'
import { withLanes, type LanedLogic } from './lanes.ts'
import { withPopulation } from './population.ts'
import type { PresenceChange } from './presence.ts'
import type { RoomRecord } from './room-record.ts'
import type { Session } from './session.ts'
import { announceTyping, describeTyping, noteTyping, stopTyping, typingLogic } from './typing.ts'

/** What an action of the room's chart is called with; `Message` is what the event carries. */
interface Args<Message = { readonly id?: RequestId } | undefined> {
  readonly context: RoomInput
  readonly event: { readonly type: string; readonly session: Session; readonly message: Message }
  readonly self: AnyActorRef
}

/** Requests that may wait for a room's log, and what they may amount to. */
const heldCount = 10_000
const heldBytes = 1024 * 1024

const nothing: Recovery = { recovered: false, entries: [] }

const roomOf = ({ context }: { readonly context: RoomInput }): RoomRecord => context.room as RoomRecord

/** Marries the room's chart to its record, its log and its members' outboxes. */
export function roomLogic(core: Core, history: History, isAlive: (session: Session) => boolean): LanedLogic {
  const { clock } = core.environment
  const typing = typingLogic(core)
  /** What the open room does, by event. */
  const serve = {
    'room.join': (args: Args<JoinMessage>) => {
      if (isAlive(args.event.session)) admit(core, args)
      if (roomOf(args).size === 0) args.self.send({ type: 'room.emptied' })
    },
    'room.leave': dismiss,
    'room.publish': (args: Args<PublishMessage>) => publish(args, clock.now()),
    'room.presence': updatePresence,
    'room.typing': (args: Args<TypingUpdateMessage>) => {
      const room = roomOf(args)
      const { session, message } = args.event
      if (!room.has(session)) return refuse(args, 'not-a-member')
      noteTyping(core, typing, args.self, room, session, message.typing)
      if (message.id !== undefined) session.send({ type: 'ack', id: message.id, room: room.name })
    },
    'room.history': (args: Args<HistoryMessage>) => replay(core, args),
    'room.withdraw': withdraw,
    'room.reappear': reappear,
  }
  const machine = roomMachine.provide({
    actors: {
      openHistory: fromPromise<void, RoomInput>(async ({ input }) => {
        const room = input.room as RoomRecord
        room.log ??= await history.open(room.name, room.limits)
      }),
    },
    actions: {
      hold: (args: Args) => {
        const room = roomOf(args)
        room.heldBytes += sizeOf(args.event.message)
        const fits = room.held.length < heldCount && room.heldBytes <= heldBytes
        // What nobody asked for in so many words, such as a session's end, has nobody to be refused to.
        if (fits || args.event.message === undefined || args.event.type === 'room.leave') {
          room.held.push(args.event as RoomEvent)
        } else {
          refuseHeld(args)
        }
      },
      runHeld: (args: Args) => runHeld(args, serve),
      fail: (args: Args) => giveUp(roomOf(args)),
      admit: serve['room.join'],
      dismiss: serve['room.leave'],
      publish: serve['room.publish'],
      updatePresence: serve['room.presence'],
      noteTyping: serve['room.typing'],
      replay: serve['room.history'],
      withdraw: serve['room.withdraw'],
      reappear: serve['room.reappear'],
      announceTyping: (args: Args) =>
        announceTyping(roomOf(args), args.event.session, args.event.type === 'typing.started'),
      refuse: (args: Args) => refuse(args, 'not-a-member'),
      closeHistory: (args: Args) => roomOf(args).log?.close(),
    } as never,
    guards: {
      empty: (args) => roomOf(args).size === 0,
      nothingToKeep: (args) => (roomOf(args).log?.offset ?? 0) === 0,
    },
    delays: { linger: core.settings.roomLingerMs, openTimeout: core.settings.roomOpenTimeoutMs },
  })
  const laned = withLanes(machine, {
    hot: ['room.publish'],
    ...core.lanes,
    onCrash: (snapshot, event) => {
      const room = roomOf(snapshot)
      // The typing actors end with the room's; nobody is to be left typing for ever.
      for (const session of room.sessions) stopTyping(room, session)
      answerCrashed(event)
    },
  })
  return withPopulation(laned, (snapshot) => roomOf(snapshot as AnyMachineSnapshot).typing)
}

/**
 * Does what was held, here and now rather than through the mailbox: when one of them crashes the room, the others are
 * still held, for the room that comes back.
 */
function runHeld(args: Args, serve: object): void {
  const { held } = roomOf(args)
  roomOf(args).heldBytes = 0
  for (let event = held.shift(); event !== undefined; event = held.shift()) {
    try {
      ;(serve as Record<string, (args: object) => void>)[event.type]?.({ ...args, event })
    } catch (error) {
      answerCrashed(event)
      throw error
    }
  }
  // A room that came back from a crash may find that nobody has waited for it.
  if (roomOf(args).size === 0) args.self.send({ type: 'room.emptied' })
}

/** Takes everybody out of a room that cannot go on, and says so to them and to those who wait. */
export function giveUp(room: RoomRecord): void {
  const held = room.held as unknown as Partial<Args['event']>[]
  room.held = []
  room.heldBytes = 0
  for (const { session, message } of held) {
    session?.rooms.delete(room.name)
    if (message !== undefined) session?.send(errorMessage('room-unavailable', message.id, room.name))
  }
  for (const session of room.sessions) {
    room.remove(session)
    session.rooms.delete(room.name)
    session.send(errorMessage('room-unavailable', undefined, room.name))
  }
}

/** There is no more room to wait in. */
function refuseHeld(args: Args): void {
  refuse(args, 'room-unavailable')
  if (args.event.type === 'room.join') args.event.session.rooms.delete(roomOf(args).name)
}

// Only of what was checked when it was decoded: a field that nobody knows may be nested deeper than a stack.
function sizeOf(message: object | undefined): number {
  const { bytes, data, presence, state } = (message ?? {}) as Partial<Record<string, unknown>> & { bytes?: Uint8Array }
  return 100 + (bytes?.byteLength ?? JSON.stringify(data ?? presence ?? state ?? null).length)
}

function refuse({ event, context }: Args, code: ErrorCode): void {
  event.session.send(errorMessage(code, event.message?.id, (context.room as RoomRecord).name))
}

/** Whoever asked for what crashed the room hears that it failed. */
function answerCrashed(event: EventObject): void {
  const { session, message } = event as EventObject & Partial<Args['event']>
  if (message !== undefined) session?.send(errorMessage('internal', message.id))
}

function tell(room: RoomRecord, change: PresenceChange | undefined, except?: Session): void {
  if (change !== undefined) room.broadcast(Frame.of({ type: 'presence', room: room.name, ...change }), except)
}

function admit(core: Core, args: Args<JoinMessage>): void {
  const room = roomOf(args)
  const { session, message } = args.event
  const { log } = room
  if (log === undefined) throw new Error(`The log of '${room.name}' is not open.`)
  const { id, since, presence } = message
  room.add(session, presence)
  tell(room, room.presence.join(session.user.id, session.id, presence), session)
  // Reading the log and joining the audience are one step, so nothing falls between what is replayed and what follows.
  const missed =
    since === undefined ? nothing : log.since(since, core.settings.replayCount, core.environment.clock.now())
  // An answer that its asker could not be sent would be asked for again and again.
  const { recovered, entries } = lengthOf(missed.entries) > core.settings.replayBytes ? nothing : missed
  const joined = {
    type: 'joined',
    id,
    room: room.name,
    epoch: log.epoch,
    offset: log.offset,
    members: room.presence.members(),
    recovered,
  }
  session.outbox?.answer(withMessages(joined, room, log, entries))
  describeTyping(room, session)
}

function dismiss(args: Args<LeaveMessage | undefined>): void {
  const room = roomOf(args)
  const { session, message } = args.event
  stopTyping(room, session)
  if (room.remove(session)) tell(room, room.presence.leave(session.user.id, session.id), session)
  room.log?.forget(session.id)
  if (message !== undefined) {
    session.send({ type: 'left', ...(message.id === undefined ? {} : { id: message.id }), room: room.name })
  }
  if (room.size === 0) args.self.send({ type: 'room.emptied' })
}

function publish(args: Args<PublishMessage>, now: number): void {
  const room = roomOf(args)
  const { session, message } = args.event
  const { log } = room
  if (log === undefined || !room.has(session)) return refuse(args, 'not-a-member')
  const { id, bytes } = message
  const before = id === undefined ? undefined : log.duplicateOf(session.id, id, now)
  if (before === undefined) {
    if (room.typing.size > 0 || room.aboutToType.size > 0) stopTyping(room, session)
    const request = id === undefined ? undefined : { session: session.id, id }
    const entry = log.append({ at: now, from: session.from, content: contentOf(message) }, request)
    const payload = bytes === undefined ? room.encode(log, entry) : encodeBinary(room.encode(log, entry, ''), bytes)
    room.broadcast(new Frame(payload))
  }
  if (id === undefined) return
  session.outbox?.push(new Frame(room.encodeAck(log, id, before ?? log.offset, before !== undefined)))
}

/** The part of a logged message that its sender wrote. */
function contentOf({ data, meta, bytes }: PublishMessage): string {
  if (bytes !== undefined) return `,"bytes":"${Buffer.from(bytes).toString('base64')}"`
  const text = `,"data":${JSON.stringify(data)}`
  return meta === undefined ? text : `${text},"meta":${JSON.stringify(meta)}`
}

function updatePresence(args: Args<PresenceUpdateMessage>): void {
  const room = roomOf(args)
  const { session, message } = args.event
  if (!room.has(session)) return refuse(args, 'not-a-member')
  room.add(session, message.state)
  tell(room, room.presence.update(session.user.id, session.id, message.state))
  if (message.id !== undefined) session.send({ type: 'ack', id: message.id, room: room.name })
}

function withdraw(args: Args): void {
  const room = roomOf(args)
  const { session } = args.event
  stopTyping(room, session)
  tell(room, room.presence.leave(session.user.id, session.id))
}

function reappear(args: Args): void {
  const room = roomOf(args)
  const { session } = args.event
  if (room.has(session)) tell(room, room.presence.join(session.user.id, session.id, room.stateOf(session)))
}

function replay(core: Core, args: Args<HistoryMessage>): void {
  const room = roomOf(args)
  const { session, message } = args.event
  const { log } = room
  if (log === undefined || !room.has(session)) return refuse(args, 'not-a-member')
  const { before = Infinity, limit = core.settings.replayCount, id } = message
  const page = log.before(before, Math.min(limit, core.settings.replayCount), core.environment.clock.now())
  let { entries } = page
  while (entries.length > 1 && lengthOf(entries) > core.settings.replayBytes) entries = entries.slice(1)
  const complete = page.complete && entries.length === page.entries.length
  const answer = { type: 'history', id, room: room.name, epoch: log.epoch, complete }
  session.outbox?.answer(withMessages(answer, room, log, entries))
}

function lengthOf(entries: readonly LogEntry[]): number {
  return entries.reduce((sum, { content }) => sum + content.length, 0)
}

/** Puts logged messages into an answer, without rebuilding the data that they hold. */
function withMessages(answer: object, room: RoomRecord, log: RoomLog, entries: readonly LogEntry[]): Frame {
  const texts = entries.map((entry) => room.encode(log, entry))
  return new Frame(`${JSON.stringify(answer).slice(0, -1)},"messages":[${texts.join(',')}]}`)
}
