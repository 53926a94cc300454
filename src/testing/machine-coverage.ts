import type { AnyMachineSnapshot, AnyStateMachine, AnyTransitionDefinition, InspectionEvent } from 'xstate'

/** What of one machine was reached. */
export interface Coverage {
  readonly machine: string
  readonly states: readonly [reached: number, all: number]
  readonly transitions: readonly [reached: number, all: number]
  /**
   * What was not: states by their ids; transitions by source, event, guard and target, and by number among those for which
   * these are the same.
   */
  readonly missing: readonly string[]
}

/**
 * Which states and transitions of machines something has led through: a test, or a simulation.
 *
 * @example
 * ```ts
 * const coverage = new MachineCoverage([lobbyConnection])
 * const { runtime } = createTestRuntime({ connection: lobbyConnection, inspect: coverage.inspect })
 * // … and when the test is over
 * console.log(coverage.report())
 * ```
 */
export class MachineCoverage {
  readonly #all = new Map<string, { readonly states: Set<string>; readonly transitions: Set<string> }>()
  readonly #reached: Set<string>

  /** @param reached - what others have reached of the same machines, such as {@link MachineCoverage.reached} of another process */
  constructor(machines: readonly AnyStateMachine[], reached: Iterable<string> = []) {
    this.#reached = new Set(reached)
    for (const { id, root } of machines) {
      const [states, transitions] = [new Set<string>(), new Set<string>()]
      for (const node of nodesUnder(root)) {
        states.add(node.id)
        for (const each of [...node.transitions.values(), node.always ?? []].flat()) transitions.add(nameOf(each))
      }
      this.#all.set(id, { states, transitions })
    }
  }

  /** An observer for `inspect`, of a runtime, a client, or any actor. */
  readonly inspect = (event: InspectionEvent): void => {
    const { snapshot } = event as { snapshot?: AnyMachineSnapshot }
    for (const { id } of snapshot?._nodes ?? []) this.#reached.add(id)
    if (event.type !== '@xstate.microstep') return
    for (const transition of event._transitions) {
      this.#reached.add(nameOf(transition))
      // A state that is left at once is never rested in.
      this.#reached.add(transition.source.id)
    }
  }

  /** The names of all that was reached. */
  get reached(): ReadonlySet<string> {
    return this.#reached
  }

  /** What was reached so far, machine by machine. */
  report(): readonly Coverage[] {
    return [...this.#all].map(([machine, { states, transitions }]) => {
      const missing = [...states, ...transitions].filter((each) => !this.#reached.has(each))
      const reached = (all: ReadonlySet<string>): [number, number] => [
        all.size - missing.filter((each) => all.has(each)).length,
        all.size,
      ]
      return { machine, states: reached(states), transitions: reached(transitions), missing }
    })
  }
}

type StateNode = AnyStateMachine['root']

function nodesUnder(root: StateNode): StateNode[] {
  return [root, ...Object.values(root.states as Record<string, StateNode>).flatMap(nodesUnder)]
}

/** One for each transition, and the same one whatever the machine is provided with. */
function nameOf(transition: AnyTransitionDefinition): string {
  const { source, eventType } = transition
  const name = describe(transition)
  const siblings = (eventType === '' ? source.always : source.transitions.get(eventType)) ?? []
  const namesakes = siblings.filter((each) => describe(each) === name)
  const number = namesakes.indexOf(transition) + 1
  return number > 1 ? `${name} (${number})` : name
}

function describe({ source, eventType, guard, target, actions }: AnyTransitionDefinition): string {
  const targets = target?.map(({ id }) => id).join() ?? 'itself'
  const name = typeof guard === 'string' ? ` when ${guard}` : ''
  const does = target === undefined ? ` / ${actions.map((each) => typeOf(each)).join()}` : ''
  return `${source.id}: ${eventType || 'always'}${name} → ${targets}${does}`
}

function typeOf(action: unknown): string {
  return typeof action === 'object' && action !== null && 'type' in action ? String(action.type) : String(action)
}
