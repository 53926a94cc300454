import { Buffer } from 'node:buffer'
import { encodeBinary, errorMessage, type PublishMessage } from '../protocol/index.ts'
import type { Core } from './core.ts'
import { isPromise } from './eventually.ts'
import { Frame } from './frame.ts'
import type { Appended, LogRecord } from './history.ts'
import type { Outbox } from './outbox.ts'
import type { RoomRecord } from './room-record.ts'
import type { Session } from './session.ts'
import type { TurnEvent } from './turns.ts'
import { stopTyping } from './typing.ts'

/** A message on its way into the log. */
export interface Storing {
  readonly session: Session
  /** The connection that asked; another one that took the session over meanwhile asks again by itself. */
  readonly outbox: Outbox | undefined
  readonly message: PublishMessage
  readonly record: LogRecord
  outcome?: { readonly appended: Appended } | { readonly error: unknown }
}

/**
 * Gives a message to the log. With one that answers at once it is broadcast and acknowledged in the same step;
 * otherwise when the log has kept it, and what the log has not kept is neither.
 */
export function publish(core: Core, room: RoomRecord, session: Session, message: PublishMessage): void {
  const { log } = room
  if (log === undefined || !room.has(session)) return refuse(room, session, message, 'not-a-member')
  const record = { at: core.environment.clock.now(), from: session.from, content: contentOf(message) }
  if (message.volatile === true) return publishVolatile(room, session, message, record)
  if (room.storing.length > 0 && room.backlog.full) return refuse(room, session, message, 'storage-failed')
  const request = message.id === undefined ? undefined : { session: session.id, id: message.id }
  const appended = log.append(record, request)
  const storing: Storing = { session, outbox: session.outbox, message, record }
  if (!isPromise(appended)) return deliver(core, room, storing, appended)
  room.storing.push(storing)
  room.backlog.force(message)
  room.turns.begin(session, 'publishing')
  const settle = (outcome: NonNullable<Storing['outcome']>): void => {
    storing.outcome = outcome
    room.actor?.send({ type: 'room.stored' })
  }
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
    const { session, outbox, message, outcome } = first
    room.storing.shift()
    room.backlog.remove(message)
    if ('appended' in outcome) {
      deliver(core, room, first, outcome.appended)
    } else {
      outbox?.push(Frame.of(errorMessage('storage-failed', message.id, room.name)))
      onFailure(outcome.error)
    }
    serve(room.turns.end(session, 'publishing'))
  }
}

/** Tells the members of a message that has its place, and its sender that it has. */
function deliver(core: Core, room: RoomRecord, storing: Storing, { offset, duplicate }: Appended): void {
  const { session, outbox, message, record } = storing
  if (!duplicate) {
    if (room.typing.size > 0 || room.aboutToType.size > 0) stopTyping(room, session)
    room.delivered = offset
    const { bytes } = message
    const payload =
      bytes === undefined ? room.encode(offset, record) : encodeBinary(room.encode(offset, record, ''), bytes)
    if (room.options.slow === 'disconnect') room.broadcast(new Frame(payload))
    else room.broadcastSparing(new Frame(payload), offset, keyOf(core, room, session, message))
    if (room.readings.size > 0) for (const reading of room.readings.values()) reading.hold({ ...record, offset })
  }
  if (message.id !== undefined) outbox?.push(new Frame(room.encodeAck(message.id, offset, duplicate)))
}

function publishVolatile(room: RoomRecord, session: Session, message: PublishMessage, record: LogRecord): void {
  const { bytes, id } = message
  room.broadcastVolatile(
    new Frame(bytes === undefined ? room.encodeVolatile(record) : encodeBinary(room.encodeVolatile(record, ''), bytes)),
  )
  if (id !== undefined) session.send({ type: 'ack', id, room: room.name })
}

/** Which messages this one stands for; undefined in a room that simply drops what is too much. */
function keyOf(
  core: Core,
  { options }: RoomRecord,
  session: Session,
  { data, key }: PublishMessage,
): string | undefined {
  if (options.slow !== 'latest') return undefined
  try {
    return options.key({ data, key, from: { user: session.user.id, session: session.id } })
  } catch (error) {
    core.telemetry({ type: 'callback.threw', callback: 'key', error })
    return core.environment.newId()
  }
}

function refuse(
  room: RoomRecord,
  session: Session,
  { id }: PublishMessage,
  code: 'not-a-member' | 'storage-failed',
): void {
  session.send(errorMessage(code, id, room.name))
}

/** The part of a logged message that its sender wrote. */
function contentOf({ data, meta, bytes }: PublishMessage): string {
  if (bytes !== undefined) return `,"bytes":"${Buffer.from(bytes).toString('base64')}"`
  const text = `,"data":${JSON.stringify(data)}`
  return meta === undefined ? text : `${text},"meta":${JSON.stringify(meta)}`
}
