import type { Check } from '../check.ts'
import { Break, exactly, expectFit, Inapplicable, show } from '../expectation.ts'

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

export const promiseChecks: readonly Check[] = [
  {
    rule: 'ORDER',
    says: 'three members who speak at once hear the same messages in the same order, and each speaker’s in its own',
    run: async (site) => {
      const room = site.room()
      const cast = [await site.member('ada', room), await site.member('bob', room), await site.member('eve', room)]
      const [count, total] = [30, 90]
      for (const n of range(1, count)) {
        for (const { name, ...client } of cast.map((member) => ({
          name: member.name,
          send: member.send.bind(member),
        }))) {
          client.send({ type: 'message', room, data: [name, n], ...(n % 2 === 0 ? { id: `order ${n}` } : {}) })
        }
      }
      const [first = [], ...others] = await Promise.all(cast.map((member) => member.hearsMany(room, total)))
      const offsets = first.map(({ offset }) => offset)
      expectFit(offsets, range(1, total), 'the offsets that a member hears')
      for (const heard of others) {
        for (const [index, message] of heard.entries()) {
          expectFit(message, exactly(first[index]), 'a message as another member hears it')
        }
      }
      for (const { name } of cast) {
        const own = first.flatMap(({ data }) => ((data as unknown[])[0] === name ? [(data as unknown[])[1]] : []))
        expectFit(own, range(1, count), `what ${name} said, as it is heard`)
      }
    },
  },
  {
    rule: 'ONCE',
    says: 'a message that is sent again after a cut is in the room once, whether or not it had been acknowledged',
    needs: ['log'],
    run: async (site) => {
      const room = site.room()
      const [bob, ada] = [await site.member('bob', room), await site.member('ada', room)]
      await ada.say(room, 'acknowledged', { id: 'first' })
      // Nobody knows whether this one arrives.
      ada.send({ type: 'message', room, data: 'unknown', id: 'second' })
      ada.cut()
      const again = await site.comeBack(ada)
      const ack = await again.say(room, 'acknowledged', { id: 'first' })
      expectFit(ack, { offset: 1, duplicate: true }, 'the ack of the repetition')
      await again.say(room, 'unknown', { id: 'second' })
      const last = await site.comeBack(again)
      expectFit(await last.say(room, 'unknown', { id: 'second' }), { duplicate: true }, 'the ack of another repetition')
      await bob.say(room, 'marker')
      const once = [{ data: 'acknowledged' }, { data: 'unknown' }, { data: 'marker' }]
      expectFit(bob.heard(room), once, 'what others hear')
      expectFit(await bob.ask({ type: 'history', room }), { messages: once }, 'the reply to history')
    },
  },
  {
    rule: 'GAPLESS',
    says: 'who comes back while others speak finds all that came after its `since` once, in joined and behind it',
    needs: ['log'],
    run: async (site) => {
      const room = site.room()
      const [bob, ada] = [await site.member('bob', room), await site.member('ada', room)]
      const epoch = ada.epochOf(room)
      await bob.say(room, 1)
      await ada.hears({ type: 'message', room, data: 1 })
      ada.cut()
      for (let data = 2; data <= 4; data++) await bob.say(room, data)
      const again = await site.comeBack(ada)
      again.send({ type: 'join', room, since: { epoch, offset: 1 } })
      for (let data = 5; data <= 10; data++) bob.send({ type: 'message', room, data })
      const joined = await again.hears({ type: 'joined', room })
      const from = again.received.indexOf(joined)
      expectFit(joined, { recovered: true, epoch }, 'the reply to join')
      await bob.say(room, 11)
      await again.hears({ type: 'message', room, data: 11 })
      const replayed = joined['messages'] as readonly Record<string, unknown>[]
      const live = again.received
        .slice(from)
        .filter((message) => message.type === 'message' && message['room'] === room)
      const offsets = [...replayed, ...live].map(({ offset }) => offset)
      expectFit(offsets, range(2, 11), 'the offsets in joined and behind it')
    },
  },
  {
    rule: 'GAPLESS',
    says: 'after 302 messages `recovered` is true with every one of them, or false with none',
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const epoch = ada.epochOf(room)
      const total = 302
      for (let data = 1; data < total; data++) ada.send({ type: 'message', room, data })
      await ada.say(room, total)
      const joined = await ada.join(room, { since: { epoch, offset: 0 } })
      expectFit(joined, { epoch, offset: total }, 'the reply to join')
      const offsets = (joined['messages'] as readonly { offset: unknown }[]).map(({ offset }) => offset)
      expectFit(offsets, joined['recovered'] === true ? range(1, total) : [], 'the offsets that are replayed')
    },
  },
  {
    rule: 'CLOSED',
    says: 'a connection that breaks several rules at once is ended by one close frame',
    run: async (site) => {
      const eve = await site.raw('eve')
      for (let id = 0; id < 40; id++) eve.send({ type: 'ping', id })
      eve.write('a reserved bit', [0xf1, 0x80, 0, 0, 0, 0])
      await eve.closeCode()
      eve.answerClose()
      await eve.until('the end of the socket', () => eve.ended || undefined)
      if (eve.closeCodes.length !== 1) throw new Break('one close frame', show(eve.closeCodes))
    },
  },
  {
    rule: 'CLOSE-4',
    says: 'a client that does not answer a close frame is cut off within 5 s',
    slowSeconds: 5,
    run: async (site) => {
      const mute = await site.raw('mute')
      for (let id = 0; id < 17; id++) mute.send({ type: 'ping', id })
      await mute.closeCode()
      await mute.until('the end of the socket', () => mute.ended || undefined, 5_000 + site.slackMs)
    },
  },
  {
    rule: 'BOUND',
    says: 'a reader that stops while others speak is closed with 4208 or cut off; the others hear everything',
    slowSeconds: 5,
    run: async (site) => {
      const [room, most] = [site.room(), 24 * 1024 * 1024]
      const data = 'x'.repeat(Math.min(site.facts.limits.frameBytes - 1_000, 60_000))
      if (data.length < 16_000) throw new Inapplicable('limits.frameBytes is too small to make a reader slow')
      const [loud, slow] = [await site.member('bob', room), await site.member('ada', room)]
      slow.pause()
      const batch = 20
      let said = 0
      // What the network holds comes first, and how much that is nobody knows.
      while (said * data.length < most) {
        for (let i = 1; i < batch; i++) loud.send({ type: 'message', room, data })
        const reply = await loud.ask({ type: 'message', room, data })
        if (reply['code'] === 'rate-limited') throw new Inapplicable('the server does not let anybody speak so fast')
        expectFit(reply, { type: 'ack' }, 'the reply to message')
        said += batch
      }
      expectFit(
        loud.heard(room).map(({ offset }) => offset),
        range(1, said),
        'the offsets that the speaker hears',
      )
      slow.resume()
      const hasAll = (): true | undefined => slow.heard(room).length === said || undefined
      const code = await slow.until('close 4208', () => slow.closed?.code ?? hasAll())
      if (code === true) throw new Inapplicable(`a reader may be ${most} bytes behind here`)
      if (code !== 4208 && code !== 1006) throw new Break('close 4208, or no close frame at all', `close ${code}`)
      const heard = slow.heard(room).map(({ offset }) => offset)
      expectFit(heard, range(1, heard.length), 'the offsets that the reader had heard')
      expectFit((await site.comeBack(slow)).welcome, { resumed: true }, 'the welcome of the one that comes back')
    },
  },
]
