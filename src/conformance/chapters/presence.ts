import type { Check } from '../check.ts'
import type { Client } from '../client.ts'
import { expectFit, fits, Inapplicable, someCount } from '../expectation.ts'
import { tooDeep } from '../refused.ts'
import type { Site } from '../site.ts'

/** What a client was told of one user since a mark: each coming, change and going, in their order. */
function changesOf(client: Client, user: string, mark: number): unknown[] {
  return client
    .since(mark, 'presence')
    .flatMap(({ joined = [], updated = [], left = [] }) => [
      ...of(joined).flatMap((member) => (fits(member, { user }) ? [['joined', member['state']]] : [])),
      ...of(updated).flatMap((member) => (fits(member, { user }) ? [['updated', member['state']]] : [])),
      ...(left as unknown[]).flatMap((name) => (name === user ? [['left']] : [])),
    ])
}

const of = (members: unknown): Record<string, unknown>[] => members as Record<string, unknown>[]

/** Awaits what a client is told of a user, until it is so much, and holds all of it to what it should be. */
async function isTold(client: Client, user: string, mark: number, expected: readonly unknown[]): Promise<void> {
  const look = (): unknown[] | undefined => {
    const changes = changesOf(client, user, mark)
    return changes.length >= expected.length ? changes : undefined
  }
  expectFit(await client.until(`${expected.length} changes of presence`, look), expected, 'the presence that is shown')
}

/** Has something said in the room: all that the room tells of what was before has then come. */
async function settle(site: Site, watcher: Client, room: string): Promise<void> {
  await (await site.member('eve', room)).say(room, 'marker')
  await watcher.hears({ type: 'message', room, data: 'marker' })
}

export const presenceChecks: readonly Check[] = [
  {
    rule: 'PRESENCE-1',
    says: 'a new state is shown to every member, the sender included; one that is shown already is not announced again',
    needs: ['two users', 'members', 'states'],
    run: async (site) => {
      const room = site.room()
      const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
      const marks = [ada.mark, bob.mark] as const
      const states = [{ mood: 'fine' }, { mood: 'fine' }, null, null, 0, [1]]
      for (const state of states) await ada.ask({ type: 'presence', room, state })
      const expected = [{ mood: 'fine' }, null, 0, [1]].map((state) => ['updated', state])
      await isTold(ada, ada.user, marks[0], expected)
      await isTold(bob, ada.user, marks[1], expected)
    },
  },
  {
    rule: 'PRESENCE-2',
    says: 'a state that is too large, too deep, absent or for a room not joined is refused, and the old one stays',
    needs: ['two users', 'members'],
    run: async (site) => {
      const { presenceBytes, frameBytes } = site.facts.limits
      if (presenceBytes < 100) throw new Inapplicable(`limits.presenceBytes is ${presenceBytes}: nothing can be said`)
      const [room, elsewhere] = [site.room(), site.room()]
      const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
      await ada.ask({ type: 'presence', room, state: 'good' })
      await bob.hears({ type: 'presence', room, updated: [{ user: ada.user, state: 'good' }] })
      const mark = bob.mark
      const large = 'x'.repeat(presenceBytes - 1)
      if (presenceBytes + 400 <= frameBytes) {
        await ada.isRefused({ type: 'presence', room, state: large }, 'presence-too-large')
      }
      await ada.isRefused({ type: 'presence', room, state: JSON.parse(tooDeep) as unknown }, 'bad-data')
      await ada.isRefused({ type: 'presence', room }, 'bad-message')
      await ada.isRefused({ type: 'presence', room: elsewhere, state: 1 }, 'not-a-member')
      await bob.say(room, 'marker')
      expectFit(changesOf(bob, ada.user, mark), [], 'the presence that is shown of what was refused')
      const again = await bob.join(room)
      const shown = of(again['members']).find((member) => member['user'] === ada.user)
      expectFit(shown, { state: 'good' }, 'the state that is shown')
    },
  },
  {
    rule: 'PRESENCE-3',
    says: 'who comes is announced as joined to the other members, and who goes as left; not to themselves',
    needs: ['two users', 'members', 'states'],
    run: async (site) => {
      const room = site.room()
      const [bob, ada] = [await site.member('bob', room), await site.enter('ada')]
      const mark = bob.mark
      await ada.join(room, { presence: 'A' })
      await ada.leave(room)
      await isTold(bob, ada.user, mark, [['joined', 'A'], ['left']])
      expectFit(changesOf(ada, ada.user, 0), [], 'what the one who comes is told of itself')
    },
  },
  {
    rule: 'PRESENCE-4',
    says: 'a user with several sessions is shown once, with the state that one of them said last',
    needs: ['two users', 'tabs', 'members', 'states'],
    run: async (site) => {
      const room = site.room()
      const bob = await site.member('bob', room)
      const [one, two] = [await site.enter('ada'), await site.enter('ada in a tab')]
      const mark = bob.mark
      await one.join(room, { presence: 'one' })
      await two.join(room, { presence: 'two' })
      await one.ask({ type: 'presence', room, state: 'one again' })
      await one.leave(room)
      await two.leave(room)
      await isTold(bob, one.user, mark, [
        ['joined', 'one'],
        ['updated', 'two'],
        ['updated', 'one again'],
        ['updated', 'two'],
        ['left'],
      ])
    },
  },
  {
    rule: 'COUNT-1',
    says: 'a room that tells only how many are here has no members in joined, and a count',
    needs: ['counts'],
    run: async (site) => {
      const ada = await site.enter('ada')
      expectFit(await ada.join(site.room()), { members: [], count: someCount }, 'the reply to join')
    },
  },
]

export const presencePromise: readonly Check[] = [
  {
    rule: 'PRESENCE',
    says: 'a user with three tabs comes once and goes once; who leaves or closes with 1000 is gone at once',
    needs: ['two users', 'tabs', 'members'],
    run: async (site) => {
      const room = site.room()
      const bob = await site.member('bob', room)
      const mark = bob.mark
      const [one, two, three] = [
        await site.member('ada', room),
        await site.member('ada in a tab', room),
        await site.member('ada in another', room),
      ]
      await one.leave(room)
      await two.close(1000)
      await settle(site, bob, room)
      expectFit(changesOf(bob, one.user, mark), [['joined', undefined]], 'what is shown while one tab is left')
      await three.close(1000)
      await isTold(bob, one.user, mark, [['joined', undefined], ['left']])
    },
  },
  {
    rule: 'PRESENCE',
    says: 'who closes with 1000 is shown as gone at once; who is back at once after a cut was never shown as gone',
    needs: ['two users', 'members'],
    run: async (site) => {
      const room = site.room()
      const bob = await site.member('bob', room)
      const mark = bob.mark
      const ada = await site.member('ada', room)
      ada.cut()
      const again = await site.comeBack(ada)
      await again.join(room)
      await settle(site, bob, room)
      expectFit(changesOf(bob, ada.user, mark), [['joined', undefined]], 'what is shown of a reconnect')
      await again.close(1000)
      await isTold(bob, ada.user, mark, [['joined', undefined], ['left']])
    },
  },
  {
    rule: 'PRESENCE',
    says: 'whose socket is lost is shown as gone after 15 s, and within 60 s when the network went without a word',
    needs: ['two users', 'members'],
    slowSeconds: 55,
    run: async (site) => {
      const [first, second] = [site.room(), site.room()]
      const [bob, watcher] = [await site.member('bob', first), await site.member('bob, elsewhere', second)]
      const [lost, mute] = [await site.member('ada', first), await site.raw('ada, who falls silent')]
      mute.send({ type: 'hello', ...site.credentialsOf('ada') })
      mute.send({ type: 'join', room: second })
      await watcher.hears({ type: 'presence', room: second })
      lost.cut()
      await bob.hears({ type: 'presence', room: first, left: [lost.user] }, 0, 15_000 + site.slackMs)
      const { intervalMs, timeoutMs } = site.facts.heartbeat
      // The 60 s are those of the default heartbeat of 35 s.
      const within = intervalMs + timeoutMs + 25_000 + site.slackMs
      const look = () => watcher.since(0, 'presence').find(({ left }) => left !== undefined)
      await watcher.until('a presence with `left`', look, within)
    },
  },
]
