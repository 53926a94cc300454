import fc from 'fast-check'
import { act } from './act.ts'
import type { BrokenPromise } from './court.ts'
import { checkHealed, checkLeft, heal } from './heal.ts'
import { describeStep, planArbitrary, type SimulationPlan } from './plan.ts'
import { World, type WorldTerms } from './world.ts'

/** How a run is made. */
export interface SimulationOptions extends Pick<WorldTerms, 'trace' | 'inspect'> {
  /** Chooses what is done, and everything that is left to chance. The same seed is the same run, to the byte. */
  readonly seed: number
  /**
   * What is done, instead of what the seed would choose: a history that was found before, as `failure.plan` gives it. It
   * is carried out as it is: `steps`, `withFaults` and `shrink` do not concern it.
   */
  readonly plan?: SimulationPlan
  /** How many things are done at most. @default 60 */
  readonly steps?: number
  /** Whether a history that breaks a promise is made shorter, for half a minute at most. @default true */
  readonly shrink?: boolean
  /** Whether the world has faults, or only its visitors. @default true */
  readonly withFaults?: boolean
}

/** What came of a run. */
export interface SimulationReport {
  readonly seed: number
  /** How much time passed in it until everybody went (ms). */
  readonly virtualMs: number
  /** Messages that went over the wire. */
  readonly events: number
  /** What was done, by kind. */
  readonly done: Readonly<Record<string, number>>
  /** How often a client found something missing and asked for it. */
  readonly heals: number
  /** The promise that was broken, and the shortest history by which it is. */
  readonly failure?: {
    readonly broken: BrokenPromise
    readonly history: readonly string[]
    readonly runs: number
    readonly plan: SimulationPlan
  }
}

/** A world in which a plan has been carried out, up to the first promise that was broken. */
async function play(plan: SimulationPlan, options: SimulationOptions): Promise<World> {
  // Drawn from the same seed as the plan, so that a shorter plan has the same chances.
  const [scheduler] = fc.sample(fc.scheduler(), { seed: options.seed, numRuns: 1 })
  const world = new World({ ...options, setting: plan.setting, scheduler })
  const { clock, court } = world
  const advance = async (ms: number): Promise<void> => {
    await clock.advance(ms)
    world.inspect()
  }
  world.note(`* a world with ${JSON.stringify(plan.setting)}`)
  world.assemble()
  await advance(2_000)
  for (const { afterMs, action } of plan.steps) {
    if (court.broken !== undefined) return world
    await advance(afterMs)
    world.note(`* ${describeStep({ afterMs, action })}`)
    act(world, action)
  }
  await advance(0)
  if (court.broken === undefined) await heal(world)
  world.inspect()
  if (court.broken === undefined) await checkHealed(world)
  if (court.broken === undefined) await checkLeft(world)
  return world
}

/**
 * Runs a server of Greenroom's own with its visitors on virtual time, lets chance act upon them, and holds what it sees against the promises
 * of PROTOCOL.md. A run that breaks one is made shorter until nothing can be left out of it.
 *
 * @throws TypeError for an option that there is not, or numbers that are none
 * @example
 * ```ts
 * const { failure } = await simulate({ seed: 7 })
 * if (failure !== undefined) throw failure.broken
 * ```
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  checkOptions(options)
  const { seed, steps = 60, withFaults = true, shrink = true } = options
  let first: World | undefined
  let firstPlan: SimulationPlan | undefined
  let last: { readonly plan: SimulationPlan; readonly broken: BrokenPromise } | undefined
  const property = fc.asyncProperty(
    options.plan === undefined ? planArbitrary({ steps, withFaults }) : fc.constant(options.plan),
    async (plan) => {
      const world = await play(plan, first === undefined ? options : { seed })
      first ??= world
      firstPlan ??= plan
      const { broken } = world.court
      if (broken === undefined) return
      last = { plan, broken }
      throw broken
    },
  )
  const { numShrinks, errorInstance } = await fc.check(property, {
    seed,
    numRuns: 1,
    unbiased: true,
    endOnFailure: !shrink,
    interruptAfterTimeLimit: 30_000,
  })
  // Not a promise that was broken, but the simulation itself.
  if (last === undefined && errorInstance !== null) throw errorInstance
  if (first === undefined || firstPlan === undefined) throw new Error('Nothing was run.')
  const done: Record<string, number> = {}
  for (const { action } of firstPlan.steps) done[action.do] = (done[action.do] ?? 0) + 1
  const report = {
    seed,
    virtualMs: first.leftAtMs ?? first.nowMs,
    events: first.events,
    done,
    heals: first.visitors.reduce((sum, { client }) => sum + client.heals, 0),
  }
  if (last === undefined) return report
  const { setting, steps: rest } = last.plan
  const history = [`in a world with ${JSON.stringify(setting)}`, ...rest.map(describeStep), last.broken.message]
  return { ...report, failure: { broken: last.broken, history, runs: numShrinks, plan: last.plan } }
}

const known = new Set(['seed', 'plan', 'steps', 'shrink', 'withFaults', 'trace', 'inspect'])

function checkOptions(options: SimulationOptions): void {
  const strange = Object.keys(options).find((name) => !known.has(name))
  if (strange !== undefined) throw new TypeError(`A simulation has no option '${strange}'.`)
  const { seed, steps = 60 } = options
  if (!Number.isSafeInteger(seed)) throw new TypeError(`seed must be a whole number, not ${String(seed)}`)
  if (!Number.isSafeInteger(steps) || steps < 2)
    throw new TypeError(`steps must be a whole number from 2 on, not ${steps}`)
}
