import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'

/**
 * Draws a machine as a Mermaid `stateDiagram-v2`.
 *
 * What Mermaid's grammar asks for: an id has no dot, hyphen, colon or space; a text behind a colon has neither `:` nor
 * `;` nor `#`; a transition between two composites stands where both are visible, else it moves one of them into the
 * other; a transition from a composite to a state inside itself does not exist, so a state `any` stands for its source.
 */
export function toMermaid(machine: AnyStateMachine): string {
  const { root } = machine
  const edges = edgesByPlace(root)
  const lines = ['stateDiagram-v2', ...body(root, edges)]
  return lines.join('\n')
}

interface Edge {
  readonly from: string
  readonly to: string
  readonly trigger: string
  readonly deed: string
}

type Edges = ReadonlyMap<AnyStateNode, readonly Edge[]>

/** The id of a state in a diagram. Prefixed by the machine's, it is none of Mermaid's words. */
const idOf = (node: AnyStateNode): string => [node.machine.id, ...node.path].join('_').replaceAll(/\W/g, '_')

const anyIdOf = (node: AnyStateNode): string => `${idOf(node)}_any`

const childrenOf = (node: AnyStateNode): readonly AnyStateNode[] => Object.values(node.states)

const isComposite = (node: AnyStateNode): boolean => childrenOf(node).length > 0

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`)

/** Takes out what ends or breaks a text in Mermaid. */
const plain = (text: string): string => text.replaceAll(/[:;#<>{}"\n]+/g, ' ').trim()

/** What stands between the braces of a composite, or under the heading of the diagram. */
function body(node: AnyStateNode, edges: Edges): string[] {
  const lines: string[] = []
  const regions = childrenOf(node).map((child) => stateLines(child, edges))
  if (node.type === 'parallel') {
    for (const [index, region] of regions.entries()) lines.push(...(index === 0 ? [] : ['--']), ...region)
  } else {
    const initial = node.initial.target[0]
    if (initial !== undefined) lines.push(`[*] --> ${idOf(initial)}`)
    lines.push(...regions.flat())
  }
  const own = edges.get(node) ?? []
  if (own.some(({ from }) => from === anyIdOf(node))) lines.push(`state "any state" as ${anyIdOf(node)}`)
  for (const arrow of arrowsOf(own)) lines.push(arrow)
  for (const child of childrenOf(node)) if (child.type === 'final') lines.push(`${idOf(child)} --> [*]`)
  return indent(lines)
}

/** One arrow for all events that lead from one state to another by the same actions. */
function arrowsOf(edges: readonly Edge[]): string[] {
  const arrows = new Map<string, { readonly arrow: string; readonly triggers: string[]; readonly deed: string }>()
  for (const { from, to, trigger, deed } of edges) {
    const arrow = `${from} --> ${to}`
    const key = `${arrow} ${deed}`
    const known = arrows.get(key)
    if (known === undefined) arrows.set(key, { arrow, triggers: [trigger], deed })
    else known.triggers.push(trigger)
  }
  return [...arrows.values()].map(({ arrow, triggers, deed }) => `${arrow} : ${plain(`${triggers.join(', ')}${deed}`)}`)
}

function stateLines(node: AnyStateNode, edges: Edges): string[] {
  const id = idOf(node)
  const head = `state "${node.key}" as ${id}`
  const deeds = deedsOf(node)
  if (!isComposite(node)) return [head, ...deeds.map((deed) => `${id} : ${plain(deed)}`)]
  const note = deeds.length === 0 ? [] : [`note right of ${id}`, ...indent(deeds.map(plain)), 'end note']
  return [`${head} {`, ...body(node, edges), '}', ...note]
}

/** What a state does without being left: on entry, while it lasts, on exit, and on events that it answers in place. */
function deedsOf(node: AnyStateNode): string[] {
  return [
    ...node.invoke.map(({ src }) => `do / ${nameOf(src)}`),
    // The configuration, because XState adds the setting and clearing of `after` to what the node holds.
    ...onTheWay('entry', node.config.entry),
    ...onTheWay('exit', node.config.exit),
    ...transitionsOf(node)
      .filter((transition) => staysIn(node, transition))
      .map((transition) => {
        const deed = deedOf(transition) || (transition.target === undefined ? ' / nothing' : ' / begins anew')
        return `${triggerOf(transition)}${deed}`
      }),
  ]
}

/** An arrow from a state to itself would spoil Mermaid's layout of the composite around it. */
function staysIn(node: AnyStateNode, { target }: AnyTransitionDefinition): boolean {
  return target === undefined || (target.length === 1 && target[0] === node)
}

function onTheWay(way: string, actions: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(actions) ? actions : actions === undefined ? [] : [actions]
  return list.length === 0 ? [] : [`${way} / ${actionsLabel(list)}`]
}

function transitionsOf(node: AnyStateNode): AnyTransitionDefinition[] {
  return [...node.transitions.values(), node.always ?? []].flat()
}

/** Every transition that leads somewhere, by the innermost composite that holds both its ends. */
function edgesByPlace(root: AnyStateNode): Edges {
  const edges = new Map<AnyStateNode, Edge[]>()
  const visit = (node: AnyStateNode): void => {
    for (const transition of transitionsOf(node)) {
      if (staysIn(node, transition)) continue
      for (const target of transition.target ?? []) {
        const place = placeOf(node, target)
        const from = place === node ? anyIdOf(node) : idOf(node)
        edges.set(place, [
          ...(edges.get(place) ?? []),
          { from, to: idOf(target), trigger: triggerOf(transition), deed: deedOf(transition) },
        ])
      }
    }
    for (const child of childrenOf(node)) visit(child)
  }
  visit(root)
  return edges
}

function placeOf(source: AnyStateNode, target: AnyStateNode): AnyStateNode {
  const parent = target.parent ?? target
  const holdsSource = parent.path.every((key, index) => source.path[index] === key)
  return holdsSource ? parent : placeOf(source, parent)
}

/** `event [guard]`, as in UML; {@link deedOf} is what follows. */
function triggerOf(transition: AnyTransitionDefinition): string {
  const guard = transition.guard === undefined ? elseOf(transition) : ` [${nameOf(transition.guard)}]`
  return `${eventLabel(transition)}${guard}`
}

function deedOf({ actions }: AnyTransitionDefinition): string {
  return actions.length === 0 ? '' : ` / ${actionsLabel(actions)}`
}

/** A transition without a guard says so where one with a guard comes before it. */
function elseOf(transition: AnyTransitionDefinition): string {
  const candidates = transitionsOf(transition.source).filter(({ eventType }) => eventType === transition.eventType)
  return candidates[0] === transition || candidates[0]?.guard === undefined ? '' : ' [else]'
}

function eventLabel({ eventType, source }: AnyTransitionDefinition): string {
  const [, kind, id] = /^xstate\.(after|done\.actor|error\.actor|done\.state)\.(.*)$/.exec(eventType) ?? []
  if (kind === undefined || id === undefined) return eventType === '' ? 'at once' : eventType
  if (kind === 'after') return `after ${id.slice(0, -source.id.length - 1)}`
  if (kind === 'done.state') return 'when done'
  const invoked = source.invoke.find((it) => it.id === id)
  return `${nameOf(invoked?.src)} ${kind === 'done.actor' ? 'is done' : 'fails'}`
}

function actionsLabel(actions: readonly unknown[]): string {
  return actions.map((action) => nameOf(action)).join(', ')
}

/** The name by which a chart refers to an action, a guard or an actor; its fixed parameters are part of the name. */
function nameOf(reference: unknown): string {
  if (typeof reference === 'string') return reference
  const { type, params } = (reference ?? {}) as { type?: string; params?: unknown }
  const name = (type ?? 'unnamed').replace(/^xstate\./, '')
  return typeof params === 'object' && params !== null ? `${name}(${Object.values(params).join(', ')})` : name
}
