import { describe, expect, it } from 'vitest'
import { accept, alone, close, crash, drain, drainTimeout, gone, played, route } from './supervisor-steps.ts'

const drainIntervalMs = 100

describe('a supervisor that drains', () => {
  it('plans who goes when, and says goodbye to the first of them in the same step', async () => {
    const play = await played(drain)
    expect(play.ran).toEqual(['planDrain', 'handOver'])
    expect(play.calls[0]).toMatchObject({ name: 'planDrain', event: { withinMs: 5_000 } })
    expect(play.snapshot.value).toEqual({ draining: 'handingOver' })
  })

  it('says goodbye to one batch after the other, at even distances', async () => {
    const play = await played(drain)
    for (let batches = 1; batches < 20; batches++) {
      expect(play.ran.filter((name) => name === 'handOver')).toHaveLength(batches)
      await play.clock.advance(drainIntervalMs - 1)
      expect(play.ran.filter((name) => name === 'handOver')).toHaveLength(batches)
      await play.clock.advance(1)
    }
    // Nobody is asked to close while there is time.
    expect(play.ran).not.toContain('closeConnections')
    expect(play.ran.filter((name) => name === 'planDrain')).toHaveLength(1)
  })

  it('stops when the last of them has gone', async () => {
    const play = await played(drain)
    await play.clock.advance(drainIntervalMs)
    await play.perform(gone)
    expect(play.ran).toEqual(['planDrain', 'handOver', 'handOver', 'stopChildren'])
    expect(play.snapshot).toMatchObject({ value: 'stopped', status: 'done' })
    expect(play.clock.pending).toBe(0)
  })

  it('stops at once when nobody is connected', async () => {
    const play = await played(alone(drain))
    expect(play.ran.at(-1)).toBe('stopChildren')
    expect(play.snapshot.status).toBe('done')
    expect(play.clock.pending).toBe(0)
  })

  it('turns newcomers away, and goes on routing and restarting', async () => {
    const play = await played(drain, accept, route, crash(0), crash(0), crash(0))
    expect(play.ran.slice(2)).toEqual(['refuseConnection', 'deliver', 'restart', 'restart', 'restart'])
    expect(play.snapshot.value).toEqual({ draining: 'handingOver' })
  })

  it('closes those who are still here when the time is up that it was given, batches or no batches', async () => {
    for (const withinMs of [250, 5_000, 60_000]) {
      const play = await played({ ...drain, withinMs })
      await play.clock.advance(withinMs - 1)
      expect(play.snapshot.value).toEqual({ draining: 'handingOver' })
      await play.clock.advance(1)
      expect(play.snapshot.value).toBe('closing')
      expect(play.ran.at(-1)).toBe('closeConnections')
      await play.perform(gone)
      expect(play.snapshot).toMatchObject({ value: 'stopped', status: 'done' })
    }
  })

  it('closes everybody in the next moment when it is given no time', async () => {
    const play = await played({ ...drain, withinMs: 0 })
    await play.clock.advance(0)
    expect(play.ran).toEqual(['planDrain', 'handOver', 'closeConnections'])
    expect(play.snapshot.value).toBe('closing')
  })

  it('[CLOSED] ends also when somebody neither goes nor closes', async () => {
    const play = await played(drain)
    await play.clock.advance(5_000 + 29_999)
    expect(play.snapshot.value).toBe('closing')
    await play.clock.advance(1)
    expect(play.snapshot).toMatchObject({ value: 'stopped', status: 'done' })
    expect(play.ran.slice(-2)).toEqual(['closeConnections', 'stopChildren'])
    expect(play.clock.pending).toBe(0)
  })

  it('is ended by a close: a second signal need not wait', async () => {
    const play = await played(drain)
    await play.clock.advance(drainIntervalMs)
    await play.perform(close)
    expect(play.snapshot.value).toBe('closing')
    expect(play.ran).toEqual(['planDrain', 'handOver', 'handOver', 'closeConnections'])
    // Nobody is told to go any more who is being closed.
    await play.clock.advance(10 * drainIntervalMs)
    expect(play.ran.at(-1)).toBe('closeConnections')
  })

  it('is not begun anew by a second drain: the first one’s plan and time stand', async () => {
    const play = await played(drain)
    await play.clock.advance(4_999)
    await play.perform({ ...drain, withinMs: 60_000 })
    await play.clock.advance(1)
    expect(play.snapshot.value).toBe('closing')
    expect(play.ran.filter((name) => name === 'planDrain')).toHaveLength(1)
  })

  it('stops when the last one goes in the very moment in which the time is up', async () => {
    const play = await played(drain, alone(drainTimeout))
    expect(play.ran.slice(-2)).toEqual(['closeConnections', 'stopChildren'])
    expect(play.snapshot.status).toBe('done')
  })
})
