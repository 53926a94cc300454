import { describe, expect, it } from 'vitest'
import { heartbeatMachine } from '../../machines/index.ts'
import { Chart } from './chart.ts'
import { walk } from './walk.ts'

const interval = { type: 'xstate.after.interval.heartbeat.waiting' }
const patience = { type: 'xstate.after.patience.heartbeat.probing' }
const morePatience = { type: 'xstate.after.patience.heartbeat.suspect' }
const heard = { type: 'socket.heard' }

const chart = new Chart(heartbeatMachine, {
  input: { link: {} },
  events: [heard, patience, { ...patience, traffic: true }, morePatience, { ...morePatience, traffic: true }],
  guards: { heardMeanwhile: ({ traffic }) => traffic === true },
})

describe('heartbeat', () => {
  it('goes where its graph says, and can get everywhere', async () => {
    expect(await walk(chart)).toEqual({
      states: ['waiting', 'probing', 'suspect', 'lost'],
      finals: ['lost'],
      untaken: [],
    })
  })

  it('waits again when a probe is answered', async () => {
    const play = await chart.play()
    for (const step of [interval, heard]) await play.perform(step)
    expect(play.snapshot.value).toBe('waiting')
    for (const step of [interval, patience, heard]) await play.perform(step)
    expect(play.snapshot.value).toBe('waiting')
    expect(play.ran).toEqual(['probe', 'probe', 'probe'])
  })

  it('takes any traffic for an answer, to the first probe and to the second', async () => {
    const play = await chart.play()
    for (const step of [interval, { ...patience, traffic: true }]) await play.perform(step)
    expect(play.snapshot.value).toBe('waiting')
    for (const step of [interval, patience, { ...morePatience, traffic: true }]) await play.perform(step)
    expect(play.snapshot.value).toBe('waiting')
  })

  it('is lost after two probes without an answer, at the stated time', async () => {
    const play = await chart.play()
    await play.clock.advance(25_000 + 5_000 + 4_999)
    expect(play.snapshot.value).toBe('suspect')
    await play.clock.advance(1)
    expect(play.snapshot).toMatchObject({ value: 'lost', status: 'done' })
    expect(play.ran).toEqual(['probe', 'probe'])
    expect(play.clock.pending).toBe(0)
  })

  it('begins to count anew with every answer', async () => {
    const play = await chart.play()
    for (const step of [interval, patience, heard, interval, patience]) await play.perform(step)
    expect(play.snapshot).toMatchObject({ value: 'suspect', status: 'active' })
    play.actor.stop()
  })
})
