import { describe, expect, it } from 'vitest'
import { clientRoomMachine, type ClientRoomContext } from '../../machines/index.ts'
import { Chart, type Play, type Step } from './chart.ts'
import { walk } from './walk.ts'

const join = { type: 'client.join' }
const paused = { type: 'client.paused' }
const closed = { type: 'client.closed' }
const joined = { type: 'server.joined' }
const postponed = { type: 'server.postponed', retryAfterMs: 700 }
const refused = { type: 'server.refused' }
const gap = { type: 'room.gap' }
const leave = { type: 'room.leave' }
const noAnswer = { type: 'xstate.after.joinTimeout.client-room.joining' }
const healDelay = { type: 'xstate.after.healDelay.client-room.missing' }
const retryAfter = { type: 'xstate.after.retryAfter.client-room.postponed' }
const noHealing = { type: 'xstate.after.joinTimeout.client-room.recovering' }

const chart = new Chart(clientRoomMachine, {
  input: { room: {} },
  events: [join, paused, closed, joined, postponed, refused, gap, leave],
  // Heals only count up; with them the graph would have no end.
  memory: ({ recentHeals }: ClientRoomContext) => recentHeals > 0,
})

async function played(...steps: Step[]): Promise<Play> {
  const play = await chart.play()
  for (const step of steps) await play.perform(step)
  return play
}

const healsOf = (play: Play): number => (play.snapshot.context as ClientRoomContext).heals
const ways: readonly (readonly Step[])[] = [
  [],
  [join],
  [join, postponed],
  [join, joined],
  [join, joined, gap],
  [join, joined, gap, joined, gap],
]

describe('client-room', () => {
  it('goes where its graph says, and can get everywhere', async () => {
    expect(await walk(chart)).toEqual({
      states: ['waiting', 'joining', 'postponed', 'joined', 'missing', 'recovering', 'left'],
      finals: ['left'],
      untaken: [],
    })
  })

  it('asks once for each time that it has to be let in', async () => {
    const play = await played(join, join, joined, joined, paused, join)
    expect(play.snapshot.value).toBe('joining')
    expect(play.ran.filter((name) => name === 'sendJoin')).toHaveLength(2)
  })

  it('asks again when something is missing, once however much that is', async () => {
    const play = await played(join, joined, gap, gap, gap)
    expect(play.snapshot.value).toBe('recovering')
    expect(play.ran).toEqual(['sendJoin', 'sendJoin'])
    await play.perform(joined)
    expect(play.snapshot.value).toBe('joined')
    expect(healsOf(play)).toBe(1)
  })

  it('asks again when there is no answer, and does not count that as a loss', async () => {
    const play = await played(join, noAnswer)
    expect([play.snapshot.value, play.ran.length, healsOf(play)]).toEqual(['joining', 2, 0])
    for (const step of [joined, gap, noHealing]) await play.perform(step)
    expect([play.snapshot.value, play.ran.length, healsOf(play)]).toEqual(['recovering', 4, 1])
  })

  it('asks again when the server has said, whether it is in already or not', async () => {
    const play = await played(join, postponed)
    expect([play.snapshot.value, play.ran.length]).toEqual(['postponed', 1])
    await play.perform(retryAfter)
    expect([play.snapshot.value, play.ran.length]).toEqual(['joining', 2])
    for (const step of [joined, gap, postponed]) await play.perform(step)
    await play.clock.advance(699)
    expect([play.snapshot.value, play.ran.length]).toEqual(['missing', 3])
    await play.clock.advance(1)
    expect([play.snapshot.value, play.ran.length, healsOf(play)]).toEqual(['recovering', 4, 1])
    // What held it up then does not the next time.
    for (const step of [joined, gap]) await play.perform(step)
    await play.clock.advance(100)
    expect(play.snapshot.value).toBe('recovering')
  })

  it('takes a late answer to what it has asked before', async () => {
    for (const way of [
      [join, postponed],
      [join, joined, gap, postponed],
    ]) {
      const play = await played(...way, joined)
      expect(play.snapshot.value).toBe('joined')
    }
  })

  it('asks at once for the first loss, and after ever longer waits for what is lost soon after', async () => {
    const play = await played(join, joined, gap)
    expect(play.snapshot.value).toBe('recovering')
    for (const waitMs of [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 20_000, 20_000]) {
      for (const step of [joined, gap]) await play.perform(step)
      await play.clock.advance(waitMs - 1)
      expect(play.snapshot.value).toBe('missing')
      await play.clock.advance(1)
      expect(play.snapshot.value).toBe('recovering')
    }
    expect(healsOf(play)).toBe(11)
    await play.perform(joined)
    await play.clock.advance(9_999)
    await play.perform(gap)
    expect(play.snapshot.value).toBe('missing')
    for (const step of [healDelay, joined]) await play.perform(step)
    await play.clock.advance(10_000)
    await play.perform(gap)
    expect(play.snapshot.value).toBe('recovering')
  })

  it('finds something missing only when it is in', async () => {
    for (const way of [[], [join]]) expect(healsOf(await played(...way, gap))).toBe(0)
  })

  it('waits when the connection is gone, without a timer, and shows nobody as typing', async () => {
    for (const way of ways) {
      const play = await played(...way, paused)
      expect(play.snapshot.value).toBe('waiting')
      expect(play.ran.at(-1)).toBe('forgetTypists')
      expect(play.clock.pending).toBe(0)
      for (const step of [joined, gap]) await play.perform(step)
      expect(play.snapshot.value).toBe('waiting')
    }
  })

  it('is over for good when it is left, refused, or its client is closed', async () => {
    for (const way of ways) {
      for (const step of [leave, refused, closed]) {
        const play = await played(...way, step)
        expect(play.snapshot).toMatchObject({ value: 'left', status: 'done' })
        expect(play.clock.pending).toBe(0)
      }
    }
  })
})
