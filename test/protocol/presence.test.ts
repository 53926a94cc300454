import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Stage, type RawClient } from '../stage.ts'
import { ask, byName, claimOf, greet } from './cast.ts'

interface Member {
  readonly user: string
  readonly state?: unknown
}

const state = (value: unknown, fields: object = {}): object => ({
  type: 'presence',
  room: 'main',
  state: value,
  ...fields,
})

/** What a client knows of who is here, from `joined` and everything since. */
function shownTo(client: RawClient): Record<string, unknown> {
  const members = new Map<string, unknown>()
  for (const message of client.received) {
    if (message.type === 'joined') members.clear()
    const { members: all = [], joined = [], updated = [], left = [] } = message as Record<string, unknown>
    for (const member of [...(all as Member[]), ...(joined as Member[]), ...(updated as Member[])]) {
      members.set(member.user, member.state)
    }
    for (const user of left as string[]) members.delete(user)
  }
  return Object.fromEntries(members)
}

const changes = (client: RawClient): unknown[] =>
  client.of('presence').map(({ type: _, room: __, ...change }) => change)

describe('presence', () => {
  it('[PRESENCE-1] shows a new state to all, the sender included, and an old one to nobody', async () => {
    const stage = new Stage(byName)
    const [ada, bob] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'bob' })]
    const before = changes(ada).length
    for (const value of [{ mood: 'fine' }, { mood: 'fine' }, null, null, 0, [1]]) await ask(stage, ada, state(value))
    const updates = [{ mood: 'fine' }, null, 0, [1]].map((value) => ({ updated: [{ user: 'ada', state: value }] }))
    expect(changes(bob)).toEqual(updates)
    expect(changes(ada).slice(before)).toEqual(updates)
  })

  it('[PRESENCE-2] that is too large, too deep, absent or elsewhere is refused, and the old one stays', async () => {
    const stage = new Stage(byName)
    const [ada, bob] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'bob' })]
    await ask(stage, ada, state('good'))
    const deep = JSON.parse('['.repeat(33) + ']'.repeat(33)) as unknown
    const wide = Array.from({ length: 10_001 }, () => 0)
    const replies = await ask(
      stage,
      ada,
      state('x'.repeat(2_047), { id: 1 }),
      state(deep, { id: 2 }),
      state(wide, { id: 3 }),
      { type: 'presence', room: 'main', id: 4 },
      state(1, { room: 'other', id: 5 }),
    )
    expect(replies.map(({ code, id }) => [code, id])).toEqual([
      ['presence-too-large', 1],
      ['bad-data', 2],
      ['bad-data', 3],
      ['bad-message', 4],
      ['not-a-member', 5],
    ])
    expect(shownTo(bob)).toEqual({ ada: 'good', bob: undefined })
    await ask(stage, ada, state('x'.repeat(2_046)))
    expect(shownTo(bob)['ada']).toHaveLength(2_046)
  })

  it('[PRESENCE-3] announces who comes and who goes to the others alone', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await stage.connect({ token: 'ada' })
    await ask(stage, ada, { type: 'join', room: 'main', presence: 'A' })
    await ask(stage, ada, { type: 'leave', room: 'main' })
    expect(changes(bob)).toEqual([{ joined: [{ user: 'ada', state: 'A' }] }, { left: ['ada'] }])
    expect(changes(ada)).toEqual([])
  })

  it('[PRESENCE-4] shows a user of several sessions once, as the last of them says', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const [one, two, mute] = [
      await greet(stage, { token: 'ada' }),
      await greet(stage, { token: 'ada' }),
      await greet(stage, { token: 'ada' }),
    ]
    await ask(stage, one, { type: 'join', room: 'main', presence: 'one' })
    await ask(stage, two, { type: 'join', room: 'main', presence: 'two' })
    await ask(stage, mute, { type: 'join', room: 'main' })
    expect(shownTo(bob)['ada']).toBe('two')
    await ask(stage, one, state('one again'))
    expect(shownTo(bob)['ada']).toBe('one again')
    await ask(stage, one, { type: 'leave', room: 'main' })
    expect(shownTo(bob)['ada']).toBe('two')
    await ask(stage, two, { type: 'leave', room: 'main' })
    expect(shownTo(bob)).toEqual({ ada: undefined, bob: undefined })
    await ask(stage, mute, { type: 'leave', room: 'main' })
    expect(shownTo(bob)).toEqual({ bob: undefined })
  })

  it('[PRESENCE] three tabs come once and go once, however each of them ends', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const [first, second, third] = [
      await stage.member('main', { token: 'ada' }),
      await stage.member('main', { token: 'ada' }),
      await stage.member('main', { token: 'ada' }),
    ]
    await ask(stage, first, { type: 'leave', room: 'main' })
    second.socket.close(1000)
    third.socket.cut()
    await stage.clock.advance(14_999)
    expect(changes(bob)).toEqual([{ joined: [{ user: 'ada' }] }])
    await stage.clock.advance(1)
    expect(changes(bob)).toEqual([{ joined: [{ user: 'ada' }] }, { left: ['ada'] }])
    await stage.clock.advance(200_000)
    expect(changes(bob)).toHaveLength(2)
  })

  it('[PRESENCE] a reconnect inside the grace shows nothing, one after it a going and a coming', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    let ada = await stage.member('main', { token: 'ada' })
    const claim = claimOf(ada)
    for (const away of [0, 1_000, 14_999]) {
      ada.socket.cut()
      await stage.clock.advance(away)
      ada = await greet(stage, { token: 'ada', resume: claim })
      await ask(stage, ada, { type: 'join', room: 'main' })
    }
    expect(changes(bob)).toEqual([{ joined: [{ user: 'ada' }] }])
    ada.socket.cut()
    await stage.clock.advance(15_000)
    expect(changes(bob).slice(1)).toEqual([{ left: ['ada'] }])
    ada = await greet(stage, { token: 'ada', resume: claim })
    expect(changes(bob).slice(2)).toEqual([{ joined: [{ user: 'ada' }] }])
  })

  it('[PRESENCE] whoever leaves with 1000 is gone at once, without a code after the grace', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const [ada, eve] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'eve' })]
    ada.socket.close(1000)
    eve.socket.close()
    await stage.clock.settle()
    expect(shownTo(bob)).toEqual({ bob: undefined, eve: undefined })
    await stage.clock.advance(15_000)
    expect(shownTo(bob)).toEqual({ bob: undefined })
  })

  it('[PRESENCE] whose network went without a word is gone within 60 s, whenever that was', async () => {
    for (const silentFrom of [0, 1, 10_000, 24_999, 25_001, 29_000]) {
      const stage = new Stage(byName)
      const bob = await stage.member('main', { token: 'bob' })
      const ada = await stage.member('main', { token: 'ada' })
      await stage.clock.advance(silentFrom)
      await ask(stage, ada, { type: 'ping' })
      ada.socket.cut({ halfOpen: true })
      await stage.clock.advance(60_000)
      expect([silentFrom, shownTo(bob)]).toEqual([silentFrom, { bob: undefined }])
      await stage.close()
    }
  })

  it('[PRESENCE] equals the users who are here, after any coming, going, cut and return', async () => {
    const step = fc.record({
      user: fc.constantFrom('ada', 'eve'),
      tab: fc.nat({ max: 2 }),
      action: fc.constantFrom('come', 'leave', 'cut', 'halfOpen', 'close', 'state'),
      wait: fc.constantFrom(0, 0, 1_000, 16_000),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const stage = new Stage(byName)
        const bob = await stage.member('main', { token: 'bob' })
        const tabs = new Map<string, { client: RawClient; here: boolean }>()
        for (const { user, tab, action, wait } of steps) {
          const key = `${user}${tab}`
          const known = tabs.get(key)
          if (action === 'come') {
            const resume = known && claimOf(known.client)
            const client = await greet(stage, { token: user, ...(resume && { resume }) })
            await ask(stage, client, { type: 'join', room: 'main', presence: key })
            tabs.set(key, { client, here: true })
          } else if (known !== undefined) {
            if (action === 'leave') await ask(stage, known.client, { type: 'leave', room: 'main' })
            else if (action === 'cut') known.client.socket.cut()
            else if (action === 'halfOpen') known.client.socket.cut({ halfOpen: true })
            else if (action === 'close') known.client.socket.close(1000)
            else await ask(stage, known.client, state(`${key}!`))
            if (action !== 'state') tabs.set(key, { ...known, here: false })
          }
          await stage.clock.advance(wait)
        }
        await stage.clock.advance(60_000)
        const here = [...tabs].filter(([, { here }]) => here).map(([key]) => key.slice(0, 3))
        expect(Object.keys(shownTo(bob)).toSorted()).toEqual([...new Set(['bob', ...here])].toSorted())
        const [joined] = await ask(stage, await greet(stage, { token: 'bob' }), { type: 'join', room: 'main' })
        const { members } = joined as unknown as { members: Member[] }
        expect(Object.fromEntries(members.map(({ user, state }) => [user, state]))).toEqual(shownTo(bob))
        await stage.close()
      }),
      { numRuns: 60 },
    )
  })
})
