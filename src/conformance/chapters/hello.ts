import type { Check } from '../check.ts'
import { Break, expectFit, fits, show, someCount, someDuration, someText } from '../expectation.ts'
import { nobodysToken } from '../refused.ts'
import { welcomed } from '../site.ts'

/** What may be held before the welcome. */
const heldMessages = 16
const heldBytes = 65_536

const welcome = {
  type: 'welcome',
  session: someText,
  secret: someText,
  user: someText,
  server: someText,
  heartbeat: { intervalMs: someCount, timeoutMs: someCount },
  limits: { frameBytes: someCount, rooms: someCount, presenceBytes: someCount },
}

export const helloChecks: readonly Check[] = [
  {
    rule: 'HELLO-1',
    says: 'a client that offered the subprotocol is not welcomed before its hello, whatever credentials it came with',
    run: async (site) => {
      const token = site.credentialsOf('ada').token
      const ada = await site.open('ada', token === undefined ? {} : { token })
      await ada.pinged()
      await welcomed(ada, { ...site.credentialsOf('ada'), id: 'hello' })
      await ada.ask({ type: 'ping' })
      const welcomes = ada.since(0, 'welcome')
      expectFit(welcomes, [{ type: 'welcome', id: 'hello' }], 'all that welcomes the client')
    },
  },
  {
    rule: 'HELLO-2',
    says: 'a client that did not offer it is welcomed at once where no credentials are asked for',
    needs: ['guests'],
    run: async (site) => void (await (await site.open('ada', { polite: false })).hears({ type: 'welcome' })),
  },
  {
    rule: 'HELLO-2',
    says: 'a client that did not offer it is welcomed at once with credentials in its request, or else says hello',
    needs: ['token'],
    run: async (site) => {
      const { adaUser: user, ada, has } = site.facts
      const early = await site.open('ada', { polite: false, token: String(ada.token) })
      await early.hears({ type: 'welcome', user })
      if (has.has('guests')) return
      const late = await site.open('ada', { polite: false })
      await late.pinged()
      expectFit(late.received, [], 'what came before hello')
      expectFit(await welcomed(late, ada), { user }, 'the welcome after hello')
    },
  },
  {
    rule: 'HELLO-3',
    says: 'what a client sends before the welcome is handled after it, in its order; 16 messages are held',
    run: async (site) => {
      const [ada, room] = [await site.open('ada'), site.room()]
      ada.send({ type: 'join', room, id: 'join' })
      const pings = Array.from({ length: heldMessages - 1 }, (_, index) => index)
      for (const id of pings) ada.send({ type: 'ping', id })
      await welcomed(ada, site.credentialsOf('ada'))
      await ada.hears({ type: 'joined', id: 'join' })
      await ada.hears({ type: 'pong', id: pings.at(-1) })
      expectFit(ada.received[0], { type: 'welcome' }, 'the first message from the server')
      const pongs = ada.since(0, 'pong').map(({ id }) => id)
      expectFit(pongs, pings, 'the ids of the pongs')
    },
  },
  {
    rule: 'HELLO-3',
    says: 'more than 16 messages, or more than 64 KiB, before the welcome close the connection with 4213',
    run: async (site) => {
      const many = await site.open('ada')
      for (let id = 0; id <= heldMessages; id++) many.send({ type: 'ping', id })
      await many.isClosedWith(4213)
      const dataBytes = Math.min(site.facts.limits.frameBytes - 200, 40_000)
      // Where frames are so small that 16 of them are within 64 KiB, nothing more can be sent.
      if (dataBytes * heldMessages <= heldBytes) return
      const much = await site.open('ada')
      const data = 'x'.repeat(dataBytes)
      for (let sent = 0; sent <= heldBytes; sent += dataBytes) much.send({ type: 'message', room: 'x', data })
      await much.isClosedWith(4213)
      expectFit([...many.received, ...much.received], [], 'what came before the close')
    },
  },
  {
    rule: 'HELLO-4',
    says: 'a client that offered the subprotocol and says no hello is closed with 4210 within 10 s',
    slowSeconds: 10,
    run: async (site) => {
      const silent = await site.open('ada')
      await silent.isClosedWith(4210, 10_000 + site.slackMs)
      expectFit(silent.closed?.reason, 'authentication-timeout', 'the reason')
      expectFit(silent.received, [], 'what came before the close')
    },
  },
  {
    rule: 'HELLO-5',
    says: 'credentials that are refused close the connection with 4001, and what was held is dropped',
    needs: ['refusal'],
    run: async (site) => {
      const room = site.room()
      const bob = await site.member('bob', room)
      const eve = await site.open('eve')
      eve.send({ type: 'join', room })
      eve.send({ type: 'message', room, data: 'in?' })
      eve.send({ type: 'hello', token: nobodysToken, id: 1 })
      await eve.isClosedWith(4001)
      expectFit(eve.received, [], 'what came before the close')
      expectFit(await bob.join(room), { offset: 0 }, 'the room afterwards, as a member is told')
      expectFit(bob.since(0, 'presence'), [], 'the presence that others are shown')
    },
  },
  {
    rule: 'HELLO-5',
    says: 'credentials that are missing where they are asked for close the connection with 4001',
    needs: ['token'],
    run: async (site) => {
      // Guests are let in: nothing is missing.
      if (site.facts.has.has('guests')) return
      const eve = await site.open('eve')
      eve.send({ type: 'hello' })
      await eve.isClosedWith(4001)
    },
  },
  {
    rule: 'HELLO-6',
    says: 'a hello whose fields do not fit is none, and is answered bad-message after the welcome',
    run: async (site) => {
      for (const fields of [{ token: 1 }, { token: null }, { resume: 'x' }, { resume: { session: 'x' } }]) {
        const ada = await site.open('ada')
        ada.send({ type: 'hello', id: 'broken', ...fields })
        await welcomed(ada, { ...site.credentialsOf('ada'), id: 'whole' })
        await ada.hears({ type: 'error', id: 'broken' })
        const expected = [
          { type: 'welcome', id: 'whole' },
          { type: 'error', id: 'broken', code: 'bad-message' },
        ]
        expectFit(ada.received, expected, `what came of a hello with ${show(fields)} and a good one`)
      }
    },
  },
  {
    rule: 'HELLO-7',
    says: 'hello on a welcomed connection is answered by a further welcome, and its token is not looked at',
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const { user, claim } = ada
      for (const fields of [{}, { token: nobodysToken }, { token: site.facts.lesserToken }]) {
        const again = await ada.ask({ type: 'hello', ...fields })
        expectFit(again, { type: 'welcome', user, resumed: false, ...claim }, 'the reply to hello')
      }
      await ada.leave(room)
    },
  },
  {
    rule: 'WELCOME-1',
    says: 'the welcome comes first and says who one is, the server, and the numbers in force',
    run: async (site) => {
      const ada = await site.open('ada')
      await welcomed(ada, { ...site.credentialsOf('ada'), id: 7 })
      expectFit(ada.received[0], { ...welcome, id: 7, resumed: false }, 'the first message from the server')
      const { server } = (await site.enter('bob')).welcome
      expectFit(server, ada.welcome['server'], 'the server of another welcome')
    },
  },
  {
    rule: 'WELCOME-2',
    says: 'sessions and secrets are texts of 20 characters or more and each another; a secret is sent to its own client',
    run: async (site) => {
      const room = site.room()
      const clients = [await site.member('ada', room), await site.member('bob', room), await site.member('eve', room)]
      const texts = clients.flatMap(({ claim }) => [claim.session, claim.secret])
      // 20 of the 95 characters that can be typed are 131 bits; whether they are random cannot be seen.
      const weak = texts.filter((text) => text.length < 20)
      expectFit(weak.length, 0, 'the number of sessions and secrets shorter than 20 characters')
      expectFit(new Set(texts).size, texts.length, 'how many of them differ')
      for (const client of clients) {
        client.send({ type: 'presence', room, state: 1 })
        client.send({ type: 'typing', room, typing: true })
        client.send({ type: 'message', room, data: 1 })
        client.send({ type: 'history', room })
        await client.join(room)
      }
      for (const client of clients) {
        // What the room told before its answer has come with it.
        await client.join(room)
        const others = clients.filter((other) => other !== client)
        const seen = JSON.stringify(client.received)
        const leaked = others.find(({ claim }) => seen.includes(claim.secret))
        if (leaked !== undefined) throw new Break(`no secret of another for ${client.name}`, `that of ${leaked.name}`)
      }
    },
  },
  {
    rule: 'WELCOME-3',
    says: 'the welcome says for how many ms the credentials hold, unless they do not run out',
    run: async (site) => {
      const ada = await site.enter('ada')
      if (fits(ada.welcome, { expiresInMs: undefined })) return
      expectFit(ada.welcome, { expiresInMs: someDuration }, 'the welcome')
    },
  },
]
