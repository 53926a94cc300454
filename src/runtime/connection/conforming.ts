import {
  decodeData,
  encodeData,
  RequestError,
  type ErrorCode,
  type Json,
  type PublishMessage,
  type RequestId,
} from '../../protocol/index.ts'
import type { Core } from '../core.ts'
import { isPromise } from '../ports/eventually.ts'
import { Frame } from '../ports/frame.ts'
import { validate, type Schema } from '../ports/schema.ts'
import type { Session } from '../session/session.ts'
import type { ConnectionLink } from './connection-link.ts'
import { failureOf } from './failure.ts'
import type { Call } from './inbox.ts'
import type { Inbound } from './inbound.ts'

/** What of a message is to fit a schema, and the message with what the schema has made of it. */
interface Demand {
  readonly schema: Schema
  /** @throws when its annotations do not fit it */
  value(): unknown
  fitted(output: unknown): Inbound
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
  inTime(core, link, id, demand, {
    fits: proceed,
    refuse: (code) => link.refuse(code, id, room),
    failed: (error) => link.outbox.push(new Frame(JSON.stringify({ ...failureOf(core, error), id, room }))),
  })
}

/** Whoever has a value checked, or its refusal. */
export interface Outcome<Fitted> {
  fits(fitted: Fitted): void
  refuse(code: ErrorCode): void
  /** It does not fit, or the application has something of its own to say about it. */
  failed(error: RequestError): void
}

/** Has a value checked: at once, or as a call that what comes after it waits for. */
export function inTime<Fitted>(
  core: Core,
  link: ConnectionLink,
  id: RequestId | undefined,
  { schema, value, fitted }: { schema: Schema; value(): unknown; fitted(output: unknown): Fitted },
  outcome: Outcome<Fitted>,
): void {
  const broken = (error: unknown): void => {
    if (error instanceof RequestError) return outcome.failed(error)
    core.telemetry({ type: 'callback.threw', callback: 'schema', error })
    outcome.refuse('internal')
  }
  const done = (output: unknown): void => {
    let fit: Fitted
    try {
      fit = fitted(output)
    } catch (error) {
      return broken(error)
    }
    outcome.fits(fit)
  }
  let rebuilt: unknown
  try {
    rebuilt = value()
  } catch {
    return outcome.refuse('bad-meta')
  }
  let output: unknown
  try {
    output = validate(schema, rebuilt)
  } catch (error) {
    return broken(error)
  }
  if (!isPromise(output)) return done(output)
  // It is nobody's before the call has begun.
  output.catch(() => {})
  const call: Call = {
    id,
    ordered: true,
    timeoutMs: core.settings.handlerTimeoutMs,
    run: () => output,
    done,
    failed: broken,
    broken,
    expired: () => outcome.refuse('timeout'),
  }
  core.inboxOf(link).begin(call)
}

/** What a message must fit. Whoever is not in the room is refused for that, and learns nothing of its schema. */
function demandOf(core: Core, session: Session, message: Inbound): Demand | undefined {
  if (message.type !== 'message' && message.type !== 'presence' && message.type !== 'join') return undefined
  const { messageSchema, presenceSchema } = core.roomOptions(message.room)
  if (message.type === 'join') {
    const { presence } = message
    if (presenceSchema === undefined || presence === undefined) return undefined
    const fitted = (output: unknown): Inbound => ({ ...message, presence: plain(output) })
    return { schema: presenceSchema, value: () => presence, fitted }
  }
  if (!session.rooms.has(message.room)) return undefined
  if (message.type === 'presence') {
    if (presenceSchema === undefined) return undefined
    const fitted = (output: unknown): Inbound => ({ ...message, state: plain(output) })
    return { schema: presenceSchema, value: () => message.state, fitted }
  }
  if (messageSchema === undefined) return undefined
  return { schema: messageSchema, value: () => valueOf(message), fitted: (output) => refilled(message, output) }
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
