import type { Check } from '../check.ts'
import { expectFit, show } from '../expectation.ts'

export const sessionChecks: readonly Check[] = [
  {
    rule: 'RESUME-1',
    says: 'a client whose connection was cut gets its session back by its secret, and is still in its rooms',
    run: async (site) => {
      const room = site.room()
      const bob = await site.member('bob', room)
      const ada = await site.member('ada', room)
      const { user, claim } = ada
      ada.cut()
      const again = await site.comeBack(ada)
      expectFit(again.welcome, { resumed: true, user, ...claim }, 'the welcome')
      // No join is needed to be in the room.
      await again.say(room, 'back')
      await bob.hears({ type: 'message', room, data: 'back', from: { user, session: claim.session } })
    },
  },
  {
    rule: 'RESUME-2',
    says: 'a claim with a wrong secret, or of no session, yields a fresh session; its owner notices nothing',
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const { session, secret } = ada.claim
      const wrong = [
        { session, secret: 'x'.repeat(secret.length) },
        { session, secret: '' },
        { session, secret: secret.slice(0, -1) },
        { session, secret: 'x'.repeat(500) },
        { session: 'x'.repeat(session.length), secret },
        { session: '__proto__', secret },
      ]
      for (const claim of wrong) {
        const eve = await site.enter('ada, perhaps', {}, claim)
        expectFit(eve.welcome, { resumed: false }, 'the welcome after a wrong claim')
        const isOther = eve.session !== session && eve.claim.secret !== secret
        expectFit(isOther, true, 'whether the session and the secret are others')
        await eve.isRefused({ type: 'message', room, data: 'in?' }, 'not-a-member')
      }
      await ada.say(room, 'still here')
      expectFit(ada.heard(room), [{ data: 'still here' }], 'what the owner hears')
    },
  },
  {
    rule: 'RESUME-2',
    says: 'a session is not given to another user, not even with its secret',
    needs: ['two tokens'],
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const bob = await site.enter('bob', {}, ada.claim)
      expectFit(bob.welcome, { resumed: false }, 'the welcome after a claim of another’s session')
      await bob.isRefused({ type: 'message', room, data: 'in?' }, 'not-a-member')
      await ada.say(room, 'still here')
    },
  },
  {
    rule: 'RESUME-3',
    says: 'a close with 1000 ends the session; one without a code, or with another, leaves it waiting',
    run: async (site) => {
      const room = site.room()
      const bob = await site.member('bob', room)
      for (const code of [undefined, 1001, 3000, 4001]) {
        const ada = await site.member('ada', room)
        await ada.close(code)
        const again = await site.comeBack(ada)
        expectFit(again.welcome, { resumed: true }, `the welcome after a close with ${code ?? 'no code'}`)
        await again.close(1000)
      }
      const ada = await site.member('ada', room)
      const mark = bob.mark
      await ada.close(1000)
      // When the others have been told, the server knows, whatever stands between it and us.
      const { has } = site.facts
      if (has.has('two users') && has.has('members')) await bob.hears({ type: 'presence', left: [ada.user] }, mark)
      const again = await site.comeBack(ada)
      expectFit(again.welcome, { resumed: false }, 'the welcome after a close with 1000')
    },
  },
  {
    rule: 'RESUME-4',
    says: 'a client that comes back joins with the position that it had reached, and joined accounts for the rest',
    needs: ['log'],
    run: async (site) => {
      const room = site.room()
      const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
      const epoch = ada.epochOf(room)
      await bob.say(room, 1)
      await ada.hears({ type: 'message', room, data: 1 })
      ada.cut()
      await bob.say(room, 2)
      const resumed = await site.comeBack(ada)
      await bob.say(room, 3)
      const rest = [2, 3].map((data) => ({ data, offset: data }))
      const joined = await resumed.join(room, { since: { epoch, offset: 1 } })
      expectFit(joined, { recovered: true, messages: rest }, 'the reply to join of a session that was resumed')
      // A session need not be the same for the room to know what one has missed.
      const fresh = await site.enter('ada anew')
      const anew = await fresh.join(room, { since: { epoch, offset: 1 } })
      expectFit(anew, { recovered: true, messages: rest }, 'the reply to join of a fresh session')
    },
  },
  {
    rule: 'RESUME-5',
    says: 'a client that was welcomed without a hello takes its old session over by one, and leaves the fresh one’s rooms',
    run: async (site) => {
      const [room, side] = [site.room(), site.room()]
      const bob = await site.member('bob', side)
      const ada = await site.member('ada', room)
      const { claim } = ada
      ada.cut()
      const { token } = site.credentialsOf('ada')
      const again = await site.open('ada again', { polite: false, ...(token === undefined ? {} : { token }) })
      await again.hears({ type: 'welcome', resumed: false })
      const { user } = again
      await again.join(side)
      const welcome = await again.ask({ type: 'hello', resume: claim })
      expectFit(welcome, { type: 'welcome', resumed: true, ...claim }, 'the second welcome')
      await again.say(room, 'back')
      await again.isRefused({ type: 'leave', room: side }, 'not-a-member')
      const { has } = site.facts
      if (has.has('two users') && has.has('members')) await bob.hears({ type: 'presence', room: side, left: [user] })
    },
  },
  {
    rule: 'RESUME-5',
    says: 'when the claim of a later hello is wrong the second welcome says resumed: false, and the session stays',
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const { claim } = ada
      const wrong = { session: 'x'.repeat(claim.session.length), secret: claim.secret }
      const welcome = await ada.ask({ type: 'hello', resume: wrong })
      expectFit(welcome, { type: 'welcome', resumed: false, ...claim }, `the reply to a hello with ${show(wrong)}`)
      await ada.say(room, 'still here')
    },
  },
]
