import { supervisorMachine, type RestartLimits, type SupervisorContext } from '../../machines/index.ts'
import { Chart, type Play, type Step } from './chart.ts'

// What can happen to a supervisor, and charts of one to which it does.

export const accept = { type: 'connection.accept', link: {} }
export const route = { type: 'route', to: 'room:main', event: { type: 'room.join' } }
export const drain = { type: 'runtime.drain', withinMs: 5_000 }
export const close = { type: 'runtime.close' }
export const gone = { type: 'connections.gone' }
export const crash = (at: number): Step => ({ type: 'child.crashed', address: 'room:main', at })
export const restored = { type: 'xstate.done.actor.0.supervisor.restoring' }
export const notRestored = { type: 'xstate.error.actor.0.supervisor.restoring', error: 'no disk' }
export const drainTimeout = { type: 'xstate.after.drainTimeout.supervisor.draining' }

/** The same when nobody is connected. */
export const alone = (step: Step): Step => ({ ...step, alone: true })

export const limits: RestartLimits = { intensity: 2, periodMs: 1_000 }

const chartOf = (mustRestore: boolean, input = limits): Chart =>
  new Chart(supervisorMachine, {
    input,
    events: [
      accept,
      route,
      drain,
      alone(drain),
      close,
      alone(close),
      gone,
      crash(0),
      alone(crash(0)),
      crash(1_500),
      notRestored,
      alone(notRestored),
      drainTimeout,
      alone(drainTimeout),
    ],
    guards: { noConnections: ({ alone }) => alone === true, mustRestore: () => mustRestore },
    memory: ({ restarts }: SupervisorContext) => restarts,
  })

export const chart = chartOf(false)
/** The same, with sessions that were here before. */
export const restoring = chartOf(true)

/** A supervisor to which something has happened. */
export async function played(...steps: readonly Step[]): Promise<Play> {
  return playedOn(chart, ...steps)
}

export async function playedOn(on: Chart, ...steps: readonly Step[]): Promise<Play> {
  const play = await on.play()
  for (const step of steps) await play.perform(step)
  return play
}

/** Where a supervisor is after crashes at such times, and how often it has restarted somebody. */
export async function restartsOf(times: readonly number[], input = limits) {
  const play = await playedOn(chartOf(false, input), ...times.map(crash))
  play.actor.stop()
  return { value: play.snapshot.value, restarts: play.ran.filter((name) => name === 'restart').length }
}
