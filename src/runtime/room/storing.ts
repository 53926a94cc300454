import { Buffer } from 'node:buffer'
import { dataMembersOf, encodeBinary, type PublishMessage } from '../../protocol/index.ts'
import type { Core } from '../core.ts'
import { isThenable } from '../ports/eventually.ts'
import { Frame } from '../ports/frame.ts'
import type { Appended, LogEntry, LogRecord } from '../ports/history.ts'
import type { Outbox } from '../connection/outbox.ts'
import { sizeOf } from '../connection/message-size.ts'
import { refuse } from './refusal.ts'
import type { RoomRecord } from './room-record.ts'
import type { Session } from '../session/session.ts'
import type { TurnEvent } from './turns.ts'
import { stopTyping } from './typing.ts'

/** A message on its way into the log. */
export interface Storing {
  readonly session: Session
  /** The connection that asked; another one that took the session over meanwhile asks again by itself. */
  readonly outbox: Outbox | undefined
  readonly message: PublishMessage
  readonly record: LogRecord
  /** What it costs while it waits. */
  readonly bytes: number
  outcome?: { readonly appended: Appended } | { readonly error: unknown }
}

/** A message that was kept after the log had failed at one before it: members hear of that one first, if at all. */
export interface Unannounced {
  readonly storing: Storing
  readonly appended: Appended
  readonly epoch: string | undefined
}

/**
 * Gives a message to the log. With one that answers at once it is broadcast and acknowledged in the same step;
 * otherwise when the log has kept it, and what the log has not kept is neither.
 */
export function publish(
  core: Core,
  room: RoomRecord,
  session: Session,
  message: PublishMessage,
  outbox: Outbox | undefined,
): void {
  const { log } = room
  const persona = room.personaOf(session)
  if (log === undefined || persona === undefined) return refuse(room, outbox, message, 'not-a-member')
  const record = { at: core.environment.clock.now(), from: persona.from, content: contentOf(message) }
  if (message.volatile === true) return publishVolatile(room, outbox, message, record)
  if (room.storing.length > 0 && room.backlog.full) return refuse(room, outbox, message, 'storage-failed')
  const request = message.id === undefined ? undefined : { session: session.id, id: message.id }
  const appended = log.append(record, request)
  // What is answered at once takes its turn all the same, behind what is still under way.
  if (!isThenable(appended) && room.storing.length === 0) {
    return deliver(core, room, session, outbox, message, record, appended)
  }
  const storing: Storing = { session, outbox, message, record, bytes: sizeOf(message) }
  room.storing.push(storing)
  room.backlog.force(storing.bytes)
  room.turns.begin(session, 'publishing')
  if (!isThenable(appended)) {
    storing.outcome = { appended }
    return
  }
  const settle = (outcome: NonNullable<Storing['outcome']>): void => {
    storing.outcome = outcome
    // What comes before it has the first word.
    if (room.storing[0] === storing) room.send({ type: 'room.stored' })
    room.settled()
  }
  room.underWay++
  appended.then(
    (result) => settle({ appended: result }),
    (error: unknown) => settle({ error }),
  )
}

/**
 * Broadcasts and acknowledges what the log has kept, in the order of the offsets, and answers what it has not.
 *
 * @param serve - handles what has waited for that
 */
export function deliverStored(
  core: Core,
  room: RoomRecord,
  serve: (events: readonly TurnEvent[]) => void,
  onFailure: (error: unknown) => void,
): void {
  for (let first = room.storing[0]; first?.outcome !== undefined; first = room.storing[0]) {
    const { session, outbox, message, bytes, outcome } = first
    room.storing.shift()
    room.backlog.remove(bytes)
    const waiting = room.turns.end(session, 'publishing')
    try {
      if (!('appended' in outcome)) {
        room.failing = true
        refuse(room, outbox, message, 'storage-failed')
        onFailure(outcome.error)
      } else if (room.failing) {
        postpone(room, first, outcome.appended)
      } else {
        deliver(core, room, session, outbox, message, first.record, outcome.appended)
      }
    } catch (error) {
      // The room comes back from its crash, and does then what has waited.
      room.held.push(...(waiting as never[]))
      throw error
    }
    serve(waiting)
  }
}

/**
 * Broadcasts what a log that was opened again holds beyond what members were told, and acknowledges what it had kept
 * after its failure: only now everybody has heard what comes before.
 */
export function announceMissed(core: Core, room: RoomRecord): void {
  const { missed, unannounced } = room
  room.missed = []
  room.unannounced = []
  const tellings = new Map<number, () => void>()
  for (const entry of missed) {
    // Nobody knows its key any more: it stands for itself.
    const key = room.options.slow === 'latest' ? core.environment.newId() : undefined
    tellings.set(entry.offset, () => {
      const sender = room.sessions.find((session) => room.personaOf(session)?.from === entry.from)
      if (sender !== undefined) endTyping(room, sender)
      tell(room, entry.offset, entry, bytesOf(entry), key)
    })
  }
  // Of these the log may hold no more, should it keep little.
  for (const { storing, appended, epoch } of unannounced) {
    const { record, message, session } = storing
    const { offset, duplicate } = appended
    if (duplicate || epoch !== room.epoch) continue
    tellings.set(offset, () => tell(room, offset, record, message.bytes, keyOf(core, room, session, message)))
  }
  for (const offset of [...tellings.keys()].toSorted((a, b) => a - b)) tellings.get(offset)?.()
  for (const { storing, appended, epoch } of unannounced) {
    const { id } = storing.message
    // It was kept in a log that has been lost since.
    if (epoch !== room.epoch) refuse(room, storing.outbox, storing.message, 'storage-failed')
    else if (id !== undefined) storing.outbox?.push(new Frame(room.encodeAck(id, appended.offset, appended.duplicate)))
  }
}

/** Tells the members of a message that has its place, and its sender that it has. */
function deliver(
  core: Core,
  room: RoomRecord,
  session: Session,
  outbox: Outbox | undefined,
  message: PublishMessage,
  record: LogRecord,
  { offset, duplicate }: Appended,
): void {
  if (!duplicate) {
    endTyping(room, session)
    tell(room, offset, record, message.bytes, keyOf(core, room, session, message))
  }
  if (message.id !== undefined) outbox?.push(new Frame(room.encodeAck(message.id, offset, duplicate)))
}

/** Puts a message by that was kept, though the log has failed meanwhile. */
function postpone(room: RoomRecord, storing: Storing, appended: Appended): void {
  if (!appended.duplicate) endTyping(room, storing.session)
  room.unannounced.push({ storing, appended, epoch: room.epoch })
}

function endTyping(room: RoomRecord, session: Session): void {
  if (room.typing.size > 0 || room.aboutToType.size > 0) stopTyping(room, session)
}

/** Hands a message to the members, and keeps it for those who are told by other means just now. */
function tell(
  room: RoomRecord,
  offset: number,
  record: LogRecord,
  bytes: Uint8Array | undefined,
  key: string | undefined,
): void {
  room.delivered = offset
  const payload =
    bytes === undefined ? room.encode(offset, record) : encodeBinary(room.encode(offset, record, ''), bytes)
  if (room.options.slow === 'disconnect') room.broadcast(new Frame(payload))
  else room.broadcastSparing(new Frame(payload), offset, key)
  if (room.readings.size > 0) for (const reading of room.readings.values()) reading.hold({ ...record, offset })
}

function publishVolatile(
  room: RoomRecord,
  outbox: Outbox | undefined,
  message: PublishMessage,
  record: LogRecord,
): void {
  const { bytes, id } = message
  room.broadcastVolatile(
    new Frame(bytes === undefined ? room.encodeVolatile(record) : encodeBinary(room.encodeVolatile(record, ''), bytes)),
  )
  if (id !== undefined) outbox?.push(Frame.of({ type: 'ack', id, room: room.name }))
}

/** Which messages this one stands for; undefined in a room that simply drops what is too much. */
function keyOf(core: Core, room: RoomRecord, session: Session, { data, key }: PublishMessage): string | undefined {
  const { options } = room
  if (options.slow !== 'latest') return undefined
  const { user } = room.personaOf(session) ?? session.persona
  try {
    // An application in JavaScript may return anything.
    return String(options.key({ data, key, from: { user, session: session.id } }))
  } catch (error) {
    core.telemetry({ type: 'callback.threw', callback: 'key', error })
    return core.environment.newId()
  }
}

/** The part of a logged message that its sender wrote. */
function contentOf(message: PublishMessage): string {
  const { bytes } = message
  if (bytes !== undefined) return `,"bytes":"${Buffer.from(bytes).toString('base64')}"`
  return dataMembersOf(message)
}

/** The bytes of a logged message, if it came as bytes. */
function bytesOf({ content }: LogEntry): Uint8Array | undefined {
  const begin = ',"bytes":"'
  return content.startsWith(begin) ? Buffer.from(content.slice(begin.length, -1), 'base64') : undefined
}
