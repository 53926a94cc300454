import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { typingMachine } from '../../machines/index.ts'
import { Chart } from './chart.ts'
import { walk } from './walk.ts'

const start = { type: 'typing.start' }
const stop = { type: 'typing.stop' }
const silenceMs = 3_000

const chart = new Chart(typingMachine, { input: { session: {} }, events: [start, stop] })

describe('typing', () => {
  it('goes where its graph says, and can get everywhere', async () => {
    expect(await walk(chart)).toEqual({ states: ['idle', 'typing', 'typing.heard'], finals: [], untaken: [] })
  })

  it('[TYPING] ends by itself after the silence', async () => {
    const play = await chart.play()
    await play.perform(start)
    await play.clock.advance(silenceMs - 1)
    expect(play.ran).toEqual(['announceStart'])
    await play.clock.advance(1)
    expect(play.snapshot.value).toBe('idle')
    expect(play.ran).toEqual(['announceStart', 'announceStop'])
    expect(play.clock.pending).toBe(0)
  })

  it('[TYPING] waits anew after every sign, and announces it once', async () => {
    const play = await chart.play()
    for (let sign = 0; sign < 5; sign++) {
      await play.perform(start)
      await play.clock.advance(silenceMs - 1)
    }
    expect(play.snapshot.matches('typing')).toBe(true)
    await play.clock.advance(1)
    expect(play.snapshot.value).toBe('idle')
    expect(play.ran).toEqual(['announceStart', 'announceStop'])
  })

  it('[TYPING] ends at once when it is told to', async () => {
    const play = await chart.play()
    for (const step of [start, stop, stop]) await play.perform(step)
    expect(play.ran).toEqual(['announceStart', 'announceStop'])
    expect(play.clock.pending).toBe(0)
  })

  it('[TYPING] announces a start and a stop in turn, whatever happens', async () => {
    const happening = fc.oneof(fc.constantFrom(start, stop), fc.integer({ min: 1, max: 2 * silenceMs }))
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 30 }), async (happenings) => {
        const play = await chart.play()
        for (const it of happenings) await (typeof it === 'number' ? play.clock.advance(it) : play.perform(it))
        await play.clock.advance(silenceMs)
        expect(play.ran).toEqual(play.ran.map((_, index) => (index % 2 === 0 ? 'announceStart' : 'announceStop')))
        expect(play.snapshot.value).toBe('idle')
        expect(play.clock.pending).toBe(0)
      }),
    )
  })
})
