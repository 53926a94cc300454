import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TimingWheel } from '../../src/runtime/actors/timing-wheel.ts'
import { VirtualClock } from '../../src/testing/index.ts'

const tickMs = 50

const delay = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 200_000 }))

describe('timing wheel', () => {
  it('calls at its time or up to one tick later, whatever is set and cleared meanwhile', async () => {
    const script = fc.array(
      fc.oneof(
        fc.record({ do: fc.constant('set' as const), ms: delay }),
        fc.record({ do: fc.constant('clear' as const), which: fc.nat() }),
        fc.record({ do: fc.constant('advance' as const), ms: delay }),
      ),
      { maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(script, async (steps) => {
        const clock = new VirtualClock(0)
        // Eight slots, so that long delays go round often.
        const wheel = new TimingWheel(clock, tickMs, 8)
        const timers: { id: unknown; due: number; cleared: boolean; calledAt: number | undefined }[] = []
        for (const step of steps) {
          if (step.do === 'advance') await clock.advance(step.ms)
          else if (step.do === 'set') {
            const timer = { id: undefined as unknown, due: clock.now() + step.ms, cleared: false, calledAt: undefined }
            timer.id = wheel.set(() => Object.assign(timer, { calledAt: clock.now() }), step.ms)
            timers.push(timer)
          } else {
            const timer = timers[step.which % Math.max(1, timers.length)]
            if (timer === undefined || timer.calledAt !== undefined) continue
            timer.cleared = true
            wheel.clear(timer.id)
          }
        }
        await clock.advance(300_000)
        for (const { due, cleared, calledAt } of timers) {
          if (cleared) expect(calledAt).toBeUndefined()
          else {
            expect(calledAt).toBeGreaterThanOrEqual(due)
            expect(calledAt).toBeLessThanOrEqual(due + 2 * tickMs)
          }
        }
        expect(wheel.size).toBe(0)
        expect(clock.pending).toBe(0)
      }),
      { numRuns: 60 },
    )
  })

  it('serves fifty thousand delays with one timer of its host', () => {
    const clock = new VirtualClock(0)
    const wheel = new TimingWheel(clock)
    for (let i = 0; i < 50_000; i++) wheel.set(() => {}, 1_000 + i)
    expect(wheel.size).toBe(50_000)
    expect(clock.pending).toBe(1)
  })

  it('calls everything that came due while the process was stopped, once', () => {
    let now = 0
    let wake = (): void => {}
    const wheel = new TimingWheel({
      now: () => now,
      setTimeout: (callback) => (wake = callback),
    })
    const called: number[] = []
    for (const ms of [100, 60_000, 3_600_000]) wheel.set(() => called.push(ms), ms)
    now = 120_000
    wake()
    expect(called).toEqual([100, 60_000])
    expect(wheel.size).toBe(1)
  })

  it('never calls for a delay without end', async () => {
    const clock = new VirtualClock(0)
    const wheel = new TimingWheel(clock)
    const timer = wheel.set(() => expect.unreachable(), Infinity)
    expect(wheel.size).toBe(0)
    wheel.clear(timer)
    await clock.advance(1_000_000)
    expect(wheel.size).toBe(0)
  })
})
