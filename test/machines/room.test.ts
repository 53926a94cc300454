import { describe, expect, it } from 'vitest'
import { roomMachine } from '../../machines/index.ts'
import { Chart } from './chart.ts'
import { walk } from './walk.ts'

const session = {}
const requests = ['join', 'leave', 'publish', 'presence', 'typing', 'history'].map((name) => ({
  type: `room.${name}`,
  session,
  message: { type: name },
}))
const [join, leave, publish] = requests as [(typeof requests)[0], (typeof requests)[0], (typeof requests)[0]]
const opened = { type: 'xstate.done.actor.0.room.opening' }
const failed = { type: 'xstate.error.actor.0.room.opening', error: 'no disk' }
const linger = { type: 'xstate.after.linger.room.vacant' }
const emptied = { type: 'room.emptied', empty: true, kept: true }

const chart = new Chart(roomMachine, {
  input: { room: {} },
  events: [
    ...requests,
    { type: 'room.withdraw', session },
    { type: 'room.reappear', session },
    { type: 'typing.started', session },
    { type: 'typing.stopped', session },
    emptied,
    { ...emptied, kept: false },
    { ...emptied, empty: false },
  ],
  guards: {
    empty: ({ empty }) => empty === true,
    nothingToKeep: ({ kept }) => kept === false,
  },
})

describe('room', () => {
  it('goes where its graph says, and can get everywhere', async () => {
    expect(await walk(chart)).toEqual({
      states: ['opening', 'open', 'vacant', 'closing', 'closed'],
      finals: ['closed'],
      untaken: [],
    })
  })

  it('lets go of its log once, and last, on every way to its end', async () => {
    await walk(chart, ({ ran, snapshot }) => {
      const times = ran.filter((name) => name === 'closeHistory').length
      expect(times).toBe(snapshot.status === 'done' ? 1 : 0)
      if (times === 1) expect(ran.at(-1)).toBe('closeHistory')
    })
  })

  it('puts every request by until its log is open, and then runs what was held', async () => {
    const play = await chart.play()
    for (const step of requests) await play.perform(step)
    expect(play.ran).toEqual(requests.map(() => 'hold'))
    await play.perform(opened)
    expect(play.snapshot.value).toBe('open')
    expect(play.ran.at(-1)).toBe('runHeld')
  })

  it('answers everything held when its log does not open', async () => {
    const play = await chart.play()
    for (const step of [join, failed]) await play.perform(step)
    expect(play.snapshot).toMatchObject({ value: 'closed', status: 'done' })
    expect(play.ran).toEqual(['hold', 'fail', 'closeHistory'])
  })

  it('serves its members while it is open', async () => {
    const play = await chart.play()
    for (const step of [opened, ...requests]) await play.perform(step)
    expect(play.ran).toEqual(['runHeld', 'admit', 'dismiss', 'publish', 'updatePresence', 'noteTyping', 'replay'])
  })

  it('stays open when somebody came in the meantime', async () => {
    const play = await chart.play()
    for (const step of [opened, { ...emptied, empty: false }]) await play.perform(step)
    expect(play.snapshot.value).toBe('open')
  })

  it('refuses who is not a member while it is vacant, and opens for who joins', async () => {
    const play = await chart.play()
    for (const step of [opened, emptied, publish, leave]) await play.perform(step)
    expect(play.snapshot.value).toBe('vacant')
    expect(play.ran).toEqual(['runHeld', 'refuse', 'dismiss'])
    await play.perform(join)
    expect(play.snapshot.value).toBe('open')
    expect(play.ran.slice(3)).toEqual(['admit', 'runHeld'])
    expect(play.clock.pending).toBe(0)
  })

  it('keeps its log for a while, and not longer', async () => {
    const play = await chart.play()
    for (const step of [opened, emptied]) await play.perform(step)
    await play.clock.advance(299_999)
    expect(play.snapshot.value).toBe('vacant')
    await play.clock.advance(1)
    expect(play.snapshot).toMatchObject({ value: 'closed', status: 'done' })
  })

  it('lingers anew each time it is left', async () => {
    const play = await chart.play()
    for (const step of [opened, emptied]) await play.perform(step)
    await play.clock.advance(299_999)
    for (const step of [join, emptied]) await play.perform(step)
    await play.clock.advance(299_999)
    expect(play.snapshot.value).toBe('vacant')
    await play.perform(linger)
    expect(play.snapshot.value).toBe('closed')
  })

  it('closes at once when there is nothing to keep', async () => {
    const play = await chart.play()
    for (const step of [opened, { ...emptied, kept: false }]) await play.perform(step)
    expect(play.snapshot).toMatchObject({ value: 'closed', status: 'done' })
    expect(play.clock.pending).toBe(0)
  })
})
