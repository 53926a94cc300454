import {
  decodeData,
  encodeData,
  errorMessage,
  RequestError,
  type ApplicationMessage,
  type RequestId,
} from '../../protocol/index.ts'
import { ConnectionHandle } from './connection-handle.ts'
import type { ConnectionLink } from './connection-link.ts'
import type { Core } from '../core.ts'
import { failureOf } from './failure.ts'
import { Frame } from '../ports/frame.ts'
import type { HandlerOptions } from './handlers.ts'
import type { Call } from './inbox.ts'
import { validate } from '../ports/schema.ts'
import { Replies } from '../session/replies.ts'
import type { Session } from '../session/session.ts'

/** Has a client's request answered by the application's handler. */
export function answerRequest(core: Core, link: ConnectionLink, session: Session, message: ApplicationMessage): void {
  const { id, name } = message
  const handler = core.handlers.get(name)
  if (handler === undefined) return link.refuse('not-allowed', id)
  if (handler.guests === false && session.guest) return link.refuse('not-authenticated', id)
  const known = id === undefined ? undefined : session.replies?.get(id)
  if (known !== undefined) return link.outbox.push(known)
  const present = id === undefined ? undefined : link.inbox?.find(id)
  if (present?.repeated !== undefined) return present.repeated()
  let data: unknown
  try {
    data = decodeData(message)
  } catch {
    return link.refuse('bad-meta', id)
  }
  core.inboxOf(link).begin(callOf(core, link, session, handler, { id, data, name }))
}

function callOf(
  core: Core,
  link: ConnectionLink,
  session: Session,
  { handle, schema, concurrent = false, timeoutMs = core.settings.handlerTimeoutMs }: HandlerOptions,
  { id, data, name }: { readonly id: RequestId | undefined; readonly data: unknown; readonly name: string },
): Call {
  /** How often it was asked. */
  let times = 1
  const push = (frame: Frame): void => {
    for (; times > 0; times--) link.outbox.push(frame)
  }
  const answer = (message: object): void => {
    if (id === undefined) return
    const frame = new Frame(JSON.stringify({ ...message, id }))
    session.replies ??= new Replies(core.settings, core.budget)
    session.replies.keep(id, frame)
    push(frame)
  }
  // Not remembered: whoever asks again may fare better.
  const refuse = (code: 'internal' | 'timeout'): void => {
    if (id === undefined) return
    core.refusals.note({ type: 'request.refused', reason: code })
    push(Frame.of(errorMessage(code, id)))
  }
  const broken = (error: unknown): void => {
    core.telemetry({ type: 'callback.threw', callback: name, error })
    refuse('internal')
  }
  return {
    id,
    ordered: !concurrent,
    timeoutMs,
    run: async (signal) => {
      const fitted = schema === undefined ? data : await validate(schema, data)
      return handle(fitted, { connection: new ConnectionHandle(core, link, session), id, signal })
    },
    done: (result) => {
      if (result === undefined) return answer({ type: 'ack' })
      let content: object
      try {
        content = encodeData(result)
      } catch (error) {
        return broken(error)
      }
      answer({ type: 'reply', ...content })
    },
    failed: (error) => {
      if (!(error instanceof RequestError)) return broken(error)
      answer(failureOf(core, error))
    },
    broken,
    expired: () => refuse('timeout'),
    repeated: () => {
      times++
    },
  }
}
