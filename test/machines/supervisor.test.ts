import { describe, expect, it } from 'vitest'
import { supervisorMachine, type SupervisorContext } from '../../machines/index.ts'
import { Chart, type Step } from './chart.ts'
import { walk } from './walk.ts'

const accept = { type: 'connection.accept', link: {} }
const route = { type: 'route', to: 'room:main', event: { type: 'room.join' } }
const drain = { type: 'runtime.drain' }
const gone = { type: 'connections.gone' }
const crash = (at: number): Step => ({ type: 'child.crashed', address: 'room:main', at })

const limits = { intensity: 2, periodMs: 1_000 }
const memory = ({ restarts }: SupervisorContext) => restarts
const guards = { noConnections: ({ alone }: Step) => alone === true }

const chart = new Chart(supervisorMachine, {
  input: limits,
  events: [accept, route, drain, { ...drain, alone: true }, gone, crash(0), { ...crash(0), alone: true }, crash(1_500)],
  guards,
  memory,
})

async function restartsOf(times: readonly number[], input = limits) {
  const play = await new Chart(supervisorMachine, { input, events: [], guards, memory }).play()
  for (const at of times) await play.perform(crash(at))
  play.actor.stop()
  return { value: play.snapshot.value, restarts: play.ran.filter((name) => name === 'restart').length }
}

describe('supervisor', () => {
  it('goes where its graph says, and can get everywhere', async () => {
    expect(await walk(chart)).toEqual({
      states: ['starting', 'running', 'draining', 'failed', 'stopped'],
      finals: ['stopped'],
      untaken: [],
    })
  })

  it('[CLOSED] stops its children once, and last, on every way to its end', async () => {
    await walk(chart, ({ ran, snapshot }) => {
      const times = ran.filter((name) => name === 'stopChildren').length
      expect(times).toBe(snapshot.status === 'done' ? 1 : 0)
      if (times === 1) expect(ran.at(-1)).toBe('stopChildren')
    })
  })

  it('accepts and routes while it runs', async () => {
    const play = await chart.play()
    for (const step of [accept, route]) await play.perform(step)
    expect(play.ran).toEqual(['startConnection', 'deliver'])
  })

  it('restarts as often as its intensity allows within the period, and gives up then', async () => {
    expect(await restartsOf([0, 10])).toEqual({ value: 'running', restarts: 2 })
    expect(await restartsOf([0, 10, 20])).toEqual({ value: 'failed', restarts: 2 })
    expect(await restartsOf([0], { intensity: 0, periodMs: 1_000 })).toEqual({ value: 'failed', restarts: 0 })
  })

  it('forgets a restart when the period is over', async () => {
    expect(await restartsOf([0, 999, 1_000, 1_999, 2_000])).toEqual({ value: 'running', restarts: 5 })
    expect(await restartsOf([0, 999, 999])).toEqual({ value: 'failed', restarts: 2 })
  })

  it('never keeps more restarts than it has to count', async () => {
    const play = await chart.play()
    for (let at = 0; at < 100_000; at += 500) await play.perform(crash(at))
    expect(play.snapshot.value).toBe('running')
    expect((play.snapshot.context as SupervisorContext).restarts.length).toBeLessThanOrEqual(limits.intensity)
  })

  it('reports that it gave up, closes its connections, and stops when they are gone', async () => {
    const play = await chart.play()
    for (const step of [crash(0), crash(0), crash(0), accept, route, gone]) await play.perform(step)
    expect(play.ran.slice(2)).toEqual([
      'reportFailure',
      'closeConnections',
      'refuseConnection',
      'deliver',
      'stopChildren',
    ])
    expect(play.snapshot).toMatchObject({ value: 'stopped', status: 'done' })
  })

  it('turns newcomers away while it drains, and goes on routing', async () => {
    const play = await chart.play()
    for (const step of [drain, accept, route, crash(0)]) await play.perform(step)
    expect(play.ran).toEqual(['closeConnections', 'refuseConnection', 'deliver', 'restart'])
    await play.perform(gone)
    expect(play.snapshot.value).toBe('stopped')
    expect(play.clock.pending).toBe(0)
  })

  it('stops at once when nobody is connected, and after the drain time when somebody stays', async () => {
    const alone = await chart.play()
    await alone.perform({ ...drain, alone: true })
    expect(alone.ran).toEqual(['closeConnections', 'stopChildren'])

    for (const [state, ...steps] of [
      ['draining', drain],
      ['failed', crash(0), crash(0), crash(0)],
    ] as const) {
      const slow = await chart.play()
      for (const step of steps) await slow.perform(step)
      await slow.clock.advance(29_999)
      expect(slow.snapshot.value).toBe(state)
      await slow.clock.advance(1)
      expect(slow.snapshot).toMatchObject({ value: 'stopped', status: 'done' })
    }
  })
})
