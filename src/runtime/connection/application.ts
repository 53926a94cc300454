import type { AnyActorScope, AnyMachineSnapshot, EventObject } from 'xstate'
import type { EndReason } from '../../../machines/index.ts'
import type { ApplicationMessage, ErrorCode, PublishMessage, RequestId } from '../../protocol/index.ts'
import { clientEventPrefix } from './application-types.ts'
import { fit, valueOf } from './conforming.ts'
import type { Core } from '../core.ts'
import type { ConnectionLink } from './connection-link.ts'
import type { LanedLogic } from '../actors/lanes.ts'
import { sizeOf } from './message-size.ts'

/** What closes a connection whose chart does nothing about it, and why. */
const insteadClosed = new Map<string, EndReason>([
  ['connection.handOver', 'server-closing'],
  ['outbox.overflowed', 'slow-consumer'],
])

/** A message of the application's own, as its schema has made it: its turn has come before. */
interface Fitted {
  readonly type: 'message.fitted'
  readonly name: string
  readonly id: RequestId | undefined
  readonly data: unknown
}

/** Requests that go to the chart rather than to a handler. */
const asksForChart = new Set(['socket.hello', 'identity.renew'])

/**
 * Lets an application's own messages reach its chart as events, in the same step in which the message is handled:
 * whether a message is legal is asked of the state that it would be answered in, not of an earlier one.
 */
export function withApplicationMessages(logic: LanedLogic, core: Core): LanedLogic {
  // A type is what a client says.
  const schemas = new Map(Object.entries(core.options.messageSchemas ?? {}))
  const whyNot = (snapshot: AnyMachineSnapshot, event: EventObject): ErrorCode | undefined =>
    refusalOf(snapshot, event, (error) => {
      core.telemetry({ type: 'callback.threw', callback: `guard of ${event.type}`, error })
    })
  const take = (snapshot: AnyMachineSnapshot, { name, id, data }: Fitted, scope: AnyActorScope): AnyMachineSnapshot => {
    const link = linkOf(snapshot)
    const event = { type: clientEventPrefix + name, id, data }
    // The chart may have gone elsewhere while the schema took its time.
    const refusal = snapshot.hasTag('open') ? whyNot(snapshot, event) : 'not-allowed'
    if (refusal !== undefined) {
      link.refuse(refusal, id)
      return snapshot
    }
    const next = logic.transition(snapshot, event, scope)
    if (id !== undefined) link.send({ type: 'ack', id })
    return next
  }
  const outer = Object.create(logic) as LanedLogic
  outer.transition = (snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope) => {
    const message = (event as { message?: { type?: string; id?: RequestId } }).message
    // By far the most: nothing here is about them.
    if (event.type === 'socket.message' && message?.type !== 'application') {
      return logic.transition(snapshot, event, scope)
    }
    if (event.type === 'message.fitted') return take(snapshot, event as Fitted, scope)
    if (asksForChart.has(event.type) && message !== undefined && whyNot(snapshot, event) !== undefined) {
      // A chart of one's own need not know of these; whoever asks is answered all the same.
      linkOf(snapshot).refuse('not-allowed', message.id)
      return snapshot
    }
    const reason = insteadClosed.get(event.type)
    if (reason !== undefined && whyNot(snapshot, event) !== undefined) {
      return logic.transition(snapshot, { type: 'connection.close', reason } as never, scope)
    }
    if (event.type !== 'socket.message' || !snapshot.hasTag('open')) return logic.transition(snapshot, event, scope)
    const { name, id } = message as ApplicationMessage
    if (core.handlers.has(name)) return logic.transition(snapshot, event, scope)
    const link = linkOf(snapshot)
    if (link.inbox?.busy === true) {
      link.inbox.hold(message as ApplicationMessage, sizeOf(message))
      return snapshot
    }
    const schema = schemas.get(name)
    const fitted = (data: unknown): Fitted => ({ type: 'message.fitted', name, id, data })
    if (schema === undefined) return take(snapshot, fitted((message as ApplicationMessage).data), scope)
    let next = snapshot
    const value = (): unknown => valueOf(message as PublishMessage)
    const demand = { callback: 'schema', of: name, schema, value, fitted }
    fit(core, link, demand, {
      id,
      answered: (event) => {
        next = take(snapshot, event, scope)
      },
      answeredLater: (event) => scope.self.send(event),
    })
    return next
  }
  return outer
}

function linkOf(snapshot: AnyMachineSnapshot): ConnectionLink {
  return (snapshot.context as { link: ConnectionLink }).link
}

/** Why a chart does not take an event now, if it does not. A guard that throws has not said yes. */
function refusalOf(
  snapshot: AnyMachineSnapshot,
  event: EventObject,
  threw: (error: unknown) => void,
): ErrorCode | undefined {
  try {
    return snapshot.can(event as never) ? undefined : 'not-allowed'
  } catch (error) {
    threw(error)
    return 'internal'
  }
}
