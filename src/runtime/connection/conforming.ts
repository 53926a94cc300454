import { decodeData, encodeData, type Json, type PublishMessage, type RequestId } from '../../protocol/index.ts'
import type { Core } from '../core.ts'
import { isThenable } from '../ports/eventually.ts'
import { Frame } from '../ports/frame.ts'
import { validate, type Schema } from '../ports/schema.ts'
import type { Session } from '../session/session.ts'
import type { ConnectionLink } from './connection-link.ts'
import { decide, type Decision } from './deciding.ts'
import { failureOf } from './failure.ts'
import type { Inbound } from './inbound.ts'

/** What of a message is to fit a schema, and what comes of the message with what the schema has made of it. */
export interface Demand<Fitted> {
  /** The option that the schema is, and the room or type of message that it is for. */
  readonly callback: string
  readonly of: string
  readonly schema: Schema
  /** @throws when its annotations do not fit it */
  value(): unknown
  fitted(output: unknown): Fitted
}

/** Who asked for something whose data is checked, and what is done with it. */
export interface Asking<Fitted> extends Pick<Decision<Fitted>, 'id' | 'answered' | 'answeredLater'> {
  readonly room?: string
}

/**
 * Sees to it that what a message says fits its room's schema, and goes on with what the schema has made of it, or
 * answers what is wrong. What the session sends meanwhile waits behind it.
 */
export function conform(
  core: Core,
  link: ConnectionLink,
  session: Session,
  message: Inbound,
  proceed: (message: Inbound) => void,
): void {
  const demand = demandOf(core, session, message)
  if (demand === undefined) return proceed(message)
  const { id, room } = message as { readonly id?: RequestId; readonly room: string }
  fit(core, link, demand, { id, room, answered: proceed })
}

/** Has a value checked, or answers what is wrong with it. */
export function fit<Fitted>(
  core: Core,
  link: ConnectionLink,
  { callback, of, schema, value, fitted }: Demand<Fitted>,
  { id, room, ...then }: Asking<Fitted>,
): void {
  let rebuilt: unknown
  try {
    rebuilt = value()
  } catch {
    return link.refuse('bad-meta', id, room)
  }
  decide<Fitted>(core, link, {
    ...then,
    callback,
    of,
    id,
    ordered: true,
    timeoutMs: core.settings.handlerTimeoutMs,
    ask: () => {
      const output = validate(schema, rebuilt)
      return isThenable(output) ? output.then(fitted) : fitted(output)
    },
    undecided: (code) => link.refuse(code, id, room),
    refused: (error) => link.outbox.push(new Frame(JSON.stringify({ ...failureOf(core, error), id, room }))),
  })
}

/** What a message must fit. Whoever is not in the room is refused for that, and learns nothing of its schema. */
function demandOf(core: Core, session: Session, message: Inbound): Demand<Inbound> | undefined {
  if (message.type !== 'message' && message.type !== 'presence' && message.type !== 'join') return undefined
  const { messageSchema, presenceSchema } = core.roomOptions(message.room)
  const of = message.room
  if (message.type === 'join') {
    const { presence } = message
    if (presenceSchema === undefined || presence === undefined) return undefined
    const fitted = (output: unknown): Inbound => ({ ...message, presence: plain(output) })
    return { callback: 'presenceSchema', of, schema: presenceSchema, value: () => presence, fitted }
  }
  if (!session.rooms.has(message.room)) return undefined
  if (message.type === 'presence') {
    if (presenceSchema === undefined) return undefined
    const fitted = (output: unknown): Inbound => ({ ...message, state: plain(output) })
    return { callback: 'presenceSchema', of, schema: presenceSchema, value: () => message.state, fitted }
  }
  if (messageSchema === undefined) return undefined
  const fitted = (output: unknown): Inbound => refilled(message, output)
  return { callback: 'messageSchema', of, schema: messageSchema, value: () => valueOf(message), fitted }
}

/** @throws when the annotations do not fit the data */
export function valueOf(message: Pick<PublishMessage, 'data' | 'meta' | 'bytes'>): unknown {
  return message.bytes ?? decodeData(message)
}

/** A message that says what a schema has made of it, and nothing of what it said before. */
function refilled(
  { data: _, meta: __, bytes: ___, dataText: ____, ...rest }: PublishMessage,
  output: unknown,
): Inbound {
  return output instanceof Uint8Array ? { ...rest, data: null, bytes: output } : { ...rest, ...encodeData(output) }
}

/** @throws TypeError for what plain JSON cannot say: a presence state has no annotations */
function plain(output: unknown): Json {
  const { data, meta } = encodeData(output)
  if (meta !== undefined) throw new TypeError('A presence state must be plain JSON.')
  return data
}
