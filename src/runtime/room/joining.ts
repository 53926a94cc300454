import type { HistoryMessage, JoinMessage, Position } from '../../protocol/index.ts'
import { cancelLater, sendLater } from '../actors/actor-system.ts'
import type { Core } from '../core.ts'
import { isThenable } from '../ports/eventually.ts'
import { Frame } from '../ports/frame.ts'
import type { LogEntry, LogPage, Recovery } from '../ports/history.ts'
import type { Outbox } from '../connection/outbox.ts'
import { refuse } from './refusal.ts'
import { bounded, merge, Reading, type AnswerLimits } from './recovery.ts'
import type { RoomRecord } from './room-record.ts'
import { announceJoin } from './room-presence.ts'
import type { Session } from '../session/session.ts'
import type { TurnEvent } from './turns.ts'
import { describeTyping } from './typing.ts'

const limitsOf = ({ settings }: Core): AnswerLimits => ({ count: settings.replayCount, length: settings.replayBytes })

/** Makes a session a member, and answers with what it has missed. */
export function admit(
  core: Core,
  room: RoomRecord,
  session: Session,
  message: JoinMessage,
  outbox: Outbox | undefined,
): void {
  const { log } = room
  if (log === undefined) throw new Error(`The log of '${room.name}' is not open.`)
  const { since, presence } = message
  room.add(session, presence)
  core.sessionChanged(session)
  announceJoin(core, room, session, presence)
  outbox?.settle(room)
  // The connection that asked may be gone, and another has the session: it asks anew, and is not held up by this.
  if (since === undefined || outbox !== session.outbox) return answerJoin(room, session, outbox, message, undefined)
  const bounds = { limit: core.settings.replayCount, until: room.delivered, now: core.environment.clock.now() }
  const read = log.since(since, bounds)
  // Reading a log that answers at once and listening are one step: nothing falls between what is replayed and what
  // follows. Otherwise the member is held out of the audience, and what is broadcast meanwhile is kept for it.
  if (isThenable(read)) return begin(core, room, session, message, read)
  answerJoin(room, session, outbox, message, merge(since, read, [], room.delivered, limitsOf(core)))
}

/** Answers with a page of the log. */
export function replay(
  core: Core,
  room: RoomRecord,
  session: Session,
  message: HistoryMessage,
  outbox: Outbox | undefined,
): void {
  const { log } = room
  if (log === undefined || !room.has(session)) return refuse(room, outbox, message, 'not-a-member')
  if (outbox !== session.outbox) return
  const { before = Infinity, limit = Infinity } = message
  const bounds = {
    limit: Math.min(limit, core.settings.replayCount),
    until: room.delivered,
    now: core.environment.clock.now(),
  }
  const read = log.before(before, bounds)
  if (isThenable(read)) begin(core, room, session, message, read)
  else answerHistory(core, room, outbox, message, read)
}

/** The log has been read. A connection that has gone meanwhile is not answered: its client asks anew. */
export function answerRead(core: Core, room: RoomRecord, reading: Reading): void {
  const { session, outbox, message, result, held } = reading
  room.readings.delete(session.id)
  if (room.actor !== undefined) cancelLater(room.actor, readingTimer(session))
  if (message.type === 'history') {
    // An empty page would say that there is nothing; and what was read of a log that has been lost since is not in this.
    if ('complete' in result && reading.epoch === room.epoch) return answerHistory(core, room, outbox, message, result)
    return refuse(room, outbox, message, 'storage-failed')
  }
  const since = message.since as Position
  // The log may have been opened again meanwhile, under another epoch.
  const read = since.epoch === room.epoch ? (result as Recovery) : { recovered: false, entries: [] }
  const recovery = merge(since, read, held, room.delivered, limitsOf(core))
  answerJoin(room, session, outbox, message, recovery)
}

function begin(
  core: Core,
  room: RoomRecord,
  session: Session,
  message: JoinMessage | HistoryMessage,
  read: Promise<Recovery | LogPage>,
): void {
  const reading = new Reading(session, message, room.epoch, limitsOf(core))
  room.readings.set(session.id, reading)
  room.turns.begin(session, 'reading')
  if (message.type === 'join') room.mute(session)
  const finish = (result: Recovery | LogPage | undefined): void => {
    if (result !== undefined) reading.result = result
    room.send(readEvent(reading))
  }
  expectReading(core, room, reading)
  read.then(finish, (error: unknown) => {
    core.telemetry({ type: 'storage.failed', room: room.name, error })
    finish(undefined)
  })
}

/** What cannot be read is not recovered; nobody waits for ever to be told so. */
export function expectReading({ settings }: Core, { actor }: RoomRecord, reading: Reading): void {
  if (actor === undefined) return
  sendLater(actor, readEvent(reading), settings.roomOpenTimeoutMs, readingTimer(reading.session))
}

const readEvent = (reading: Reading): TurnEvent & { readonly reading: Reading } => ({
  type: 'room.read',
  session: reading.session,
  reading,
})

const readingTimer = ({ id }: Session): string => `reading:${id}`

function answerJoin(
  room: RoomRecord,
  session: Session,
  outbox: Outbox | undefined,
  { id }: JoinMessage,
  recovery: Recovery | undefined,
): void {
  room.listen(session)
  const { presence, delivered, log } = room
  const counts = room.options.presence === 'count'
  const joined = {
    type: 'joined',
    id,
    room: room.name,
    epoch: log?.epoch,
    offset: delivered,
    members: counts ? [] : presence.members(),
    ...(counts ? { count: presence.size } : {}),
    recovered: recovery?.recovered ?? false,
  }
  outbox?.answer(withMessages(joined, room, recovery?.entries ?? []))
  if (outbox === session.outbox) describeTyping(room, session)
}

function answerHistory(
  { settings }: Core,
  room: RoomRecord,
  outbox: Outbox | undefined,
  { id }: HistoryMessage,
  page: LogPage,
): void {
  const { entries, complete } = bounded(page, settings.replayBytes)
  const answer = { type: 'history', id, room: room.name, epoch: room.log?.epoch, complete }
  outbox?.answer(withMessages(answer, room, entries))
}

/** Puts logged messages into an answer, without rebuilding the data that they hold. */
function withMessages(answer: object, room: RoomRecord, entries: readonly LogEntry[]): Frame {
  const texts = entries.map((entry) => room.encode(entry.offset, entry))
  return new Frame(`${JSON.stringify(answer).slice(0, -1)},"messages":[${texts.join(',')}]}`)
}
