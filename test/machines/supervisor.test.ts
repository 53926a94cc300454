import { describe, expect, it } from 'vitest'
import type { SupervisorContext } from '../../machines/index.ts'
import {
  accept,
  alone,
  chart,
  close,
  crash,
  drain,
  gone,
  limits,
  notRestored,
  played,
  playedOn,
  restartsOf,
  restored,
  restoring,
  route,
} from './supervisor-steps.ts'
import { walk } from './walk.ts'

describe('supervisor', () => {
  it('goes where its graph says, and can get everywhere', async () => {
    const { states, finals, untaken } = await walk(chart)
    expect(states).toEqual(['starting', 'running', 'draining', 'draining.handingOver', 'closing', 'failed', 'stopped'])
    expect(finals).toEqual(['stopped'])
    // Only one with sessions to take in goes this way: the next test's does.
    expect(untaken.filter((transition) => !transition.startsWith('restoring: '))).toEqual(['starting:  "mustRestore"'])
  })

  it('takes in the sessions of before first, where there are any', async () => {
    const { states, untaken } = await walk(restoring)
    expect(states).toContain('restoring')
    expect(untaken).toEqual(['starting:'])
  })

  it('[CLOSED] stops its children once, and last, on every way to its end', async () => {
    for (const either of [chart, restoring]) {
      await walk(either, ({ ran, snapshot }) => {
        const times = ran.filter((name) => name === 'stopChildren').length
        expect(times).toBe(snapshot.status === 'done' ? 1 : 0)
        if (times === 1) expect(ran.at(-1)).toBe('stopChildren')
      })
    }
  })

  it('accepts and routes while it runs', async () => {
    expect((await played(accept, route)).ran).toEqual(['startConnection', 'deliver'])
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
    const play = await played(crash(0), crash(0), crash(0), accept, route, gone)
    expect(play.ran.slice(2)).toEqual([
      'reportFailure',
      'closeConnections',
      'refuseConnection',
      'deliver',
      'stopChildren',
    ])
    expect(play.snapshot).toMatchObject({ value: 'stopped', status: 'done' })
  })

  it('stops when somebody whom it asked to close stays, after the stated time', async () => {
    for (const [state, ...steps] of [
      ['closing', close],
      ['failed', crash(0), crash(0), crash(0)],
    ] as const) {
      const play = await played(...steps)
      await play.clock.advance(29_999)
      expect(play.snapshot.value).toBe(state)
      await play.clock.advance(1)
      expect(play.snapshot).toMatchObject({ value: 'stopped', status: 'done' })
      expect(play.clock.pending).toBe(0)
    }
  })
})

describe('a supervisor that is closed', () => {
  it('asks every connection to close, once, and stops when they are gone', async () => {
    const play = await played(close, close, drain, gone)
    expect(play.ran).toEqual(['closeConnections', 'stopChildren'])
    expect(play.snapshot).toMatchObject({ value: 'stopped', status: 'done' })
    expect(play.clock.pending).toBe(0)
  })

  it('stops at once when nobody is connected', async () => {
    const play = await played(alone(close))
    expect(play.ran).toEqual(['closeConnections', 'stopChildren'])
    expect(play.snapshot.status).toBe('done')
  })

  it('turns newcomers away, and goes on routing and restarting until they are gone', async () => {
    const play = await played(close, accept, route, crash(0), crash(0), crash(0))
    expect(play.ran.slice(1)).toEqual(['refuseConnection', 'deliver', 'restart', 'restart', 'restart'])
    expect(play.snapshot.value).toBe('closing')
  })
})

describe('a supervisor with sessions of before', () => {
  it('turns newcomers away until they are taken in: their clients would not find them', async () => {
    const play = await playedOn(restoring, accept, restored, accept)
    expect(play.ran).toEqual(['postponeConnection', 'startConnection'])
    expect(play.snapshot.value).toBe('running')
  })

  it('routes meanwhile, so that they come back to their rooms', async () => {
    expect((await playedOn(restoring, route)).ran).toEqual(['deliver'])
  })

  it('[PRESENCE] restarts a room that crashes meanwhile, with the members whom it has', async () => {
    const play = await playedOn(restoring, crash(0), crash(0))
    expect(play.snapshot.value).toBe('restoring')
    expect(play.ran).toEqual(['restart', 'restart'])
    // What it restarts counts, as ever.
    await play.perform(restored)
    await play.perform(crash(0))
    expect(play.snapshot.value).toBe('failed')
  })

  it('stops at once when it is closed or drained meanwhile, and asks for them no more', async () => {
    for (const step of [close, drain]) {
      const play = await playedOn(restoring, step)
      expect(play.snapshot).toMatchObject({ value: 'stopped', status: 'done' })
      expect(play.ran).toEqual(['stopChildren'])
      expect(play.invoked.get('restoreSessions')?.signal.aborted).toBe(true)
      expect(play.clock.pending).toBe(0)
    }
  })

  it('reports when they cannot be had, rather than run without them', async () => {
    const play = await playedOn(restoring, alone(notRestored))
    expect(play.ran).toEqual(['reportFailure', 'closeConnections', 'stopChildren'])
    expect(play.snapshot).toMatchObject({ value: 'stopped', status: 'done' })
    expect(play.entered).toContain('failed')
    expect(play.entered).not.toContain('running')
  })
})
