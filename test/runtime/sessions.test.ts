import { describe, expect, it } from 'vitest'
import { LaggingSessions } from '../lagging-store.ts'
import { ask, byName, claimOf, heard, v1 } from '../protocol/cast.ts'
import { Stage, type RawClient } from '../stage.ts'

const join = { type: 'join', room: 'main' }
const say = (data: unknown): object => ({ type: 'message', room: 'main', data })
const replaced = [{ code: 4009, reason: 'replaced' }]

/** A member whose session is in a store that takes its time, and one who watches. */
async function slowSessions(options = {}) {
  const sessions = new LaggingSessions()
  const stage = new Stage({ ...byName, sessions, ...options })
  const bob = await stage.member('main', { token: 'bob' })
  const ada = await stage.member('main', { token: 'ada' })
  sessions.claims.lag = true
  /** Sends a `hello` that claims her session, without waiting for what comes of it. */
  const claim = async (token = 'ada'): Promise<RawClient> => {
    const client = await stage.connect(v1)
    await ask(stage, client, { type: 'hello', token, resume: claimOf(ada) }, say(`behind ${sessions.claims.size}`))
    return client
  }
  return { sessions, stage, ada, bob, claim, turn: () => stage.clock.settle() }
}

const resumed = (client: RawClient): unknown[] => client.of('welcome').map((welcome) => welcome['resumed'])
const texts = (client: RawClient): unknown[] => heard(client).map(([, data]) => data)

describe('a session in a store that takes its time', () => {
  it.each([
    ['first', [0, 0], ['behind 0', 'behind 1']],
    ['last', [1, 0], ['behind 1']],
  ])('[FENCE] is the newer claim’s, also when that is let in %s', async (_, order, said) => {
    const { sessions, stage, ada, bob, claim, turn } = await slowSessions()
    const [older, newer] = [await claim(), await claim()]
    // Until the store has answered nothing has changed.
    await ask(stage, ada, say('still mine'))
    for (const index of order) {
      sessions.claims.answer(index)
      await turn()
    }
    expect(newer.last('welcome')).toMatchObject({ resumed: true, ...claimOf(ada) })
    expect([ada.closed, older.closed, newer.closed]).toEqual([replaced, replaced, []])
    // What was sent behind its `hello` counts only if it was the owner once.
    expect(texts(bob)).toEqual(['still mine', ...said])
    await ask(stage, newer, say('mine'))
    expect(texts(newer).at(-1)).toBe('mine')
    await stage.clock.advance(200_000)
    expect(stage.runtime.census).toMatchObject({ connections: 2, sessions: 2 })
    expect(bob.of('presence')).toHaveLength(1)
  })

  it('[FENCE] is not touched by what an older claimant says once it has been turned away', async () => {
    const { sessions, stage, bob, claim, turn } = await slowSessions()
    const [older, newer] = [await claim(), await claim()]
    older.socket.pause()
    sessions.claims.answer(1)
    await turn()
    sessions.claims.answer()
    await turn()
    await ask(stage, older, say('late'), { type: 'leave', room: 'main' }, { type: 'hello', token: 'ada' })
    await ask(stage, newer, say('mine'))
    older.socket.close(1000)
    await turn()
    expect(texts(bob)).toEqual(['behind 1', 'mine'])
    expect(bob.of('presence')).toHaveLength(1)
    expect(stage.runtime.census.sessions).toBe(2)
  })

  it('[FENCE] is taken from a half-open socket when the store has answered', async () => {
    const { sessions, stage, ada, bob, claim, turn } = await slowSessions()
    ada.socket.cut({ halfOpen: true })
    await stage.clock.advance(20_000)
    const newer = await claim()
    await stage.clock.advance(5_000)
    sessions.claims.answer()
    await turn()
    expect(resumed(newer)).toEqual([true])
    await stage.clock.advance(60_000)
    await ask(stage, bob, say('for one'))
    expect(texts(newer)).toEqual(['behind 0', 'for one'])
    expect(bob.of('presence')).toHaveLength(1)
  })

  it('[RESUME-2] is a fresh one when the old one expires while it is claimed, and nothing is left of that', async () => {
    const { sessions, stage, ada, bob, claim, turn } = await slowSessions()
    ada.socket.cut()
    await stage.clock.advance(119_000)
    const late = await claim()
    await stage.clock.advance(2_000)
    sessions.claims.answer()
    await turn()
    expect(late.last('welcome')).toMatchObject({ resumed: false, user: 'ada' })
    expect(texts(bob)).toEqual([])
    const ids = [bob, late].map((client) => claimOf(client).session)
    expect([...sessions.disk.keys()]).toEqual(ids)
  })

  it.each(['cut', 'closed with 1000', 'given up'])(
    '[RESUME-1] is its owner’s still when whoever claims it is %s meanwhile',
    async (end) => {
      const { sessions, stage, ada, claim, turn } = await slowSessions()
      const gone = await claim()
      if (end === 'cut') gone.socket.cut()
      else if (end === 'closed with 1000') gone.socket.close(1000)
      else await stage.clock.advance(10_000)
      await turn()
      sessions.claims.answer()
      await turn()
      if (end === 'given up') expect(gone.closed).toEqual([{ code: 4210, reason: 'authentication-timeout' }])
      expect([sessions.disk.size, stage.runtime.census.sessions]).toEqual([2, 2])
      await ask(stage, ada, say('still mine'))
      expect(texts(ada)).toEqual(['still mine'])
      const next = await claim()
      sessions.claims.answer()
      await turn()
      expect([resumed(next), ada.closed]).toEqual([[true], replaced])
    },
  )

  it('[CLOSED] is not left in the store by a connection that ended before it was let in', async () => {
    const { sessions, stage, turn } = await slowSessions()
    sessions.creates.lag = true
    const gone = await stage.connect({ token: 'eve' })
    expect([sessions.disk.size, gone.received]).toEqual([3, []])
    gone.socket.cut()
    await turn()
    expect([...sessions.disk.values()].map(({ record }) => record.user.id)).toEqual(['bob', 'ada'])
    sessions.creates.answer()
    await turn()
    expect([sessions.disk.size, stage.runtime.census]).toEqual([2, { connections: 2, sessions: 2, rooms: 1 }])
  })

  it('[RESUME-2] is not given to another user, who gets a fresh one, and remains its owner’s', async () => {
    const { sessions, ada, bob, claim, turn } = await slowSessions()
    const eve = await claim('eve')
    sessions.claims.answer()
    await turn()
    expect(eve.last('welcome')).toMatchObject({ resumed: false, user: 'eve' })
    expect([ada.closed, texts(bob)]).toEqual([[], []])
    const again = await claim()
    sessions.claims.answer()
    await turn()
    expect(resumed(again)).toEqual([true])
  })

  it('[RESUME-5] is taken over by a late hello, and what is sent right behind it waits for that', async () => {
    const { sessions, stage, ada, bob, turn } = await slowSessions()
    ada.socket.cut()
    const again = await stage.connect({ token: 'ada' })
    const hello = { type: 'hello', id: 1, resume: claimOf(ada) }
    const behind = [say('a'), { type: 'leave', room: 'main', id: 2 }, say('b'), { ...join, id: 3 }, say('c')]
    expect(await ask(stage, again, hello, ...behind, { type: 'ping', id: 4 })).toMatchObject([{ type: 'pong', id: 4 }])
    sessions.claims.answer()
    await turn()
    expect(again.received.slice(2).map(({ type, id, code }) => code ?? id ?? type)).toEqual([
      1,
      'message',
      2,
      'not-a-member',
      3,
      'message',
    ])
    expect(again.of('welcome')[1]).toMatchObject({ id: 1, resumed: true, ...claimOf(ada) })
    expect(texts(bob)).toEqual(['a', 'c'])
    // The fresh one that it had is over.
    expect([stage.runtime.census.sessions, sessions.disk.size]).toEqual([2, 2])
  })

  it('[FENCE] is the newer claim’s when a late hello was overtaken, whose own session is over', async () => {
    const { sessions, stage, ada, claim, turn } = await slowSessions()
    const late = await stage.connect({ token: 'ada' })
    await ask(stage, late, { type: 'hello', resume: claimOf(ada) }, say('late'))
    const newer = await claim()
    sessions.claims.answer(1)
    await turn()
    sessions.claims.answer()
    await turn()
    expect([resumed(newer), late.closed]).toEqual([[true], replaced])
    expect(texts(newer)).toEqual(['behind 1'])
    await turn()
    expect([stage.runtime.census.sessions, sessions.disk.size]).toEqual([2, 2])
  })

  it('[RESUME-5] stays as it was when the store fails, or does not answer', async () => {
    const { sessions, stage, ada, turn } = await slowSessions()
    const late = await stage.connect({ token: 'ada' })
    const own = claimOf(late)
    for (const end of ['fails', 'does not answer'] as const) {
      await ask(stage, late, { type: 'hello', id: end, resume: claimOf(ada) })
      if (end === 'fails') sessions.claims.fail()
      else await stage.clock.advance(10_000)
      await turn()
      expect(late.last('welcome')).toMatchObject({ id: end, resumed: false, ...own })
    }
    sessions.claims.answer()
    await turn()
    expect([late.of('welcome').length, ada.closed, late.closed]).toEqual([3, [], []])
    expect(stage.telemetry.filter(({ type }) => type === 'storage.failed')).toHaveLength(1)
  })

  it('[RESUME-1] waits for its client, who is to come back, when the store fails', async () => {
    const { sessions, stage, ada, bob, claim, turn } = await slowSessions()
    ada.socket.cut()
    const again = await claim()
    sessions.claims.fail()
    await turn()
    // By a code that begins with 40 it would be told to stay away for ever.
    expect([again.received, again.closed]).toEqual([[], [{ code: 1011, reason: 'crashed' }]])
    sessions.creates.lag = true
    const fresh = await stage.connect({ token: 'eve' })
    sessions.creates.fail()
    await turn()
    expect([fresh.received, fresh.closed]).toEqual([[], [{ code: 1011, reason: 'crashed' }]])
    expect(stage.telemetry.filter(({ type }) => type === 'storage.failed')).toHaveLength(2)
    expect([sessions.disk.size, stage.runtime.census.connections]).toEqual([2, 1])
    const back = await claim()
    sessions.claims.answer()
    await turn()
    expect([resumed(back), bob.of('presence').length]).toEqual([[true], 1])
  })
})
