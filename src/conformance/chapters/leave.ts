import type { Check } from '../check.ts'
import { Break, expectFit, show } from '../expectation.ts'

export const leaveChecks: readonly Check[] = [
  {
    rule: 'LEAVE-1',
    says: 'leave is answered by left, after which nothing of the room arrives any more',
    run: async (site) => {
      const room = site.room()
      const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
      await ada.leave(room)
      const mark = ada.mark
      await bob.ask({ type: 'typing', room, typing: true })
      await bob.ask({ type: 'presence', room, state: 1 })
      await bob.say(room, 'gone')
      await ada.ask({ type: 'ping' })
      const late = ada.received.slice(mark).filter((message) => message['room'] === room)
      if (late.length > 0) throw new Break('nothing of the room after left', show(late))
    },
  },
  {
    rule: 'LEAVE-1',
    says: 'the others are told at once that a user has left, unless the user is here by another session',
    needs: ['two users', 'members'],
    run: async (site) => {
      const room = site.room()
      const [bob, ada] = [await site.member('bob', room), await site.member('ada', room)]
      await ada.leave(room)
      await bob.hears({ type: 'presence', room, left: [ada.user] })
      if (!site.facts.has.has('tabs')) return
      const [one, other] = [await site.member('ada', room), await site.member('ada in a tab', room)]
      await bob.say(room, 'marker 1')
      const mark = bob.mark
      await one.leave(room)
      await bob.say(room, 'marker 2')
      expectFit(bob.since(mark, 'presence'), [], 'the presence that others are shown when one of two sessions leaves')
      await other.leave(room)
      await bob.hears({ type: 'presence', room, left: [ada.user] }, mark)
    },
  },
  {
    rule: 'LEAVE-2',
    says: 'leaving a room that was not joined is answered not-a-member',
    run: async (site) => {
      const [ada, room] = [await site.enter('ada'), site.room()]
      await ada.isRefused({ type: 'leave', room }, 'not-a-member')
      await ada.join(room)
      await ada.leave(room)
      await ada.isRefused({ type: 'leave', room }, 'not-a-member')
    },
  },
  {
    rule: 'LEFT-1',
    says: 'who has left and joins again is a stranger: what is sent under an earlier id is another message',
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      await ada.say(room, 'one', { id: 'again' })
      await ada.leave(room)
      await ada.join(room)
      const ack = await ada.say(room, 'two', { id: 'again' })
      expectFit(ack, { offset: 2, duplicate: undefined }, 'the ack of a message under an id from before leaving')
    },
  },
]
