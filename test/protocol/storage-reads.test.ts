import { describe, expect, it } from 'vitest'
import { LaggingHistory } from '../lagging-store.ts'
import { Stage } from '../stage.ts'
import { ask, byName, claimOf, greet, heard, replayed } from './cast.ts'

const main = { room: 'main' }
const say = (id: number | string): object => ({ type: 'message', ...main, data: id, id })
const historyOf = { type: 'history', ...main, id: 'history' }

/** Two members of a room whose log keeps at once, and reads when the test says. */
async function slowReads(options = {}) {
  const history = new LaggingHistory()
  const stage = new Stage({ ...byName, history, ...options })
  const ada = await stage.member('main', { token: 'ada' })
  const bob = await stage.member('main', { token: 'bob' })
  history.prompt = true
  history.reads.lag = true
  const turn = (): Promise<void> => stage.clock.settle()
  return { history, stage, ada, bob, turn }
}

describe('somebody for whom a log is read that takes its time', () => {
  it('[GAPLESS] finds what was kept without a word, once, when it reads the log meanwhile', async () => {
    const { history, stage, ada, bob, turn } = await slowReads()
    const { epoch } = bob.last('joined')
    bob.socket.cut()
    await ask(stage, ada, say(1))
    history.prompt = false
    const again = await greet(stage, { token: 'bob', resume: claimOf(bob) })
    await ask(stage, again, { type: 'join', ...main, since: { epoch, offset: 0 }, id: 1 })
    await ask(stage, ada, say(2), say(3))
    history.settle('hushed', 1)
    history.settle('kept', 1)
    await turn()
    history.reads.lag = false
    history.reads.answerAll()
    await turn()
    const [joined] = again.of('joined')
    expect(joined).toMatchObject({ recovered: true, offset: 3 })
    expect(replayed(joined).map(({ offset, data }) => [offset, data])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ])
    expect(heard(again)).toEqual([])
    history.prompt = true
    await ask(stage, ada, say(4))
    expect(heard(again)).toEqual([[4, 4]])
  })

  it('[GAPLESS] is told that nothing is recovered when the log cannot be read, or does not answer', async () => {
    for (const end of ['fails', 'does not answer'] as const) {
      const { history, stage, ada, bob, turn } = await slowReads()
      const since = { epoch: bob.last('joined')['epoch'], offset: 0 }
      await ask(stage, ada, say(1))
      expect(await ask(stage, bob, { type: 'join', ...main, since, id: 1 }, { ...historyOf, id: 2 })).toEqual([])
      await ask(stage, ada, say(2))
      if (end === 'fails') history.reads.fail()
      else await stage.clock.advance(10_000)
      await turn()
      expect(bob.last('joined')).toMatchObject({ id: 1, recovered: false, messages: [], offset: 2 })
      history.reads.lag = false
      history.reads.answerAll()
      await ask(stage, ada, say(3))
      expect(bob.last('history')).toMatchObject({ id: 2, complete: true })
      expect(heard(bob).at(-1)).toEqual([3, 3])
      await stage.close()
    }
  })
  it('[HISTORY-1] is told that the page could not be read: an empty one would say that there is nothing', async () => {
    for (const end of ['fails', 'does not answer'] as const) {
      const { history, stage, ada, bob, turn } = await slowReads()
      await ask(stage, ada, say(1))
      expect(await ask(stage, bob, { ...historyOf, id: 1 }, say(2))).toEqual([])
      if (end === 'fails') history.reads.fail()
      else await stage.clock.advance(10_000)
      await turn()
      expect(bob.received.slice(-3)).toMatchObject([
        { type: 'error', code: 'storage-failed', id: 1, room: 'main' },
        { type: 'message', data: 2 },
        { type: 'ack', id: 2 },
      ])
      // An answer that comes too late is nobody's.
      history.reads.answerAll()
      await turn()
      expect(bob.of('history')).toEqual([])
      await stage.close()
    }
  })

  it('[JOINED-3] hears nothing of the room before it is answered, and everything from there on', async () => {
    const { history, stage, ada, bob, turn } = await slowReads()
    const since = { epoch: bob.last('joined')['epoch'], offset: 0 }
    await ask(stage, ada, say(1))
    const before = bob.received.length
    await ask(stage, bob, { type: 'join', ...main, since, id: 1 })
    await ask(
      stage,
      ada,
      say(2),
      { type: 'presence', ...main, state: 'new' },
      { type: 'typing', ...main, typing: true },
    )
    expect(bob.received).toHaveLength(before)
    history.reads.answer()
    await turn()
    expect(bob.received.slice(before)).toMatchObject([
      { type: 'joined', recovered: true, offset: 2, members: [{ user: 'ada', state: 'new' }, { user: 'bob' }] },
      { type: 'typing', user: 'ada', typing: true },
    ])
    expect(replayed(bob.last('joined')).map(({ offset }) => offset)).toEqual([1, 2])
  })

  it('[GAPLESS] is not recovered when more comes meanwhile than one answer holds', async () => {
    const { history, stage, ada, bob, turn } = await slowReads({ replayCount: 3 })
    const { epoch } = bob.last('joined')
    await ask(stage, ada, say(1))
    for (const [said, recovered] of [
      [2, true],
      [3, false],
    ] as const) {
      const since = { epoch, offset: Number(bob.last('message')['offset']) - 1 }
      await ask(stage, bob, { type: 'join', ...main, since })
      for (let i = 0; i < said; i++) await ask(stage, ada, say(`${said} ${i}`))
      history.reads.answer()
      await turn()
      expect(bob.last('joined')).toMatchObject({ recovered })
      await ask(stage, ada, say(`after ${said}`))
    }
    expect(heard(bob).map(([offset]) => offset)).toEqual([1, 4, 8])
  })

  it('[JOIN-4] leaves in its turn, also when it is its end: nobody is left behind in the room', async () => {
    const { history, stage, ada, bob, turn } = await slowReads()
    const since = { epoch: bob.last('joined')['epoch'], offset: 0 }
    await ask(stage, bob, { type: 'join', ...main, since })
    bob.socket.close(1000)
    await turn()
    expect([ada.of('presence').length, stage.runtime.census.sessions]).toEqual([1, 1])
    history.reads.answer()
    await turn()
    expect(ada.last('presence')).toMatchObject({ left: ['bob'] })
    await ask(stage, ada, { type: 'leave', ...main })
    expect(stage.runtime.census.rooms).toBe(0)
  })
})
