import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { handlerMachine } from '../../machines/index.ts'
import { Chart, type Play, type Step } from './chart.ts'
import { walk } from './walk.ts'

const done = { type: 'xstate.done.actor.0.handler.running', output: { sum: 3 } }
const threw = { type: 'xstate.error.actor.0.handler.running', error: new Error('no disk') }
const timeout = { type: 'xstate.after.handlerTimeout.handler.running' }
const handlerTimeoutMs = 30_000

const call = {}
const chart = new Chart(handlerMachine, { input: { call }, events: [done, threw] })
const answers = ['answer', 'answerFailure', 'answerTimeout']

async function played(...steps: readonly Step[]): Promise<Play> {
  const play = await chart.play()
  for (const step of steps) await play.perform(step)
  return play
}

const isCancelled = (play: Play): boolean | undefined => play.invoked.get('run')?.signal.aborted

describe('handler', () => {
  it('goes where its graph says, and can get everywhere', async () => {
    expect(await walk(chart)).toEqual({
      states: ['running', 'answered', 'failed', 'expired'],
      finals: ['answered', 'expired', 'failed'],
      untaken: [],
    })
  })

  it('does the work of its call, and nothing before that has come to an end', async () => {
    const play = await played()
    expect(play.snapshot.value).toBe('running')
    expect(play.invoked.get('run')?.input).toEqual({ call })
    expect(isCancelled(play)).toBe(false)
    expect(play.ran).toEqual([])
    play.actor.stop()
  })

  it('answers with what the work came to', async () => {
    const play = await played(done)
    expect(play.snapshot).toMatchObject({ value: 'answered', status: 'done' })
    expect(play.calls).toMatchObject([{ name: 'answer', event: { output: { sum: 3 } }, context: { call } }])
  })

  it('answers with what the work threw', async () => {
    const play = await played(threw)
    expect(play.snapshot).toMatchObject({ value: 'failed', status: 'done' })
    expect(play.calls).toMatchObject([{ name: 'answerFailure', event: { error: threw.error }, context: { call } }])
  })

  it('leaves work alone that is done: its signal does not fire, and no timer is left', async () => {
    for (const step of [done, threw]) {
      const play = await played(step)
      expect(isCancelled(play)).toBe(false)
      expect(play.clock.pending).toBe(0)
    }
  })

  it('answers when the time is up, and cancels the work', async () => {
    const play = await played()
    await play.clock.advance(handlerTimeoutMs - 1)
    expect(play.snapshot.value).toBe('running')
    expect(isCancelled(play)).toBe(false)
    await play.clock.advance(1)
    expect(play.snapshot).toMatchObject({ value: 'expired', status: 'done' })
    expect(play.ran).toEqual(['answerTimeout'])
    expect(isCancelled(play)).toBe(true)
  })

  it('takes the time that its call has been given', async () => {
    const play = await new Chart(handlerMachine, { ...chart.options, delays: { handlerTimeout: 50 } }).play()
    await play.clock.advance(49)
    expect(play.snapshot.value).toBe('running')
    await play.clock.advance(1)
    expect(play.snapshot.value).toBe('expired')
  })

  it('cancels the work without a word when it is stopped: whoever asked has gone', async () => {
    const play = await played()
    play.actor.stop()
    expect(isCancelled(play)).toBe(true)
    expect(play.ran).toEqual([])
    expect(play.clock.pending).toBe(0)
  })

  it('has nothing more to say once the work was cancelled, whatever becomes of it', async () => {
    for (const step of [done, threw]) {
      const expired = await played(timeout, step)
      expect(expired.ran).toEqual(['answerTimeout'])
      const stopped = await played()
      stopped.actor.stop()
      await stopped.perform(step)
      expect(stopped.ran).toEqual([])
    }
  })

  it('[ONCE] answers once, whatever comes first and whatever comes after', async () => {
    const happening = fc.constantFrom<Step>(done, threw, timeout)
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 5 }), async (happenings) => {
        const play = await chart.play()
        for (const it of happenings) {
          // Time is up once at most; the work may yet come to something when nobody waits for it.
          if (it !== timeout || chart.canHappen(play.snapshot, it)) await play.perform(it)
        }
        expect(play.ran).toEqual([answers[[done, threw, timeout].indexOf(happenings[0] as typeof done)]])
        expect(play.clock.pending).toBe(0)
      }),
    )
  })
})
