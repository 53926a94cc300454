import type { Check } from '../check.ts'
import { expectFit, inAnyOrder, show, someCount } from '../expectation.ts'

export const joinedChecks: readonly Check[] = [
  {
    rule: 'JOINED-1',
    says: '`members` is everybody who is here, oneself included, each user once',
    needs: ['two users', 'members', 'states'],
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room, { presence: 'A' })
      const bob = await site.enter('bob')
      const expected = inAnyOrder({ user: ada.user, state: 'A' }, { user: bob.user, state: undefined })
      expectFit((await bob.join(room))['members'], expected, 'members')
      expectFit((await bob.join(room))['members'], expected, 'members of a second join')
    },
  },
  {
    rule: 'JOINED-1',
    says: '`members` has a user once who is here by two sessions',
    needs: ['tabs', 'members'],
    run: async (site) => {
      const room = site.room()
      const { user } = await site.member('ada', room)
      const tab = await site.enter('ada in a tab')
      expectFit((await tab.join(room))['members'], [{ user }], 'members')
    },
  },
  {
    rule: 'JOINED-2',
    says: '`recovered` is true with all that came after `since`, and false with nothing for a place that there is not',
    needs: ['log'],
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const epoch = ada.epochOf(room)
      for (let data = 1; data <= 6; data++) await ada.say(room, data)
      const from = async (offset: number, of = epoch) => ada.join(room, { since: { epoch: of, offset } })
      for (const offset of [6, 4, 0]) {
        const rest = [1, 2, 3, 4, 5, 6].slice(offset).map((data) => ({ type: 'message', offset: data, data, epoch }))
        const expected = { epoch, offset: 6, recovered: true, messages: rest }
        expectFit(await from(offset), expected, `the reply to a join from ${offset}`)
      }
      const nothing = { epoch, offset: 6, recovered: false, messages: [] }
      for (const offset of [-1, 7, 2 ** 53 - 1, -(2 ** 53) + 1]) {
        expectFit(await from(offset), nothing, `the reply to a join from ${offset}`)
      }
      for (const other of ['another', '']) {
        expectFit(await from(6, other), nothing, `the reply to a join with the epoch ${show(other)}`)
      }
      expectFit(await ada.join(room), nothing, 'the reply to a join without since')
    },
  },
  {
    rule: 'JOINED-3',
    says: 'the first message after a joined has the offset after that of the joined, while others speak',
    run: async (site) => {
      const room = site.room()
      const [bob, ada] = [await site.member('bob', room), await site.enter('ada')]
      for (let data = 0; data < 40; data++) {
        bob.send({ type: 'message', room, data })
        if (data === 20) ada.send({ type: 'join', room })
      }
      const joined = await ada.hears({ type: 'joined', room, offset: someCount })
      await bob.say(room, 'last')
      await ada.hears({ type: 'message', room, data: 'last' })
      const [first] = ada.heard(room)
      expectFit(
        first,
        { offset: Number(joined['offset']) + 1 },
        `the first message after a joined at ${joined['offset']}`,
      )
    },
  },
  {
    rule: 'JOINED-4',
    says: 'after joined a typing follows for each other user who is typing, and none for others',
    needs: ['two users'],
    run: async (site) => {
      const room = site.room()
      const bob = await site.member('bob', room)
      const ada = await site.enter('ada')
      await bob.ask({ type: 'typing', room, typing: true })
      await ada.join(room)
      await ada.hears({ type: 'typing', room, user: bob.user, typing: true })
      await bob.ask({ type: 'typing', room, typing: false })
      await ada.hears({ type: 'typing', room, user: bob.user, typing: false })
      const mark = ada.mark
      await ada.join(room)
      await ada.say(room, 'marker')
      expectFit(ada.since(mark, 'typing'), [], 'the typing that follows when nobody types')
    },
  },
]
