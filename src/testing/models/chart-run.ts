import {
  createActor,
  type AnyActor,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventObject,
} from 'xstate'
import type { ModelClock } from './model-clock.ts'

/** What an actor that a chart invokes ends with: its output, or what it throws. */
export type Outcome = { readonly output?: unknown } | { readonly error: unknown }

/** What the outside of a chart makes of what it does. */
export interface ChartWorld {
  /** An action that is not XState's own would run now. */
  performed(action: string): void
  /** An actor would be started now, by the name that the chart has for it. */
  invoked(actor: string, input: unknown): void
}

/** As much of XState's executable action as there is to look at. */
interface Action {
  readonly type: string
  readonly params: unknown
}

/** What a chart says to itself: XState does it, on the chart's own clock. */
const inward = new Set(['xstate.raise', 'xstate.cancel', 'xstate.stopChild'])

/**
 * A chart that runs by itself. It goes from state to state and waits for its delays as it would; none of its actions is
 * performed, those written in place neither, and the actors that it invokes do nothing until they are told how they end.
 */
export class ChartRun {
  readonly #machine: AnyStateMachine
  readonly #options: object
  readonly #world: ChartWorld
  #actor: AnyActor | undefined
  /** The ids of the actors that would be running, by the chart's name for them. */
  readonly #running = new Map<string, string>()

  constructor(machine: AnyStateMachine, input: unknown, clock: ModelClock, world: ChartWorld) {
    this.#machine = machine
    this.#options = { input, clock }
    this.#world = world
  }

  /** Enters the first states. */
  begin(): void {
    this.#actor = createActor(this.#alone(this.#machine), this.#options as never)
    // An error is a state like another, to be compared; without an observer it would end the process.
    this.#actor.subscribe({ error: () => {} })
    this.#actor.start()
  }

  get snapshot(): AnyMachineSnapshot {
    return this.#actor?.getSnapshot() as AnyMachineSnapshot
  }

  /** Has an event happen, unless it has ended. */
  send(event: EventObject): void {
    if (this.snapshot.status !== 'active') return
    this.#actor?.send(event)
  }

  stop(): void {
    this.#actor?.stop()
  }

  /** Whether an actor of that name would be running. */
  runs(actor: string): boolean {
    return this.#running.has(actor)
  }

  /** An actor that the chart has invoked ends. */
  end(actor: string, outcome: Outcome): void {
    const id = this.#running.get(actor)
    if (id === undefined) return
    this.#running.delete(actor)
    const result = 'error' in outcome ? { error: outcome.error } : { output: outcome.output }
    const ended = { type: `xstate.${'error' in outcome ? 'error' : 'done'}.actor.${id}`, actorId: id, ...result }
    this.send(ended)
  }

  #alone(machine: AnyStateMachine): AnyActorLogic {
    const logic = Object.create(machine) as AnyStateMachine
    const alone = (scope: AnyActorScope): AnyActorScope =>
      Object.assign(Object.create(scope) as AnyActorScope, {
        actionExecutor: (action: Action) => {
          if (this.#isInward(action, scope.self as AnyActorRef)) scope.actionExecutor(action as never)
        },
      })
    logic.getInitialSnapshot = (scope: AnyActorScope, input?: unknown) =>
      machine.getInitialSnapshot(alone(scope), input as never)
    logic.transition = (snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope) =>
      machine.transition(snapshot, event, alone(scope))
    // It would start the actors that the first states invoke.
    logic.start = () => {}
    return logic
  }

  /** Whether XState is to see to an action; otherwise the world is told of it. */
  #isInward({ type, params }: Action, self: AnyActorRef): boolean {
    if (type === 'xstate.sendTo') return (params as { to?: unknown }).to === self
    if (type === 'xstate.stopChild') this.#forget(params as AnyActorRef | undefined)
    if (inward.has(type)) return true
    if (type === 'xstate.spawnChild') this.#note(params as Invocation)
    else if (!type.startsWith('xstate.')) this.#world.performed(type)
    return false
  }

  #note({ actorRef, src, input }: Invocation): void {
    if (actorRef === undefined) return
    const name = typeof src === 'string' ? src : actorRef.id
    this.#running.set(name, actorRef.id)
    this.#world.invoked(name, input)
  }

  #forget(child: AnyActorRef | undefined): void {
    for (const [name, id] of this.#running) if (id === child?.id) this.#running.delete(name)
  }
}

interface Invocation {
  readonly actorRef: AnyActorRef | undefined
  readonly src: unknown
  readonly input: unknown
}
