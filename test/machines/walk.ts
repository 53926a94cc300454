import type { AnyMachineSnapshot, AnyTransitionDefinition } from 'xstate'
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph'
import { expect } from 'vitest'
import { pathOf, type Chart, type Play, type Step } from './chart.ts'

/** What a walk came across, over all its plays. */
export interface Walk {
  /** The states that were entered, by path, in the order of the chart. */
  readonly states: string[]
  /** The final states in which a play ended. */
  readonly finals: string[]
  /** Transitions of the chart that nothing led through. */
  readonly untaken: string[]
}

interface Leg {
  readonly event: Step
  readonly state: AnyMachineSnapshot
}

/**
 * Holds actors of a chart against the graph that XState computes from it. Every shortest path is replayed, and from
 * its end everything that can happen there; after each step the actor must be in the state of which the graph says so.
 *
 * @param check - is told of every play when it is over
 */
export async function walk(chart: Chart, check: (play: Play) => void = () => {}): Promise<Walk> {
  const [states, finals, taken] = [new Set<string>(), new Set<string>(), new Set<AnyTransitionDefinition>()]
  const { paths, onward } = graphOf(chart)
  for (const path of paths) {
    const end = path.at(-1)?.state
    const continuations = end === undefined ? [] : onward(end)
    for (const legs of [path, ...continuations.map((leg) => [...path, leg])]) {
      const play = await replay(chart, legs)
      for (const state of play.entered) states.add(state)
      for (const transition of play.taken) taken.add(transition)
      if (play.snapshot.status === 'done') finals.add(JSON.stringify(play.snapshot.value))
      check(play)
      play.actor.stop()
      expect(play.clock.pending, `timers left after ${describeLegs(legs)}`).toBe(0)
    }
  }
  return {
    states: chart.nodes.map(pathOf).filter((path) => path !== '' && states.has(path)),
    finals: [...finals].map((value) => JSON.parse(value) as string).toSorted(),
    untaken: transitionsOf(chart)
      .filter((transition) => !taken.has(transition))
      .map(({ source, eventType, guard }) => `${pathOf(source)}: ${eventType} ${JSON.stringify(guard) ?? ''}`.trim()),
  }
}

async function replay(chart: Chart, legs: readonly Leg[]): Promise<Play> {
  const play = await chart.play()
  for (const { event, state } of legs) {
    if (event.type !== 'xstate.init') await play.perform(event)
    expect(chart.show(play.snapshot), describeLegs(legs)).toBe(chart.show(state))
    expect(play.snapshot.status, describeLegs(legs)).toBe(state.status)
  }
  return play
}

function graphOf(chart: Chart): { paths: Leg[][]; onward: (state: AnyMachineSnapshot) => Leg[] } {
  chart.forgetStep()
  const traversal = {
    input: chart.options.input as undefined,
    events: chart.steps as never,
    serializeState: (state: unknown) => chart.show(state as AnyMachineSnapshot),
    filterEvents: (state: unknown, step: unknown) => chart.canHappen(state as AnyMachineSnapshot, step as Step),
  }
  const adjacency = getAdjacencyMap(chart.machine, traversal)
  return {
    paths: getShortestPaths(chart.machine, traversal).map(({ steps }) => steps as unknown as Leg[]),
    onward: (state) => Object.values(adjacency[chart.show(state) as never]?.transitions ?? {}) as Leg[],
  }
}

function transitionsOf({ nodes }: Chart): AnyTransitionDefinition[] {
  return nodes.flatMap((node) => [...node.transitions.values(), node.always ?? []].flat())
}

const describeLegs = (legs: readonly Leg[]): string => legs.map(({ event }) => JSON.stringify(event)).join(' → ')
