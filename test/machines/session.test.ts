import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sessionMachine } from '../../machines/index.ts'
import { Chart } from './chart.ts'
import { walk } from './walk.ts'

const attach = { type: 'session.attach', link: {} }
const detach = { type: 'session.detach' }
const leave = { type: 'session.leave' }
const presenceGraceMs = 15_000
const resumeWindowMs = 120_000

const chart = new Chart(sessionMachine, { input: { session: {} }, events: [attach, detach, leave] })

describe('session', () => {
  it('goes where its graph says, and can get everywhere', async () => {
    expect(await walk(chart)).toEqual({
      states: ['attached', 'detached', 'detached.lingering', 'detached.absent', 'expired', 'left'],
      finals: ['expired', 'left'],
      untaken: [],
    })
  })

  it('[FENCE] gives itself to the newer connection', async () => {
    const play = await chart.play()
    for (const step of [attach, attach]) await play.perform(step)
    expect(play.snapshot.value).toBe('attached')
    expect(play.ran).toEqual(['own', 'own'])
  })

  it('[PRESENCE] shows nothing of a reconnect inside the grace', async () => {
    const play = await chart.play()
    await play.perform(detach)
    await play.clock.advance(presenceGraceMs - 1)
    await play.perform(attach)
    expect(play.snapshot.value).toBe('attached')
    expect(play.ran).toEqual(['disown', 'own'])
    expect(play.clock.pending).toBe(0)
  })

  it('[PRESENCE] is shown as gone after the grace, and as back when it comes back', async () => {
    const play = await chart.play()
    await play.perform(detach)
    await play.clock.advance(presenceGraceMs)
    expect(play.ran).toEqual(['disown', 'withdraw'])
    await play.perform(attach)
    expect(play.ran).toEqual(['disown', 'withdraw', 'own', 'reappear'])
  })

  it('expires at the end of the resume window, and leaves its rooms', async () => {
    const play = await chart.play()
    await play.perform(detach)
    await play.clock.advance(resumeWindowMs - 1)
    expect(play.snapshot.status).toBe('active')
    await play.clock.advance(1)
    expect(play.snapshot).toMatchObject({ value: 'expired', status: 'done' })
    expect(play.ran).toEqual(['disown', 'withdraw', 'leaveRooms'])
  })

  it('opens the whole window again after each return', async () => {
    const play = await chart.play()
    for (let round = 0; round < 3; round++) {
      await play.perform(detach)
      await play.clock.advance(resumeWindowMs - 1)
      await play.perform(attach)
    }
    expect(play.snapshot.value).toBe('attached')
  })

  it('leaves its rooms once when the client says goodbye, attached or not', async () => {
    for (const steps of [
      [leave],
      [detach, leave],
      [detach, { type: 'xstate.after.presenceGrace.session.detached' }, leave],
    ]) {
      const play = await chart.play()
      for (const step of steps) await play.perform(step)
      expect(play.snapshot).toMatchObject({ value: 'left', status: 'done' })
      expect(play.ran.filter((name) => name === 'leaveRooms')).toHaveLength(1)
      expect(play.clock.pending).toBe(0)
    }
  })

  it('[PRESENCE] withdraws and reappears in turn, whatever happens', async () => {
    const happening = fc.oneof(fc.constantFrom(attach, detach), fc.integer({ min: 1, max: 30_000 }))
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 30 }), async (happenings) => {
        const play = await chart.play()
        for (const it of happenings) {
          if (play.snapshot.status !== 'active') break
          await (typeof it === 'number' ? play.clock.advance(it) : play.perform(it))
        }
        const shown = play.ran.filter((name) => name === 'withdraw' || name === 'reappear')
        expect(shown).toEqual(shown.map((_, index) => (index % 2 === 0 ? 'withdraw' : 'reappear')))
        expect(shown.length % 2 === 1).toBe(
          play.entered.has('expired') || play.snapshot.matches({ detached: 'absent' }),
        )
        play.actor.stop()
      }),
    )
  })
})
