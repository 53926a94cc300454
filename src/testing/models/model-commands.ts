import fc from 'fast-check'
import type { AnyStateMachine, EventFromLogic } from 'xstate'
import type { Outcome } from './chart-run.ts'
import type { MachineModel, ModelDriver, ModelEvent } from './machine-model.ts'
import { show } from './plain-value.ts'

/** One thing that is done both to a chart and to the system that it is held against. */
export type ModelCommand = fc.AsyncCommand<MachineModel, ModelDriver>

/** What commands are made from. */
export interface ModelCommandsOptions<Machine extends AnyStateMachine = AnyStateMachine> {
  /**
   * What events carry beside their type, by type. Those without an entry are sent bare. Also what should never come may
   * come: a guard of the machine's that looks at it is part of the chart.
   */
  readonly events?: { readonly [Type in EventFromLogic<Machine>['type']]?: fc.Arbitrary<object> }
  /** Types of events that are left out. @default none */
  readonly without?: readonly EventFromLogic<Machine>['type'][]
  /**
   * How often events are chosen, by type, in proportion to one another. What ends a connection comes seldom by itself, so
   * that something happens before it.
   *
   * @default 4, and 1 for `socket.closed`, `connection.close` and `connection.handOver`
   */
  readonly weights?: { readonly [Type in EventFromLogic<Machine>['type']]?: number }
  /**
   * What actors that the chart invokes may end with, by its names for them: `{ output }`, or `{ error }`. The driver's
   * `end` has to let the real ones end.
   */
  readonly actors?: Readonly<Record<string, fc.Arbitrary<Outcome>>>
  /** By how much time moves on where that has nothing to do with a delay of the chart (ms). @default 1 to 1_000 */
  readonly stepMs?: fc.Arbitrary<number>
  /** How many commands there are at most in a history. @default 30 */
  readonly maxCommands?: number
  /**
   * What fast-check prints behind a failing history, as `replayPath="…"`: with it, and the `seed` and `path` that stand
   * beside it, handed to `fc.assert`, the same history is run again.
   */
  readonly replayPath?: string
}

/**
 * What may happen to a machine, as commands for `fc.asyncModelRun`: each event that it names, the ends of actors that it
 * invokes, and time that passes, to just before, exactly to, and past the end of the delay that is due next, or by a
 * small step. Events under a wildcard, and XState's own, are left out unless `events` spells them out.
 *
 * A history that fails is shrunk to the shortest that does, and reads like
 * `client.ready,client.start,client.move {"data":{"square":4}},+5000 ms`.
 *
 * @example
 * ```ts
 * const commands = modelCommands(lobbyConnection, {
 *   events: { 'client.move': fc.record({ data: fc.record({ square: fc.nat(8) }) }) },
 * })
 * await fc.assert(
 *   fc.asyncProperty(commands, async (history) => {
 *     await using stage = createTestRuntime({ connection: lobbyConnection })
 *     await fc.asyncModelRun(() => connectionModel(stage, lobbyConnection), history)
 *   }),
 * )
 * ```
 * @throws RangeError when the machine does not know an event of `events`, `without`, or an actor of `actors`
 */
export function modelCommands<Machine extends AnyStateMachine>(
  machine: Machine,
  options: ModelCommandsOptions<Machine> = {},
): fc.Arbitrary<Iterable<ModelCommand>> {
  const { actors = {}, stepMs = fc.integer({ min: 1, max: 1_000 }), maxCommands = 30, replayPath } = options
  const events = eventsOf(machine, options)
  const weights: Readonly<Record<string, number>> = { ...endings, ...options.weights }
  const choices: Choice[] = [...events].map(([type, fields]) => ({
    weight: weights[type] ?? usual,
    arbitrary: fields.map((carried) => new EventCommand({ ...carried, type })),
  }))
  for (const [actor, outcome] of Object.entries(actors)) {
    if (!invokes(machine.root, actor)) throw new RangeError(`'${machine.id}' invokes no actor '${actor}'.`)
    choices.push({ weight: usual, arbitrary: outcome.map((ended) => new EndCommand(actor, ended)) })
  }
  // However many events there are, about every third time that something happens it is time that passes.
  const weight = Math.max(usual, Math.ceil(choices.length * (usual / 4)))
  choices.push({ weight: 2 * weight, arbitrary: timeThatPasses(stepMs) })
  return fc.commands([fc.oneof(...choices)], {
    maxCommands,
    size: 'max',
    ...(replayPath === undefined ? {} : { replayPath }),
  })
}

/** Of steps that add up to a delay that matters, the delay remains: it is what all of them are shrunk towards. */
function timeThatPasses(stepMs: fc.Arbitrary<number>): fc.Arbitrary<ModelCommand> {
  const upTo = (when: When): fc.Arbitrary<DelayCommand> => fc.constant(when).map(() => new DelayCommand(when))
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 1, arbitrary: upTo('just before') },
    { weight: 1, arbitrary: upTo('exactly to') },
    { weight: 1, arbitrary: upTo('past') },
    { weight: 3, arbitrary: stepMs.map((ms) => new StepCommand(ms)) },
  )
}

type Choice = fc.WeightedArbitrary<ModelCommand>

const usual = 4
const endings = { 'socket.closed': 1, 'connection.close': 1, 'connection.handOver': 1 }

function eventsOf(
  machine: AnyStateMachine,
  { events = {}, without = [] }: ModelCommandsOptions,
): Map<string, fc.Arbitrary<object>> {
  const spelledOut = Object.entries(events as Readonly<Record<string, fc.Arbitrary<object>>>)
  const named = (machine.events as string[]).filter((type) => !type.startsWith('xstate.'))
  const isKnown = (type: string): boolean =>
    named.some((name) => (name.endsWith('*') ? type.startsWith(name.slice(0, -1)) : name === type))
  for (const type of [...spelledOut.map(([type]) => type), ...without]) {
    if (!isKnown(type)) throw new RangeError(`'${machine.id}' names no event '${type}'.`)
  }
  const all = new Map<string, fc.Arbitrary<object>>()
  for (const type of named) if (!type.includes('*')) all.set(type, fc.constant({}))
  for (const [type, fields] of spelledOut) all.set(type, fields)
  for (const type of without) all.delete(type)
  return all
}

function invokes(node: AnyStateMachine['root'], actor: string): boolean {
  const states = Object.values(node.states) as AnyStateMachine['root'][]
  return node.invoke.some(({ src }) => src === actor) || states.some((state) => invokes(state, actor))
}

class EventCommand implements ModelCommand {
  readonly #event: ModelEvent

  constructor(event: ModelEvent) {
    this.#event = event
  }

  check(model: MachineModel): boolean {
    return model.canSend(this.#event)
  }

  async run(model: MachineModel, real: ModelDriver): Promise<void> {
    const event = model.complete(this.#event)
    const given = await real.send(event)
    const due = model.send(event)
    model.agree(this.toString(), { due, given })
  }

  toString(): string {
    const { type, ...carried } = this.#event
    return Object.keys(carried).length === 0 ? type : `${type} ${show(carried)}`
  }
}

class EndCommand implements ModelCommand {
  readonly #actor: string
  readonly #outcome: Outcome

  constructor(actor: string, outcome: Outcome) {
    this.#actor = actor
    this.#outcome = outcome
  }

  check(model: MachineModel): boolean {
    return model.runs(this.#actor)
  }

  async run(model: MachineModel, real: ModelDriver): Promise<void> {
    if (real.end === undefined) throw new Error(`The driver has no end(), so '${this.#actor}' cannot end.`)
    await real.end(this.#actor, this.#outcome)
    model.end(this.#actor, this.#outcome)
    model.agree(this.toString())
  }

  toString(): string {
    return `${this.#actor} ends ${show(this.#outcome)}`
  }
}

class StepCommand implements ModelCommand {
  readonly #ms: number

  constructor(ms: number) {
    this.#ms = ms
  }

  check(model: MachineModel): boolean {
    return model.isActive
  }

  async run(model: MachineModel, real: ModelDriver): Promise<void> {
    await pass(model, real, this.#ms)
  }

  toString(): string {
    return `+${this.#ms} ms`
  }
}

type When = 'exactly to' | 'just before' | 'past'

const distanceMs = { 'exactly to': 0, 'just before': -1, past: 1 }

/** Moves on to where a delay of the chart ends; how far that is, is known when its turn has come. */
class DelayCommand implements ModelCommand {
  readonly #when: When
  #ms: number | undefined

  constructor(when: When) {
    this.#when = when
  }

  /** A history that is tried once more, or a shorter one, is to show its own times. */
  [fc.cloneMethod](): DelayCommand {
    return new DelayCommand(this.#when)
  }

  check(model: MachineModel): boolean {
    return model.isActive && this.#due(model) > 0
  }

  async run(model: MachineModel, real: ModelDriver): Promise<void> {
    this.#ms = this.#due(model)
    await pass(model, real, this.#ms)
  }

  toString(): string {
    return this.#ms === undefined ? `${this.#when} the end of the next delay` : `+${this.#ms} ms`
  }

  #due({ nextDelayMs = -Infinity }: MachineModel): number {
    return nextDelayMs + distanceMs[this.#when]
  }
}

async function pass(model: MachineModel, real: ModelDriver, ms: number): Promise<void> {
  await real.advance(ms)
  model.advance(ms)
  model.agree(`+${ms} ms`)
}
