import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sessionMachine } from '../../machines/index.ts'
import { Chart, type Play, type Step } from './chart.ts'
import { walk } from './walk.ts'

const attach = { type: 'session.attach', link: {}, fence: 2, newest: true }
/** A claim that was made before the owner's, and comes after it. */
const evict = { type: 'session.evict' }
const late = { ...attach, fence: 1, newest: false }
const detach = { type: 'session.detach' }
/** How a session begins whose client was gone for longer than the grace when this process began. */
const longGone = { type: 'session.detach', at: -60_000, longGone: true }
const leave = { type: 'session.leave' }
const presenceGraceMs = 15_000
const resumeWindowMs = 120_000

const grace = { type: 'xstate.after.presenceGrace.session.detached.lingering' }

const chart = new Chart(sessionMachine, {
  input: { session: {} },
  events: [attach, late, detach, longGone, evict, leave],
  guards: { isNewest: ({ newest }) => newest === true, longGone: ({ longGone }) => longGone === true },
})

/** A session that a former process knew: its client has rooms to join anew. */
const restored = new Chart(sessionMachine, { ...chart.options, delays: { untilForgotten: presenceGraceMs } })

/** Every state in which somebody may claim the session, and a way there. */
const states = [
  ['attached', []],
  ['lingering', [detach]],
  ['absent', [detach, grace]],
  ['absent', [longGone]],
] as const

async function played(...steps: readonly Step[]): Promise<Play> {
  const play = await chart.play()
  for (const step of steps) await play.perform(step)
  return play
}

describe('session', () => {
  it('goes where its graph says, and can get everywhere', async () => {
    expect(await walk(restored)).toEqual({
      states: ['attached', 'detached', 'detached.lingering', 'detached.absent', 'expired', 'left'],
      finals: ['expired', 'left'],
      untaken: [],
    })
  })

  it('[BOUND] is given up only while it waits for its client, and leaves its rooms', async () => {
    for (const [state, way] of states) {
      const play = await played(...way, evict)
      const waits = state !== 'attached'
      expect(play.snapshot.value).toBe(waits ? 'expired' : 'attached')
      expect(play.ran.includes('leaveRooms')).toBe(waits)
      play.actor.stop()
      expect(play.clock.pending).toBe(0)
    }
  })

  it('[FENCE] gives itself to the newer connection, wherever the one before is', async () => {
    for (const [state, way] of states) {
      const play = await played(...way, attach)
      expect(play.snapshot.value).toBe('attached')
      expect(play.ran.filter((name) => name === 'own')).toHaveLength(1)
      expect(play.ran.includes('reappear'), state).toBe(state === 'absent')
      expect(play.clock.pending).toBe(0)
    }
  })

  it('[FENCE] turns a claim away that is older than its owner’s, in every state', async () => {
    for (const [, way] of states) {
      const play = await played(...way)
      const { value } = play.snapshot
      await play.perform(late)
      expect(play.snapshot.value).toEqual(value)
      expect(play.ran.at(-1)).toBe('turnAway')
      expect(play.ran).not.toContain('own')
      play.actor.stop()
    }
  })

  it('[FENCE] has the newest claim for its owner, in whatever order claims come', async () => {
    const claims = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 8 })
    const between = fc.constantFrom<readonly Step[]>([], [detach], [longGone], [detach, grace])
    await fc.assert(
      fc.asyncProperty(claims, fc.array(between, { maxLength: 8 }), async (fences, ways) => {
        const play = await chart.play()
        let owner = 0
        for (const [index, fence] of fences.entries()) {
          const way = play.snapshot.value === 'attached' ? (ways[index] ?? []) : []
          for (const step of way) await play.perform(step)
          await play.perform({ ...attach, fence, newest: fence > owner })
          owner = Math.max(owner, fence)
        }
        const owners = play.calls.filter(({ name }) => name === 'own').map(({ event }) => event['fence'])
        expect(owners).toEqual(owners.toSorted((a, b) => Number(a) - Number(b)))
        expect(owners.at(-1)).toBe(Math.max(...fences))
        expect(play.ran.filter((name) => name === 'own' || name === 'turnAway')).toHaveLength(fences.length)
        play.actor.stop()
      }),
    )
  })

  it('[FENCE] gives a claim that is turned away no time: the grace and the window end when they would have', async () => {
    const play = await played(detach)
    await play.clock.advance(presenceGraceMs - 1)
    await play.perform(late)
    await play.clock.advance(1)
    expect(play.ran).toEqual(['disown', 'turnAway', 'withdraw'])
    await play.clock.advance(resumeWindowMs - presenceGraceMs - 1)
    await play.perform(late)
    await play.clock.advance(1)
    expect(play.snapshot).toMatchObject({ value: 'expired', status: 'done' })
  })

  it('forgets its owner once each time it is left, and nothing when it had none', async () => {
    for (const step of [detach, longGone]) {
      const play = await played(step, detach, longGone)
      expect(play.ran.filter((name) => name === 'disown')).toHaveLength(1)
      await play.perform(attach)
      await play.perform(step)
      expect(play.ran.filter((name) => name === 'disown')).toHaveLength(2)
      play.actor.stop()
    }
  })

  it('[PRESENCE] shows nothing of a reconnect inside the grace', async () => {
    const play = await played(detach)
    await play.clock.advance(presenceGraceMs - 1)
    await play.perform(attach)
    expect(play.snapshot.value).toBe('attached')
    expect(play.ran).toEqual(['disown', 'own'])
    expect(play.clock.pending).toBe(0)
  })

  it('[PRESENCE] is shown as gone after the grace, and as back when it comes back', async () => {
    const play = await played(detach)
    await play.clock.advance(presenceGraceMs)
    expect(play.ran).toEqual(['disown', 'withdraw'])
    await play.perform(attach)
    expect(play.ran).toEqual(['disown', 'withdraw', 'own', 'reappear'])
  })

  it('[PRESENCE] is absent from the beginning when its client was gone for longer than the grace before it', async () => {
    const play = await played(longGone)
    expect(play.snapshot.value).toEqual({ detached: 'absent' })
    // Its rooms, to which it came back as absent, have nobody to take out.
    expect(play.ran).toEqual(['disown', 'withdraw'])
    expect(play.entered).not.toContain('detached.lingering')
    await play.perform(attach)
    expect(play.ran.slice(2)).toEqual(['own', 'reappear'])
  })

  it('waits for the client of a former process as long as for any other that is absent', async () => {
    const play = await played(longGone)
    await play.clock.advance(resumeWindowMs - presenceGraceMs - 1)
    expect(play.snapshot.status).toBe('active')
    await play.clock.advance(1)
    expect(play.snapshot).toMatchObject({ value: 'expired', status: 'done' })
    expect(play.ran.at(-1)).toBe('leaveRooms')
  })

  it('expires at the end of the resume window, and leaves its rooms', async () => {
    const play = await played(detach)
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
    for (const [, way] of states) {
      const play = await played(...way, leave)
      expect(play.snapshot).toMatchObject({ value: 'left', status: 'done' })
      expect(play.ran.filter((name) => name === 'leaveRooms')).toHaveLength(1)
      expect(play.clock.pending).toBe(0)
    }
  })

  it('[PRESENCE] withdraws and reappears in turn, whatever happens', async () => {
    const happening = fc.oneof(
      fc.constantFrom<Step>(attach, late, detach, longGone),
      fc.integer({ min: 1, max: 30_000 }),
    )
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
