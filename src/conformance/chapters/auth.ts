import type { Check } from '../check.ts'
import { expectFit, fits, Inapplicable, someDuration, someNumber } from '../expectation.ts'
import { nobodysToken } from '../refused.ts'

export const authChecks: readonly Check[] = [
  {
    rule: 'AUTH-1',
    says: 'a token that is accepted is answered by authenticated, and the connection goes on',
    needs: ['token'],
    run: async (site) => {
      const ada = await site.enter('ada')
      const { token } = site.facts.ada
      expectFit(await ada.ask({ type: 'auth', token }), { type: 'authenticated' }, 'the reply to auth')
      await ada.ask({ type: 'ping' })
    },
  },
  {
    rule: 'AUTHENTICATED-1',
    says: '`authenticated` has the user, and when the credentials run out unless they do not',
    needs: ['token'],
    run: async (site) => {
      const ada = await site.enter('ada')
      const { token } = site.facts.ada
      const reply = await ada.ask({ type: 'auth', token })
      const end = fits(reply, { expiresAt: undefined })
        ? { expiresInMs: undefined }
        : { expiresAt: someNumber, expiresInMs: someDuration }
      expectFit(reply, { type: 'authenticated', user: ada.user, ...end }, 'it')
    },
  },
  {
    rule: 'AUTH-2',
    says: 'a token that is refused, or any where none is checked, is answered not-authenticated; all else stays',
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      await ada.isRefused({ type: 'auth', token: nobodysToken }, 'not-authenticated')
      await ada.say(room, 'still here')
      const { user, session } = ada
      expectFit(ada.heard(room), [{ from: { user, session }, data: 'still here' }], 'what was heard')
    },
  },
  {
    rule: 'AUTH-3',
    says: 'a token of another user is refused like a wrong one, and the user stays who it was',
    needs: ['two tokens'],
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const { token } = site.facts.bob ?? {}
      if (token === undefined) throw new Inapplicable('needs --other-token')
      await ada.isRefused({ type: 'auth', token }, 'not-authenticated')
      await ada.say(room, 1)
      expectFit(ada.heard(room), [{ from: { user: ada.user } }], 'what was heard')
    },
  },
]
