import type { Check } from '../check.ts'
import { expectFit, Inapplicable } from '../expectation.ts'
import { nobodysToken } from '../refused.ts'

export const closingChecks: readonly Check[] = [
  {
    rule: 'CLOSE-2',
    says: 'closes come with their reason: 4009 replaced, 4213 limit-reached, and 4001 not-authenticated where tokens are refused',
    run: async (site) => {
      const older = await site.enter('ada')
      await site.comeBack(older)
      expectFit(await older.ends(), { code: 4009, reason: 'replaced' }, 'how the older connection ends')
      const hasty = await site.open('ada')
      for (let id = 0; id < 17; id++) hasty.send({ type: 'ping', id })
      expectFit(await hasty.ends(), { code: 4213, reason: 'limit-reached' }, 'how an impatient connection ends')
      if (!site.facts.has.has('refusal')) return
      const eve = await site.open('eve')
      eve.send({ type: 'hello', token: nobodysToken })
      expectFit(await eve.ends(), { code: 4001, reason: 'not-authenticated' }, 'how a refused connection ends')
    },
  },
  {
    rule: 'CLOSE-2',
    says: 'a session whose connection was closed with 1009 waits for its client',
    run: async (site) => {
      const { frameBytes } = site.facts.limits
      if (frameBytes > 16 * 1024 * 1024) throw new Inapplicable(`limits.frameBytes is ${frameBytes}: too much to send`)
      const ada = await site.enter('ada')
      ada.send('x'.repeat(frameBytes + 1))
      await ada.isClosedWith(1009)
      expectFit((await site.comeBack(ada)).welcome, { resumed: true }, 'the welcome of the one that comes back')
    },
  },
  {
    rule: 'HEARTBEAT-1',
    says: 'who answers no ping is sent two within the interval and the time-out of the welcome, and closed with 4201',
    slowSeconds: 35,
    run: async (site) => {
      const { intervalMs, timeoutMs } = site.facts.heartbeat
      const within = intervalMs + timeoutMs + site.slackMs
      const [mute, bob] = [await site.enter('ada', { answersPings: false }), await site.enter('bob')]
      await mute.isClosedWith(4201, within)
      expectFit(mute.pings, 2, 'the number of pings')
      // Whoever answers stays, without having said a word.
      expectFit(bob.closed, undefined, 'how somebody else ended, who answers')
      await bob.ask({ type: 'ping' })
    },
  },
  {
    rule: 'CALL-5',
    says: 'an answer to what the server did not ask is passed over',
    run: async (site) => {
      const ada = await site.enter('ada')
      ada.send({ type: 'reply', id: 'nobody asked', data: 1 })
      ada.send({ type: 'error', id: 'nobody asked', code: 'internal', message: 'x' })
      await ada.ask({ type: 'ping' })
      expectFit(ada.since(0, 'error'), [], 'the errors that come of it')
    },
  },
]
