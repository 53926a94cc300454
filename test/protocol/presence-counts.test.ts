import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineRoom } from 'greenroom'
import { Stage, type RawClient } from '../stage.ts'
import { ask, brittleHistory, byName, claimOf, greet } from './cast.ts'

const counted = { ...byName, rooms: { 'main*': defineRoom({ presence: 'count' }) } }
const join = { type: 'join', room: 'main' }
const leave = { type: 'leave', room: 'main' }

/** The counts that a client was told, by `joined` and by `presence`. */
const counts = (client: RawClient): unknown[] =>
  client.received.filter(({ type }) => type === 'joined' || type === 'presence').map(({ count }) => count)

/** Several members, one after the other. */
async function members(stage: Stage, ...tokens: string[]): Promise<RawClient[]> {
  const clients: RawClient[] = []
  for (const token of tokens) clients.push(await stage.member('main', { token }))
  return clients
}

describe('a room that tells how many are here', () => {
  it('[COUNT-1] says so in joined, and names nobody', async () => {
    const stage = new Stage(counted)
    const [ada, bob] = await members(stage, 'ada', 'bob')
    expect(ada?.last('joined')).toMatchObject({ members: [], count: 1 })
    expect(bob?.last('joined')).toMatchObject({ members: [], count: 2 })
    expect(await ask(stage, bob as RawClient, { type: 'presence', room: 'main', state: 'busy', id: 1 })).toEqual([
      { type: 'ack', id: 1, room: 'main' },
    ])
    await stage.clock.advance(10_000)
    expect(ada?.of('presence')).toEqual([{ type: 'presence', room: 'main', count: 2 }])
    expect(bob?.of('presence')).toEqual([{ type: 'presence', room: 'main', count: 2 }])
    // Nothing about a state either, however often it changes.
    await ask(stage, bob as RawClient, { type: 'presence', room: 'main', state: 'back' })
    await stage.clock.advance(10_000)
    expect(ada?.of('presence')).toHaveLength(1)
    // A room of the usual kind is told as usual.
    const other = await stage.member('other', { token: 'cyd' })
    expect(other.last('joined')).toMatchObject({ members: [{ user: 'cyd' }] })
    expect(other.last('joined')).not.toHaveProperty('count')
  })

  it('[COUNT-1] says so once a second at most, however many come and go, and is right in the end', async () => {
    const stage = new Stage(counted)
    const [ada] = await members(stage, 'ada')
    await stage.clock.advance(5_000)
    const before = counts(ada as RawClient).length
    const crowd = await members(stage, ...Array.from({ length: 40 }, (_, i) => `user ${i}`))
    expect(counts(ada as RawClient)).toHaveLength(before)
    await stage.clock.advance(1_000)
    expect(counts(ada as RawClient).slice(before)).toEqual([41])
    for (const client of crowd.slice(0, 30)) {
      await ask(stage, client, leave)
      await stage.clock.advance(100)
    }
    await stage.clock.advance(1_000)
    expect(counts(ada as RawClient).length - before).toBeLessThanOrEqual(1 + 4)
    expect(counts(ada as RawClient).at(-1)).toBe(11)
    expect(counts(crowd.at(-1) as RawClient).at(-1)).toBe(11)
    // Nothing more is said when nothing more happens.
    const told = counts(ada as RawClient).length
    await stage.clock.advance(60_000)
    expect(counts(ada as RawClient)).toHaveLength(told)
  })

  it('[COUNT-1] is right for whoever was told another number on coming in', async () => {
    const stage = new Stage(counted)
    const [ada, bob] = await members(stage, 'ada', 'bob')
    await stage.clock.advance(1_000)
    // The number that the others know is the same again when it is due; the newcomer knows another.
    const [cyd] = await members(stage, 'cyd')
    await ask(stage, ada as RawClient, leave)
    await stage.clock.advance(1_000)
    expect([counts(cyd as RawClient).at(-1), counts(bob as RawClient).at(-1)]).toEqual([2, 2])
    // So does one who asks anew.
    await ask(stage, cyd as RawClient, leave)
    await ask(stage, bob as RawClient, join)
    const [dan] = await members(stage, 'dan')
    await stage.clock.advance(1_000)
    expect([counts(bob as RawClient).at(-1), counts(dan as RawClient).at(-1)]).toEqual([2, 2])
  })

  it('[COUNT-1] [PRESENCE] counts users: one with three tabs comes once and goes once', async () => {
    const stage = new Stage(counted)
    const [ada, ...tabs] = await members(stage, 'ada', 'bob', 'bob', 'bob')
    await stage.clock.advance(1_000)
    expect(tabs.map((tab) => tab.last('joined')['count'])).toEqual([2, 2, 2])
    const before = counts(ada as RawClient).length
    for (const tab of tabs.slice(0, 2)) await ask(stage, tab, leave)
    await stage.clock.advance(60_000)
    expect(counts(ada as RawClient)).toHaveLength(before)
    await ask(stage, tabs[2] as RawClient, leave)
    await stage.clock.advance(1_000)
    expect(counts(ada as RawClient).slice(before)).toEqual([1])
  })

  it('[COUNT-1] [PRESENCE] shows nothing of who comes back within the grace, and counts who does not as gone', async () => {
    const stage = new Stage(counted)
    const [ada, bob] = await members(stage, 'ada', 'bob')
    await stage.clock.advance(1_000)
    const before = counts(ada as RawClient).length
    bob?.socket.cut()
    await stage.clock.advance(10_000)
    const back = await greet(stage, { token: 'bob', resume: claimOf(bob as RawClient) })
    expect(await ask(stage, back, join)).toMatchObject([{ type: 'joined', count: 2 }])
    await stage.clock.advance(60_000)
    expect(counts(ada as RawClient)).toHaveLength(before)
    back.socket.cut()
    await stage.clock.advance(16_100)
    expect(counts(ada as RawClient).slice(before)).toEqual([1])
    const again = await greet(stage, { token: 'bob', resume: claimOf(back) })
    await stage.clock.advance(1_000)
    expect(counts(ada as RawClient).slice(before)).toEqual([1, 2])
    expect(counts(again)).toEqual([2])
  })

  it('[COUNT-1] says so also when the room has crashed meanwhile', async () => {
    const { history, faults } = brittleHistory()
    const stage = new Stage({ ...counted, history })
    const [ada, bob] = await members(stage, 'ada', 'bob')
    await stage.clock.advance(1_000)
    await members(stage, 'cyd')
    faults.appends = 1
    const [error] = await ask(stage, bob as RawClient, { type: 'message', room: 'main', data: 'x', id: 1 })
    expect(error).toMatchObject({ type: 'error', id: 1 })
    await stage.clock.advance(1_000)
    expect(counts(ada as RawClient).at(-1)).toBe(3)
    await ask(stage, bob as RawClient, leave)
    await stage.clock.advance(1_000)
    expect(counts(ada as RawClient).at(-1)).toBe(2)
  })

  it('[CLOSED] leaves no timer when it is left before it has said so', async () => {
    const stage = new Stage(counted)
    const [ada] = await members(stage, 'ada')
    ada?.socket.close(1000)
    await stage.clock.settle()
    expect(stage.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
    expect(stage.clock.pending).toBe(0)
  })

  it('[COUNT-1] tells everybody the right number in the end, over any coming, going, cut and return', async () => {
    const step = fc.record({
      does: fc.constantFrom('join', 'join', 'leave', 'leave', 'cut', 'back', 'state'),
      who: fc.nat({ max: 5 }),
      ms: fc.constantFrom(0, 0, 0, 100, 400, 1_000, 20_000),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const stage = new Stage(counted)
        // Three users, two tabs each.
        const tabs = await Promise.all([0, 1, 2, 3, 4, 5].map((i) => greet(stage, { token: `user ${i % 3}` })))
        const present = new Set<number>()
        const told = new Map<number, number[]>()
        const listen = (who: number): void => {
          const times: number[] = []
          told.set(who, times)
          const { socket } = tabs[who] as RawClient
          const { onmessage } = socket
          socket.onmessage = (event) => {
            if (String(event.data).includes('"presence"')) times.push(stage.clock.now())
            onmessage?.(event)
          }
        }
        for (const who of tabs.keys()) listen(who)
        for (const { does, who, ms } of steps) {
          const tab = tabs[who] as RawClient
          if (does === 'cut') {
            tab.socket.cut()
          } else if (does === 'back') {
            tabs[who] = await greet(stage, { token: `user ${who % 3}`, resume: claimOf(tab) })
            listen(who)
            if (present.has(who)) await ask(stage, tabs[who], join)
          } else if (tab.socket.readyState === 1) {
            if (does === 'state') tab.send({ type: 'presence', room: 'main', state: ms })
            else tab.send({ type: does, room: 'main' })
            if (does === 'join') present.add(who)
            if (does === 'leave') present.delete(who)
          }
          await stage.clock.advance(ms)
        }
        await stage.clock.advance(20_000)
        const here = [...present].filter((who) => tabs[who]?.socket.readyState === 1)
        const users = new Set(here.map((who) => who % 3)).size
        for (const who of here) expect(counts(tabs[who] as RawClient).at(-1)).toBe(users)
        for (const times of told.values()) {
          for (const [i, at] of times.entries()) {
            if (i > 0) expect(at - (times[i - 1] ?? 0)).toBeGreaterThanOrEqual(1_000)
          }
        }
        await stage.close()
      }),
      { numRuns: 100 },
    )
  })
})
