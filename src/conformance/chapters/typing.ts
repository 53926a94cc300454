import type { Check } from '../check.ts'
import type { Client } from '../client.ts'
import { expectFit, show } from '../expectation.ts'
import type { Site } from '../site.ts'

/** The longest that an indicator is shown without a further sign. */
const silenceMs = 3_000

/** Two members of a room: one who types, and another user who is shown it. */
async function two(site: Site): Promise<{ room: string; ada: Client; bob: Client; sign: (typing: boolean) => object }> {
  const room = site.room()
  const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
  return { room, ada, bob, sign: (typing) => ({ type: 'typing', room, typing }) }
}

/** What a client was shown of a user's typing. */
const shown = (client: Client, user: string): unknown[] =>
  client.since(0, 'typing').flatMap((message) => (message['user'] === user ? [message['typing']] : []))

/** Awaits that a client has been shown as much, and holds all of it to what it should be. */
async function isShown(client: Client, user: string, expected: readonly boolean[], withinMs?: number): Promise<void> {
  const enough = (): unknown[] | undefined => {
    const seen = shown(client, user)
    return seen.length >= expected.length ? seen : undefined
  }
  expectFit(await client.until(`typing ${show(expected)}`, enough, withinMs), expected, 'the typing that is shown')
}

export const typingChecks: readonly Check[] = [
  {
    rule: 'TYPING-1',
    says: 'the first sign of typing is shown to the members of other users, further ones to nobody, none to oneself',
    needs: ['two users'],
    run: async (site) => {
      const { room, ada, bob, sign } = await two(site)
      for (let i = 0; i < 3; i++) await ada.ask({ type: 'typing', ...sign(true) })
      await ada.say(room, 'marker')
      await bob.hears({ type: 'message', room, data: 'marker' })
      await isShown(bob, ada.user, [true, false])
      expectFit(ada.since(0, 'typing'), [], 'the typing that is shown to whoever types')
    },
  },
  {
    rule: 'TYPING-2',
    says: '`typing: false` and a message end it, before the message; an end that had no beginning is told to nobody',
    needs: ['two users'],
    run: async (site) => {
      const { room, ada, bob, sign } = await two(site)
      ada.send(sign(false))
      ada.send(sign(true))
      ada.send(sign(false))
      ada.send(sign(false))
      ada.send(sign(true))
      await ada.say(room, 'end')
      await bob.hears({ type: 'message', room, data: 'end' })
      const came = bob.received.filter(({ type }) => type === 'typing' || type === 'message')
      const expected = [
        { type: 'typing', typing: true },
        { type: 'typing', typing: false },
        { type: 'typing', typing: true },
        { type: 'typing', typing: false },
        { type: 'message', data: 'end' },
      ]
      expectFit(came, expected, 'what another user is shown')
    },
  },
  {
    rule: 'TYPING-2',
    says: 'a message that is a duplicate ends nothing, and neither does a volatile one',
    needs: ['two users'],
    run: async (site) => {
      const { room, ada, bob, sign } = await two(site)
      await ada.say(room, 'once', { id: 'once' })
      ada.send(sign(true))
      await ada.say(room, 'once', { id: 'once' })
      await ada.say(room, 'hint', { volatile: true })
      await bob.say(room, 'marker')
      expectFit(shown(bob, ada.user), [true], 'the typing that is shown')
    },
  },
  {
    rule: 'TYPING-3',
    says: 'a typing that is not a boolean is answered bad-message, one for a room not joined not-a-member',
    run: async (site) => {
      const [room, elsewhere] = [site.room(), site.room()]
      const ada = await site.member('ada', room)
      for (const typing of [1, 'true', null, {}, undefined]) {
        await ada.isRefused({ type: 'typing', room, typing }, 'bad-message')
      }
      await ada.isRefused({ type: 'typing', room: elsewhere, typing: true }, 'not-a-member')
    },
  },
  {
    rule: 'TYPING-4',
    says: 'a user who types in several sessions is shown as typing once, until the last of them ends it',
    needs: ['two users', 'tabs'],
    run: async (site) => {
      const { room, ada, bob, sign } = await two(site)
      const tab = await site.member('ada in a tab', room)
      await ada.ask({ type: 'typing', ...sign(true) })
      await tab.ask({ type: 'typing', ...sign(true) })
      await ada.ask({ type: 'typing', ...sign(false) })
      await bob.say(room, 'marker')
      expectFit(shown(bob, ada.user), [true], 'the typing that is shown while one session types')
      await tab.ask({ type: 'typing', ...sign(false) })
      await isShown(bob, ada.user, [true, false])
      expectFit([...ada.since(0, 'typing'), ...tab.since(0, 'typing')], [], 'the typing that is shown to the user')
    },
  },
]

export const typingPromise: readonly Check[] = [
  {
    rule: 'TYPING',
    says: 'an indicator ends at once when the member leaves or closes with 1000',
    needs: ['two users'],
    run: async (site) => {
      const { room, ada, bob, sign } = await two(site)
      await ada.ask({ type: 'typing', ...sign(true) })
      await ada.leave(room)
      await isShown(bob, ada.user, [true, false])
      const again = await site.member('ada again', room)
      await again.ask({ type: 'typing', ...sign(true) })
      await bob.until('typing', () => shown(bob, again.user).includes(true) || undefined)
      await again.close(1000)
      const all = again.user === ada.user ? [true, false, true, false] : [true, false]
      await isShown(bob, again.user, all)
    },
  },
  {
    rule: 'TYPING',
    says: 'an indicator ends within 3 s of the last sign, also of one whose connection is lost',
    needs: ['two users'],
    run: async (site) => {
      const { ada, bob, sign } = await two(site)
      const lost = await two(site)
      await ada.ask({ type: 'typing', ...sign(true) })
      await lost.ada.ask({ type: 'typing', ...lost.sign(true) })
      await lost.bob.until('typing', () => shown(lost.bob, lost.ada.user).includes(true) || undefined)
      lost.ada.cut()
      const within = silenceMs + site.slackMs
      await isShown(bob, ada.user, [true, false], within)
      await isShown(lost.bob, lost.ada.user, [true, false], within)
    },
  },
]
