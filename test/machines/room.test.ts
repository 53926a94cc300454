import { describe, expect, it } from 'vitest'
import {
  asked,
  chart,
  count,
  emptied,
  failed,
  join,
  leave,
  linger,
  opened,
  openTimeout,
  played,
  publish,
  read,
  reappear,
  requests,
  restore,
  stored,
  typingStarted,
  typingStopped,
  withdraw,
} from './room-steps.ts'
import { walk } from './walk.ts'

describe('room', () => {
  it('goes where its graph says, and can get everywhere', async () => {
    expect(await walk(chart)).toEqual({
      states: ['opening', 'open', 'ailing', 'vacant', 'closing', 'closed'],
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

  it('puts everything by until its log is open, and then runs what was held', async () => {
    const play = await played(...asked, count, read)
    expect(play.ran).toEqual([...asked, count, read].map(() => 'hold'))
    await play.perform(opened)
    expect(play.snapshot.value).toBe('open')
    expect(play.ran.slice(-2)).toEqual(['catchUp', 'runHeld'])
  })

  it('answers everything held when its log does not open, or not in time', async () => {
    for (const end of [failed, openTimeout]) {
      const play = await played(join, end)
      expect(play.snapshot).toMatchObject({ value: 'closed', status: 'done' })
      expect(play.ran).toEqual(['hold', 'fail', 'closeHistory'])
      expect(play.clock.pending).toBe(0)
    }
  })

  it('gives its log the stated time to open, and no longer', async () => {
    const play = await played(join)
    await play.clock.advance(9_999)
    expect(play.snapshot.value).toBe('opening')
    await play.clock.advance(1)
    expect(play.snapshot.value).toBe('closed')
    expect(play.invoked.get('openHistory')?.signal.aborted).toBe(true)
  })

  it('serves its members while it is open', async () => {
    const play = await played(opened, ...requests)
    expect(play.ran.slice(2)).toEqual(['admit', 'dismiss', 'publish', 'updatePresence', 'noteTyping', 'replay'])
  })

  it('does what its sessions, its log and its timers tell it while it is open, and stays as it is', async () => {
    const play = await played(opened, withdraw, reappear, restore, stored, read, count, typingStarted, typingStopped)
    expect(play.snapshot.value).toBe('open')
    expect(play.ran.slice(2)).toEqual([
      'withdraw',
      'reappear',
      'restore',
      'deliver',
      'answerRead',
      'announceCount',
      'announceTyping',
      'announceTyping',
    ])
  })

  it('[PRESENCE] takes its members of before in before it does what is asked after them', async () => {
    const play = await played(restore, join, opened)
    expect(play.calls.filter(({ name }) => name === 'hold').map(({ event }) => event.type)).toEqual([
      'room.restore',
      'room.join',
    ])
    expect(play.ran.at(-1)).toBe('runHeld')
  })

  it('stays open when somebody came in the meantime', async () => {
    expect((await played(opened, { ...emptied, empty: false })).snapshot.value).toBe('open')
  })

  it('refuses who is not a member while it is vacant, and opens for who joins', async () => {
    const play = await played(opened, emptied, publish, leave)
    expect(play.snapshot.value).toBe('vacant')
    expect(play.ran.slice(2)).toEqual(['noteVacant', 'refuse', 'dismiss'])
    await play.perform(join)
    expect(play.snapshot.value).toBe('open')
    expect(play.ran.slice(5)).toEqual(['noteTaken', 'admit', 'catchUp', 'runHeld'])
    expect(play.clock.pending).toBe(0)
  })

  it('opens for a member of before as for one who joins', async () => {
    const play = await played(opened, emptied, restore)
    expect(play.snapshot.value).toBe('open')
    expect(play.ran.slice(2)).toEqual(['noteVacant', 'noteTaken', 'restore', 'catchUp', 'runHeld'])
    expect(play.clock.pending).toBe(0)
  })

  it('tells a count that is due also when nobody is left to hear it, and stays vacant', async () => {
    const play = await played(opened, emptied, count)
    expect(play.snapshot.value).toBe('vacant')
    expect(play.ran.at(-1)).toBe('announceCount')
  })

  it('keeps its log for a while, and not longer', async () => {
    const play = await played(opened, emptied)
    await play.clock.advance(299_999)
    expect(play.snapshot.value).toBe('vacant')
    await play.clock.advance(1)
    expect(play.snapshot).toMatchObject({ value: 'closed', status: 'done' })
  })

  it('lingers anew each time it is left', async () => {
    const play = await played(opened, emptied)
    await play.clock.advance(299_999)
    for (const step of [join, emptied]) await play.perform(step)
    await play.clock.advance(299_999)
    expect(play.snapshot.value).toBe('vacant')
    await play.perform(linger)
    expect(play.snapshot.value).toBe('closed')
  })

  it('closes at once when there is nothing to keep', async () => {
    const play = await played(opened, { ...emptied, kept: false })
    expect(play.snapshot).toMatchObject({ value: 'closed', status: 'done' })
    expect(play.clock.pending).toBe(0)
  })
})
