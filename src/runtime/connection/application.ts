import type { AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate'
import type { EndReason } from '../../../machines/index.ts'
import { isProtocolType, type ApplicationMessage, type ErrorCode, type RequestId } from '../../protocol/index.ts'
import type { ConnectionLink } from './connection-link.ts'
import type { LanedLogic } from '../actors/lanes.ts'
import { sizeOf } from './message-size.ts'
import type { Telemetry } from '../telemetry.ts'

const prefix = 'client.'

/** What closes a connection whose chart does nothing about it, and why. */
const insteadClosed = new Map<string, EndReason>([
  ['connection.handOver', 'server-closing'],
  ['outbox.overflowed', 'slow-consumer'],
])

/** Requests that go to the chart rather than to a handler. */
const asksForChart = new Set(['socket.hello', 'identity.renew'])

/**
 * The message types that an application takes beside the protocol's: `ready` where its chart names `client.ready`, and
 * those that it has handlers for.
 *
 * @throws TypeError when the machine has no state tagged `open`: nobody could ever take part; or takes `client.*`; or
 * when a type is taken twice, or is the protocol's
 */
export function applicationTypes(
  machine: AnyStateMachine | undefined,
  handlers: ReadonlyMap<string, unknown>,
): ReadonlySet<string> {
  for (const type of handlers.keys()) {
    if (isProtocolType(type)) throw new TypeError(`Messages of type '${type}' are the protocol's own.`)
  }
  if (machine === undefined) return new Set(handlers.keys())
  if (!('root' in machine)) throw new TypeError("'connection' is to be a machine made with connectionSetup.")
  const nodes: AnyStateMachine['root'][] = [machine.root]
  let open = false
  for (const node of nodes) {
    open ||= node.tags.includes('open')
    nodes.push(...Object.values(node.states as Record<string, AnyStateMachine['root']>))
  }
  if (!open)
    throw new TypeError(
      `The connection machine '${machine.id}' has no state tagged 'open', in which it would take part.`,
    )
  const types = machine.events.filter((type) => type.startsWith(prefix)).map((type) => type.slice(prefix.length))
  const wildcard = types.find((type) => type.includes('*'))
  if (wildcard !== undefined) {
    throw new TypeError(`Name each message: 'client.${wildcard}' would let clients choose an event's type.`)
  }
  const twice = types.find((type) => handlers.has(type))
  if (twice !== undefined) throw new TypeError(`Both the machine and a handler take '${twice}'.`)
  return new Set([...types, ...handlers.keys()])
}

/**
 * Lets an application's own messages reach its chart as events, in the same step in which the message is handled:
 * whether a message is legal is asked of the state that it would be answered in, not of an earlier one.
 */
export function withApplicationMessages(
  logic: LanedLogic,
  handlers: ReadonlyMap<string, unknown>,
  telemetry: Telemetry,
): LanedLogic {
  const whyNot = (snapshot: AnyMachineSnapshot, event: EventObject): ErrorCode | undefined =>
    refusalOf(snapshot, event, (error) => {
      telemetry({ type: 'callback.threw', callback: `guard of ${event.type}`, error })
    })
  const outer = Object.create(logic) as LanedLogic
  outer.transition = (snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope) => {
    const message = (event as { message?: { type?: string; id?: RequestId } }).message
    // By far the most: nothing here is about them.
    if (event.type === 'socket.message' && message?.type !== 'application') {
      return logic.transition(snapshot, event, scope)
    }
    if (asksForChart.has(event.type) && message !== undefined && whyNot(snapshot, event) !== undefined) {
      // A chart of one's own need not know of these; whoever asks is answered all the same.
      linkOf(snapshot).refuse('not-allowed', message.id)
      return snapshot
    }
    const reason = insteadClosed.get(event.type)
    if (reason !== undefined && whyNot(snapshot, event) !== undefined) {
      return logic.transition(snapshot, { type: 'connection.close', reason } as never, scope)
    }
    if (message?.type !== 'application' || event.type !== 'socket.message' || !snapshot.hasTag('open')) {
      return logic.transition(snapshot, event, scope)
    }
    const { name, id, data } = message as ApplicationMessage
    if (handlers.has(name)) return logic.transition(snapshot, event, scope)
    const link = linkOf(snapshot)
    if (link.inbox?.busy === true) {
      link.inbox.hold(message as ApplicationMessage, sizeOf(message))
      return snapshot
    }
    const translated = { type: prefix + name, id, data }
    const refusal = whyNot(snapshot, translated)
    if (refusal !== undefined) {
      link.refuse(refusal, id)
      return snapshot
    }
    const next = logic.transition(snapshot, translated, scope)
    if (id !== undefined) link.send({ type: 'ack', id })
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
