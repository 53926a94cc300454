import type { AnyStateMachine } from 'xstate'
import { isProtocolType } from '../../protocol/index.ts'
import { checkSchema } from '../ports/schema.ts'

/** What the events of a chart begin with that are messages of the application's own. */
export const clientEventPrefix = 'client.'

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
  schemas: Readonly<Record<string, unknown>> = {},
): ReadonlySet<string> {
  for (const type of handlers.keys()) {
    if (isProtocolType(type)) throw new TypeError(`Messages of type '${type}' are the protocol's own.`)
  }
  const types = machine === undefined ? [] : typesOf(machine)
  const twice = types.find((type) => handlers.has(type))
  if (twice !== undefined) throw new TypeError(`Both the machine and a handler take '${twice}'.`)
  for (const [type, schema] of Object.entries(schemas)) {
    if (!types.includes(type))
      throw new TypeError(`messageSchemas has one for '${type}', which the machine does not take.`)
    checkSchema(`The schema of '${type}'`, schema)
  }
  return new Set([...types, ...handlers.keys()])
}

/** The types that a machine takes, by its events. */
function typesOf(machine: AnyStateMachine): string[] {
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
  const types = machine.events
    .filter((type) => type.startsWith(clientEventPrefix))
    .map((type) => type.slice(clientEventPrefix.length))
  const wildcard = types.find((type) => type.includes('*'))
  if (wildcard !== undefined) {
    throw new TypeError(`Name each message: 'client.${wildcard}' would let clients choose an event's type.`)
  }
  return types
}
