import {
  createActor,
  fromPromise,
  type AnyActor,
  type AnyActorLogic,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type AnyTransitionDefinition,
  type EventObject,
} from 'xstate'
import { VirtualClock } from '../../src/testing/index.ts'

/** Something that happens: an event with whatever it carries, a delay that passes, an actor that ends. */
export interface Step extends EventObject {
  readonly [field: string]: unknown
}

/** What the world is like stands in the step, so that a graph and an actor see the same world. */
type WorldGuard = (step: Step) => boolean

export interface ChartOptions {
  readonly input: unknown
  /** The chart's events, one for each way in which it can turn out; for a delay too, where its outcome is open. */
  readonly events: readonly Step[]
  /** What an invoked actor can end with, by its name in the chart. That it can fail goes without saying. */
  readonly outputs?: Readonly<Record<string, readonly unknown[]>>
  readonly guards?: Readonly<Record<string, WorldGuard>>
  /** Delays that are not the chart's own, in ms. */
  readonly delays?: Readonly<Record<string, number>>
  /** What of the context tells two states apart. */
  readonly memory?: (context: never) => unknown
}

/** One actor of a chart, and what became of it. */
export interface Play {
  readonly actor: AnyActor
  readonly clock: VirtualClock
  /** The names of the actions that ran, in order; actions that change the context are not among them. */
  readonly ran: string[]
  /** The types of what happened and the names of the actions that ran, in order. */
  readonly log: readonly string[]
  /** The same with all that each was called with. */
  readonly calls: { readonly name: string; readonly event: Step; readonly context: unknown; readonly params: unknown }[]
  /** What it invoked last, by its name in the chart: what that was started with, and whether it was cancelled. */
  readonly invoked: ReadonlyMap<string, Invoked>
  /** The states that were entered, also those that were left at once. */
  readonly entered: Set<string>
  readonly taken: Set<AnyTransitionDefinition>
  readonly snapshot: AnyMachineSnapshot
  perform(step: Step): Promise<void>
}

interface Invoked {
  readonly input: unknown
  readonly signal: AbortSignal
  resolve(value: unknown): void
  reject(error: unknown): void
}

/**
 * A chart alone: its actions only note that they ran, its guards ask the test, the actors it invokes end when the test
 * says so, and a delay passes when it says so, whatever other delays run beside it: nothing but the chart's own answers
 * decides what comes of an order. Time itself moves by the play's clock.
 */
export class Chart {
  readonly machine: AnyStateMachine
  readonly options: ChartOptions
  /** What is happening in the play that goes on; undefined while a graph is computed. */
  #step: Step | undefined
  #calls: Play['calls'] = []
  #log: string[] = []
  #invoked = new Map<string, Invoked>()

  constructor(machine: AnyStateMachine, options: ChartOptions) {
    const { actions, actors } = machine.implementations
    this.options = options
    this.machine = machine.provide({
      actions: mapValues(
        // What changes the context is the chart's own work.
        Object.entries(actions).filter(([, action]) => typeof action !== 'function' || !('resolve' in action)),
        (name) =>
          ({ context, event }: { context: unknown; event: Step }, params: unknown) => {
            this.#calls.push({ name, event, context, params })
            this.#log.push(name)
          },
      ),
      guards: mapValues(
        Object.entries(options.guards ?? {}),
        (_name, guard) =>
          ({ event }: { event: Step }) =>
            guard(this.#step ?? event),
      ),
      actors: mapValues(Object.entries(actors), (name) =>
        fromPromise(
          (start) => new Promise((resolve, reject) => void this.#invoked.set(name, { ...start, resolve, reject })),
        ),
      ),
      delays: { ...options.delays },
    })
  }

  get nodes(): AnyStateNode[] {
    return [this.machine.root, ...nodesUnder(this.machine.root)]
  }

  /** Everything that can happen: the chart's events, its delays, and the ends of the actors it invokes. */
  get steps(): Step[] {
    const { events, outputs = {} } = this.options
    const delays = this.nodes.flatMap((node) => node.after.map(({ eventType }) => ({ type: eventType })))
    const endings = this.nodes.flatMap((node) =>
      node.invoke.flatMap(({ id, src }): Step[] => [
        ...(outputs[String(src)] ?? [undefined]).map((output) => ({ type: `xstate.done.actor.${id}`, output })),
        { type: `xstate.error.actor.${id}`, error: 'failed' },
      ]),
    )
    const answered = (step: Step): boolean => this.nodes.some((node) => node.transitions.has(step.type))
    const spelledOut = new Set(events.map(({ type }) => type))
    return [...events, ...[...delays, ...endings].filter((step) => answered(step) && !spelledOut.has(step.type))]
  }

  /** A delay passes, and an actor ends, only in the state that has it; nothing happens to a chart that has ended. */
  canHappen({ _nodes, status }: AnyMachineSnapshot, { type }: Step): boolean {
    if (status !== 'active') return false
    return !type.startsWith('xstate.') || _nodes.some((node) => node.transitions.has(type))
  }

  /** What tells one state from another. */
  show({ value, context }: AnyMachineSnapshot): string {
    return JSON.stringify([value, this.options.memory?.(context as never) ?? null])
  }

  /** Leaves the guards to the event alone, as XState's graph functions need it. */
  forgetStep(): void {
    this.#step = undefined
  }

  /** Starts an actor of the chart, or of a logic made from it. */
  async play(dress: (machine: AnyStateMachine) => AnyActorLogic = (machine) => machine): Promise<Play> {
    const calls: Play['calls'] = []
    const log: string[] = []
    const invoked = new Map<string, Invoked>()
    const clock = new VirtualClock(0)
    const [entered, taken] = [new Set<string>(), new Set<AnyTransitionDefinition>()]
    const during = (step: Step): void => {
      this.#step = step
      this.#calls = calls
      this.#log = log
      this.#invoked = invoked
    }
    during({ type: 'xstate.init' })
    const actor = createActor(dress(this.machine), {
      input: this.options.input,
      clock: unbound(clock),
      inspect: (event) => {
        if (event.type !== '@xstate.microstep' && event.type !== '@xstate.snapshot') return
        for (const node of (event.snapshot as Partial<AnyMachineSnapshot>)._nodes ?? []) entered.add(pathOf(node))
        if (event.type !== '@xstate.microstep') return
        for (const transition of event._transitions) {
          taken.add(transition)
          // A state that is left within the step that enters it is in no snapshot.
          entered.add(pathOf(transition.source))
        }
      },
    }).start()
    await clock.settle()
    return {
      actor,
      clock,
      calls,
      log,
      invoked,
      entered,
      taken,
      get ran() {
        return calls.map(({ name }) => name)
      },
      get snapshot() {
        return actor.getSnapshot() as AnyMachineSnapshot
      },
      perform: async (step) => {
        during(step)
        log.push(step.type)
        const [, kind, id = ''] = /^xstate\.(after|done\.actor|error\.actor)\.(.*)$/.exec(step.type) ?? []
        if (kind === undefined) actor.send(step)
        else if (kind === 'after') pass(actor, clock, step)
        else this.#end(invoked, kind, id, step)
        await clock.settle()
      },
    }
  }

  #end(invoked: ReadonlyMap<string, Invoked>, kind: string, id: string, step: Step): void {
    const definition = this.nodes.flatMap((node) => node.invoke).find((it) => it.id === id)
    const actor = invoked.get(String(definition?.src))
    if (actor === undefined) throw new Error(`Nobody was invoked as ${id}.`)
    if (kind === 'done.actor') actor.resolve(step['output'])
    else actor.reject(step['error'])
  }
}

/** The states below a state, depth first. */
export function nodesUnder(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states).flatMap((child) => [child, ...nodesUnder(child)])
}

/** `open.flow.congested`; nothing for the root. */
export const pathOf = (node: AnyStateNode): string => node.path.join('.')

function mapValues<From, To>(entries: readonly [string, From][], to: (key: string, value: From) => To) {
  return Object.fromEntries(entries.map(([key, value]) => [key, to(key, value)])) as Record<string, To>
}

/** Lets a delay that runs pass now. */
function pass(actor: AnyActor, clock: VirtualClock, step: Step): void {
  const running = clock.pending
  actor.system.scheduler.cancel(actor, step.type)
  if (clock.pending === running) throw new Error(`No delay runs as ${step.type}.`)
  actor.send(step)
}

/** XState calls a clock's functions without the clock. */
function unbound(clock: VirtualClock) {
  return {
    setTimeout: (callback: () => void, ms: number) => clock.setTimeout(callback, ms),
    clearTimeout: (timer: unknown) => clock.clearTimeout(timer),
  }
}
