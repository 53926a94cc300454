import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Play, Step } from './chart.ts'
import {
  asked,
  chart,
  count,
  emptied,
  failed,
  join,
  lastStored,
  opened,
  openTimeout,
  played,
  publish,
  read,
  requests,
  storageFailed,
  stored,
  typingStarted,
  typingStopped,
} from './room-steps.ts'

const toAiling = [opened, publish, storageFailed]

/** What was done about one event. */
function answersOf({ calls }: Play, step: Step): string[] {
  return calls.filter(({ event }) => event === step).map(({ name }) => name)
}

describe('a room whose log failed', () => {
  it('waits until the log has answered for everything that it was given, and opens it anew then', async () => {
    const play = await played(...toAiling, stored)
    expect(play.snapshot.value).toBe('ailing')
    expect(play.ran).not.toContain('dropLog')
    await play.perform(lastStored)
    expect(play.snapshot.value).toBe('opening')
    expect(play.ran.slice(-3)).toEqual(['deliver', 'deliver', 'dropLog'])
  })

  it('opens it anew at once when there is nothing to wait for', async () => {
    const play = await played(opened, { ...storageFailed, settled: true })
    expect(play.snapshot.value).toBe('opening')
    expect(play.ran.slice(2)).toEqual(['dropLog'])
  })

  it('[ONCE] gives the log that it lets go of nothing more: requests wait', async () => {
    const play = await played(...toAiling, ...requests)
    expect(play.ran.slice(3)).toEqual(requests.map(() => 'hold'))
    for (const step of [lastStored, publish]) await play.perform(step)
    expect(play.ran.slice(-3)).toEqual(['deliver', 'dropLog', 'hold'])
  })

  it('[GAPLESS] tells what was kept without a word before it does what waited', async () => {
    const play = await played(...toAiling, join, lastStored, opened)
    expect(play.snapshot.value).toBe('open')
    expect(play.ran.slice(-4)).toEqual(['deliver', 'dropLog', 'catchUp', 'runHeld'])
  })

  it('answers who has asked for a page, or to be let in, when the log is open again', async () => {
    const play = await played(...toAiling, read)
    expect(answersOf(play, read)).toEqual(['hold'])
    for (const step of [lastStored, opened]) await play.perform(step)
    expect(play.ran.at(-1)).toBe('runHeld')
  })

  it('is not told twice of one failure: neither while it waits, nor while it opens', async () => {
    const again = { ...storageFailed }
    const play = await played(...toAiling, again)
    expect(play.snapshot.value).toBe('ailing')
    await play.perform(lastStored)
    // Messages fail together; the word of the last comes when the log has been let go of.
    await play.perform(again)
    expect(play.snapshot.value).toBe('opening')
    expect(answersOf(play, again)).toEqual([])
    await play.perform(opened)
    expect(play.snapshot.value).toBe('open')
  })

  it('[PRESENCE] leaves nobody typing for ever: who stops meanwhile is shown as having stopped', async () => {
    const play = await played(opened, typingStarted, storageFailed, typingStopped)
    expect(answersOf(play, typingStopped)).toEqual(['announceTyping'])
    for (const step of [lastStored, typingStarted]) await play.perform(step)
    expect(play.snapshot.value).toBe('opening')
    expect(answersOf(play, typingStarted)).toEqual(['announceTyping', 'announceTyping'])
  })

  it('gives everybody an answer when the log does not open again, and lets go', async () => {
    for (const end of [failed, openTimeout]) {
      const play = await played(...toAiling, join, lastStored, end)
      expect(play.snapshot).toMatchObject({ value: 'closed', status: 'done' })
      expect(play.ran.slice(-3)).toEqual(['dropLog', 'fail', 'closeHistory'])
      expect(play.clock.pending).toBe(0)
    }
  })

  it('opens it anew also when the last member has left it first, and is vacant again then', async () => {
    // The last message failed, and its sender’s `leave` had waited for it.
    const play = await played(opened, publish, emptied, { ...storageFailed, settled: true })
    expect(play.snapshot.value).toBe('opening')
    expect(play.clock.pending).toBe(1)
    for (const step of [opened, emptied]) await play.perform(step)
    expect(play.snapshot.value).toBe('vacant')
    await play.perform(join)
    expect(play.ran.slice(-3)).toEqual(['admit', 'catchUp', 'runHeld'])
  })

  it('does not close while it waits for its log, whoever leaves', async () => {
    const play = await played(...toAiling, emptied)
    expect(play.snapshot.value).toBe('ailing')
    expect(answersOf(play, emptied)).toEqual(['hold'])
    await play.clock.advance(3_600_000)
    expect(play.snapshot.value).toBe('ailing')
  })
})

describe('a room, whatever its log does', () => {
  const happening = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Step>(...asked) },
    { weight: 2, arbitrary: fc.constantFrom<Step>(stored, lastStored, read, count) },
    { weight: 1, arbitrary: fc.constantFrom<Step>(storageFailed, { ...storageFailed, settled: true }) },
    { weight: 2, arbitrary: fc.constantFrom<Step>(opened) },
    { weight: 1, arbitrary: fc.constantFrom<Step>(emptied, failed) },
  )

  it('[ONCE] serves, refuses or holds each request once, and runs or answers whatever it held', async () => {
    const reached = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 30 }), async (happenings) => {
        const play = await chart.play()
        for (const it of happenings) {
          if (!chart.canHappen(play.snapshot, it)) continue
          const state = String(play.snapshot.value)
          reached.add(state)
          const before = play.calls.length
          await play.perform(it)
          if (!requests.includes(it)) continue
          const waits = state === 'opening' || state === 'ailing'
          expect(play.ran[before] === 'hold', play.log.join()).toBe(waits)
        }
        const { value, status } = play.snapshot
        const held = play.ran.lastIndexOf('hold')
        const done = Math.max(play.ran.lastIndexOf('runHeld'), play.ran.lastIndexOf('fail'))
        if (value !== 'opening' && value !== 'ailing') expect(done, play.log.join()).toBeGreaterThanOrEqual(held)
        // One log at a time: one is let go of before the next is caught up with, and the last one at the end.
        const logs = play.ran.filter((name) => name === 'dropLog' || name === 'closeHistory')
        expect(logs.lastIndexOf('closeHistory')).toBe(status === 'done' ? logs.length - 1 : -1)
        play.actor.stop()
        expect(play.clock.pending).toBe(0)
      }),
    )
    expect([...reached].toSorted()).toEqual(['ailing', 'open', 'opening', 'vacant'])
  })
})
