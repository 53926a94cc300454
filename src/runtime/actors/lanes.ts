import type { ActorLogic, AnyActorRef, AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate'
import { stopChild } from './actor-system.ts'
import type { Steps } from './steps.ts'

/** An action's implementation, as `provide` takes it. */
type ActionFunction = (args: { context: object; event: EventObject; self: AnyActorRef; system: unknown }) => void

/** What the decorator is told. */
export interface LaneOptions {
  /** The event types that may be taken past the interpreter. */
  readonly hot: readonly string[]
  /** Told of each step's beginning and end. */
  readonly steps: Steps
  /** Whether somebody watches: then every event goes through the interpreter, so that every step is shown. */
  readonly watched: () => boolean
  /** Called when the machine throws, with the event that made it throw; the actor ends as XState ends it. */
  readonly onCrash?: (snapshot: AnyMachineSnapshot, event: EventObject, error: unknown) => void
}

/** The logic that {@link withLanes} returns. */
export type LanedLogic = ActorLogic<AnyMachineSnapshot, EventObject, unknown>

/**
 * Gives a machine its fast lane, and takes its children with it when it crashes.
 *
 * The lane is derived from the chart, never written beside it: where the chart, in its present state, answers a hot
 * event by exactly one unguarded, targetless transition with exactly one plain action, the lane calls that action
 * itself. In every other case, and whenever somebody watches, the interpreter decides. The two cannot differ but by a
 * mistake in this file, and a property test looks for that.
 */
export function withLanes(machine: AnyStateMachine, options: LaneOptions): LanedLogic {
  const { steps, watched } = options
  const hot = new Set(options.hot)
  // By the set of active states: a chart has few, however many actors run it.
  const lanes = new WeakMap<object, Map<string, ActionFunction | undefined>>()

  const laneFor = (snapshot: AnyMachineSnapshot, event: EventObject): ActionFunction | undefined => {
    const configuration = snapshot._nodes
    let known = lanes.get(configuration)
    if (known === undefined) lanes.set(configuration, (known = new Map()))
    if (known.has(event.type)) return known.get(event.type)
    const lane = findLane(machine, snapshot, event)
    known.set(event.type, lane)
    return lane
  }

  const isHot = (snapshot: AnyMachineSnapshot, event: EventObject): boolean =>
    hot.has(event.type) && snapshot.status === 'active' && !watched()

  const share = configurationSharing()

  const logic = Object.create(machine) as LanedLogic & AnyStateMachine
  logic.getInitialSnapshot = (scope: AnyActorScope, input?: unknown) => share(machine.getInitialSnapshot(scope, input))
  logic.transition = (snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope): AnyMachineSnapshot => {
    steps.enter()
    try {
      const lane = isHot(snapshot, event) ? laneFor(snapshot, event) : undefined
      if (lane !== undefined) {
        lane({ context: snapshot.context as object, event, self: scope.self as AnyActorRef, system: scope.system })
        return snapshot
      }
      const next = machine.transition(snapshot, event, scope) as AnyMachineSnapshot
      return next === snapshot ? next : share(next)
    } catch (error) {
      for (const child of Object.values(snapshot.children)) if (child !== undefined) stopChild(child as AnyActorRef)
      options.onCrash?.(snapshot, event, error)
      throw error
    } finally {
      steps.leave()
    }
  }

  return logic
}

function findLane(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: EventObject,
): ActionFunction | undefined {
  if (snapshot._nodes.some((node) => node.always !== undefined)) return undefined
  // A guard anywhere on the way could make the answer depend on more than the state.
  const answers = (descriptor: string): boolean => descriptor === event.type || descriptor.endsWith('*')
  const onTheWay = snapshot._nodes.flatMap((node) =>
    [...node.transitions].filter(([descriptor]) => answers(descriptor)).flatMap(([, transitions]) => transitions),
  )
  if (onTheWay.some(({ guard }) => guard !== undefined)) return undefined
  const transitions = machine.getTransitionData(snapshot, event)
  const [transition] = transitions
  if (transition === undefined || transitions.length > 1) return undefined
  if (transition.target !== undefined || transition.reenter || transition.actions.length !== 1) return undefined
  const [action] = transition.actions as readonly unknown[]
  const name = typeof action === 'string' ? action : nameWithoutParams(action)
  const implementation: unknown = name === undefined ? action : machine.implementations.actions[name]
  // Built-in actions (assign, raise, …) are functions with a `resolve`: theirs is the interpreter's work.
  if (typeof implementation !== 'function' || 'resolve' in implementation) return undefined
  return implementation as ActionFunction
}

function nameWithoutParams(action: unknown): string | undefined {
  if (typeof action !== 'object' || action === null || 'params' in action) return undefined
  return (action as { type?: string }).type
}

/**
 * Snapshots of the same machine in the same states hold equal lists of nodes, tags and state value. Sharing one copy
 * of each saves some 600 bytes for every actor that rests in a state, and gives {@link withLanes} its key.
 */
function configurationSharing(): (snapshot: AnyMachineSnapshot) => AnyMachineSnapshot {
  const shared = new Map<string, Pick<AnyMachineSnapshot, '_nodes' | 'tags' | 'value'>>()
  return (snapshot) => {
    let key = ''
    for (const node of snapshot._nodes) key += `${node.order},`
    const known = shared.get(key)
    if (known === undefined) {
      shared.set(key, { _nodes: snapshot._nodes, tags: snapshot.tags, value: snapshot.value })
      return snapshot
    }
    snapshot._nodes = known._nodes
    snapshot.tags = known.tags
    snapshot.value = known.value
    return snapshot
  }
}
