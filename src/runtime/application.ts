import type { AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate'
import type { ApplicationMessage, ErrorCode, RequestId } from '../protocol/index.ts'
import type { ConnectionLink } from './connection-link.ts'
import type { LanedLogic } from './lanes.ts'

const prefix = 'client.'

/** Requests that go to the chart rather than to a handler. */
const asksForChart = new Set(['socket.hello', 'identity.renew'])

/**
 * The message types that an application's chart takes beside the protocol's: `ready` where it names `client.ready`.
 *
 * @throws TypeError when the machine has no state tagged `open`: nobody could ever take part; or takes `client.*`
 */
export function applicationTypes(machine: AnyStateMachine | undefined): ReadonlySet<string> | undefined {
  if (machine === undefined) return undefined
  const nodes: AnyStateMachine['root'][] = [machine.root]
  let open = false
  for (const node of nodes) {
    open ||= node.tags.includes('open')
    nodes.push(...Object.values(node.states as Record<string, AnyStateMachine['root']>))
  }
  if (!open) throw new TypeError(`The connection machine '${machine.id}' has no state tagged 'open'.`)
  const types = machine.events.filter((type) => type.startsWith(prefix)).map((type) => type.slice(prefix.length))
  const wildcard = types.find((type) => type.includes('*'))
  if (wildcard !== undefined) {
    throw new TypeError(`Name each message: 'client.${wildcard}' would let clients choose an event's type.`)
  }
  return new Set(types)
}

/**
 * Lets an application's own messages reach its chart as events, in the same step in which the message is handled:
 * whether a message is legal is asked of the state that it would be answered in, not of an earlier one.
 */
export function withApplicationMessages(logic: LanedLogic): LanedLogic {
  const outer = Object.create(logic) as LanedLogic
  outer.transition = (snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope) => {
    const message = (event as { message?: { type?: string; id?: RequestId } }).message
    if (asksForChart.has(event.type) && message !== undefined && whyNot(snapshot, event) !== undefined) {
      // A chart of one's own need not know of these; whoever asks is answered all the same.
      linkOf(snapshot).refuse('not-allowed', message.id)
      return snapshot
    }
    if (message?.type !== 'application' || event.type !== 'socket.message' || !snapshot.hasTag('open')) {
      return logic.transition(snapshot, event, scope)
    }
    const { name, id, data } = message as ApplicationMessage
    const link = linkOf(snapshot)
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
function whyNot(snapshot: AnyMachineSnapshot, event: EventObject): ErrorCode | undefined {
  try {
    return snapshot.can(event as never) ? undefined : 'not-allowed'
  } catch {
    return 'internal'
  }
}
