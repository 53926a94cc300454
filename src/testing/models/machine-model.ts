import type { AnyMachineSnapshot, AnyStateMachine, ContextFrom, EventObject, InputFrom } from 'xstate'
import { ChartRun, type Outcome } from './chart-run.ts'

import { ModelClock } from './model-clock.ts'
import { isEqual, show } from './plain-value.ts'

/** An event with all that it carries. */
export interface ModelEvent extends EventObject {
  readonly [field: string]: unknown
}

/** What is seen of a system, in the words of its chart. */
export interface SeenSnapshot {
  /** The state value, as XState has it: `'idle'`, `{ open: 'lobby' }`. */
  readonly value: unknown
  /** `active`, `done`, `error` or `stopped`. @default 'active' */
  readonly status?: string
  /** Looked at only where `compare` is given. */
  readonly context?: unknown
}

/** Drives the real system that is held against a chart. */
export interface ModelDriver {
  /** Has an event happen to the system. What it resolves with is the system's answer, where there is one. */
  send(event: ModelEvent): unknown
  /** Moves the system's time on by so many ms. */
  advance(ms: number): unknown
  /** What state the system is in now. */
  snapshot(): SeenSnapshot
  /** Whether an event can be had happen just now; others are passed over. @default every event can */
  canSend?(event: ModelEvent): boolean
  /** Lets an actor end that the chart invokes; needed for the `actors` of `modelCommands` only. */
  end?(actor: string, outcome: Outcome): unknown
}

/** How a chart is held against a system. */
export interface MachineModelOptions<Machine extends AnyStateMachine = AnyStateMachine> {
  /** What the machine is started with. */
  readonly input?: InputFrom<Machine>
  /** What of the context has to agree, too. @default nothing */
  readonly compare?: (context: ContextFrom<Machine>) => unknown
  /**
   * What actors that the chart invokes end with at once, by its names for them. The others go on until a command ends
   * them. What is returned as undefined goes on as well.
   */
  readonly actors?: Readonly<Record<string, (input: never) => Outcome | undefined>>
}

/** A chart that runs alone, and to which everything happens that happens to the system. */
export class MachineModel {
  protected readonly clock: ModelClock
  protected readonly run: ChartRun
  readonly #driver: ModelDriver
  readonly #compare: ((context: never) => unknown) | undefined
  readonly #actors: Readonly<Record<string, (input: never) => Outcome | undefined>>

  /** @internal */
  constructor(
    machine: AnyStateMachine,
    driver: ModelDriver,
    { input, compare, actors = {} }: MachineModelOptions<never>,
    startMs = 0,
  ) {
    this.#driver = driver
    this.#compare = compare
    this.#actors = actors
    this.clock = new ModelClock(startMs)
    this.run = new ChartRun(machine, input, this.clock, {
      performed: (action) => this.performed(action),
      invoked: (actor, argument) => this.invoked(actor, argument),
    })
  }

  /** @internal Apart from the making of it, so that whoever extends it is whole by then. */
  begin(): void {
    this.run.begin()
    this.clock.advance(0)
  }

  /** The chart would perform an action now. */
  protected performed(_action: string): void {}

  /** The chart would start an actor now. */
  protected invoked(actor: string, input: unknown): void {
    const outcome = Object.hasOwn(this.#actors, actor) ? this.#actors[actor]?.(input as never) : undefined
    if (outcome !== undefined) this.clock.setTimeout(() => this.run.end(actor, outcome), 0)
  }

  get snapshot(): AnyMachineSnapshot {
    return this.run.snapshot
  }

  /** Whether anything can happen to it still. */
  get isActive(): boolean {
    return this.snapshot.status === 'active'
  }

  /** How long until the next of its delays has passed (ms); undefined when none is running. */
  get nextDelayMs(): number | undefined {
    return this.clock.nextMs
  }

  /** Whether an event can be had happen to the system just now. */
  canSend(event: ModelEvent): boolean {
    return this.isActive && this.#driver.canSend?.(event) !== false
  }

  /** Whether an actor of that name is running. */
  runs(actor: string): boolean {
    return this.isActive && this.run.runs(actor)
  }

  /** Puts in an event what a command need not say. */
  complete(event: ModelEvent): ModelEvent {
    return event
  }

  /**
   * An event happens to it.
   *
   * @returns what the system has to answer, where the chart has a say in that
   */
  send(event: ModelEvent): unknown {
    this.run.send(event)
    this.clock.advance(0)
    return undefined
  }

  advance(ms: number): void {
    this.clock.advance(ms)
  }

  end(actor: string, outcome: Outcome): void {
    this.run.end(actor, outcome)
    this.clock.advance(0)
  }

  /**
   * Sees that chart and system agree.
   *
   * @param what - what was done last, for the message
   * @param answers - what the chart says that the system has to answer, and what it did; the chart may have no say
   * @throws Error when they do not, with what each of them says
   */
  agree(what: string, answers: { readonly due?: unknown; readonly given?: unknown } = {}): void {
    const { due, given } = answers
    const real = this.#driver.snapshot()
    const [chart, system] = [this.#shown(this.snapshot), this.#shown(real)]
    if (due !== undefined) {
      chart['answer'] = due
      system['answer'] = given
    }
    if (isEqual(chart, system)) return
    throw new Error(
      `After ${what} the chart and the system disagree.\n` +
        `  The chart says:  ${show(chart)}\n` +
        `  The system says: ${show(system)}`,
    )
  }

  #shown({ value, status = 'active', context }: SeenSnapshot): Record<string, unknown> {
    return { value, status, ...(this.#compare === undefined ? {} : { context: this.#compare(context as never) }) }
  }
}

/**
 * Sets a machine as the model of a system that a driver drives, for `fc.asyncModelRun` and for `modelCommands` of the
 * same machine. The chart runs alone on a time of its own: its actions are not performed, and the actors that it invokes
 * are not started. Guards, delays and `assign` are the chart's; provide what is not written in it by `machine.provide`.
 *
 * @example
 * ```ts
 * await fc.assert(
 *   fc.asyncProperty(modelCommands(doorMachine), (commands) =>
 *     fc.asyncModelRun(() => {
 *       const door = new Door(clock)
 *       return machineModel(doorMachine, {
 *         send: ({ type }) => door.press(type),
 *         advance: (ms) => clock.advance(ms),
 *         snapshot: () => ({ value: door.isOpen ? 'open' : 'closed' }),
 *       })
 *     }, commands),
 *   ),
 * )
 * ```
 * @throws Error when chart and system do not begin in the same state
 */
export function machineModel<Machine extends AnyStateMachine, Driver extends ModelDriver>(
  machine: Machine,
  driver: Driver,
  options: MachineModelOptions<Machine> = {},
): { model: MachineModel; real: Driver } {
  const model = new MachineModel(machine, driver, options as MachineModelOptions<never>)
  model.begin()
  model.agree('the start')
  return { model, real: driver }
}
