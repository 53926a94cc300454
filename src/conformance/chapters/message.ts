import type { Check } from '../check.ts'
import { exactly, expectFit, show, someNumber } from '../expectation.ts'

export const messageChecks: readonly Check[] = [
  {
    rule: 'MESSAGE-5',
    says: 'every member receives a message, the sender included, with who sent it and when; others do not',
    run: async (site) => {
      const room = site.room()
      const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
      const outsider = await site.member('eve', site.room())
      await ada.say(room, 'hi')
      const { user, session } = ada
      const expected = [{ room, data: 'hi', offset: 1, at: someNumber, from: { user, session } }]
      for (const member of [ada, bob]) {
        expectFit(await member.hearsMany(room, 1), expected, `what ${member.name} hears`)
      }
      expectFit(ada.heard(room)[0], exactly(bob.heard(room)[0]), 'the same message for the sender')
      await outsider.ask({ type: 'ping' })
      expectFit(outsider.since(0, 'message'), [], 'what somebody in another room hears')
    },
  },
  {
    rule: 'MESSAGE-3',
    says: 'with an id a message is answered by ack, after the sender’s own copy of it',
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const mark = ada.mark
      ada.send({ type: 'message', room, data: 'a', id: 'x' })
      ada.send({ type: 'message', room, data: 'b' })
      ada.send({ type: 'message', room, data: 'c', id: 0 })
      await ada.hears({ type: 'ack', id: 0 })
      const expected = [
        { type: 'message', data: 'a' },
        { type: 'ack', id: 'x' },
        { type: 'message', data: 'b' },
        { type: 'message', data: 'c' },
        { type: 'ack', id: 0 },
      ]
      expectFit(ada.received.slice(mark), expected, 'what the sender receives')
    },
  },
  {
    rule: 'ACK-1',
    says: 'the ack of a message has its room, epoch and offset, that of presence and typing the room',
    needs: ['states'],
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const epoch = ada.epochOf(room)
      const place = { room, epoch, offset: 1, duplicate: undefined }
      expectFit(await ada.say(room, 'x'), { type: 'ack', ...place }, 'the ack of a message')
      for (const request of [
        { type: 'presence', room, state: 1 },
        { type: 'typing', room, typing: true },
      ]) {
        expectFit(await ada.ask(request), { type: 'ack', room }, `the reply to ${request.type}`)
      }
    },
  },
  {
    rule: 'GAP-1',
    says: 'the offset of each message is the one after that of the message before it, and the epoch stays',
    run: async (site) => {
      const room = site.room()
      const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
      const epoch = ada.epochOf(room)
      for (let data = 0; data < 20; data++) {
        ada.send({ type: 'message', room, data })
        bob.send({ type: 'message', room, data })
      }
      const expected = Array.from({ length: 40 }, (_, index) => ({ epoch, offset: index + 1 }))
      for (const member of [ada, bob])
        expectFit(await member.hearsMany(room, 40), expected, `what ${member.name} hears`)
    },
  },
  {
    rule: 'MESSAGE-1',
    says: 'a message to a room that the session has not joined, or has left, is answered not-a-member and not kept',
    run: async (site) => {
      const room = site.room()
      const [ada, eve] = [await site.member('ada', room), await site.enter('eve')]
      await eve.isRefused({ type: 'message', room, data: 'in?' }, 'not-a-member')
      await eve.join(room)
      await eve.leave(room)
      await eve.isRefused({ type: 'message', room, data: 'in?' }, 'not-a-member')
      await ada.say(room, 'marker')
      expectFit(ada.heard(room), [{ data: 'marker', offset: 1 }], 'what a member heard')
      const { messages } = await ada.ask({ type: 'history', room })
      // As much as the room keeps, which may be nothing.
      const foreign = (Array.isArray(messages) ? messages : []).filter(({ data }: { data: unknown }) => data === 'in?')
      expectFit(foreign, [], 'what is kept of it')
    },
  },
  {
    rule: 'MESSAGE-2',
    says: 'a message needs data; null is data; a volatile or a key that is none is answered bad-message',
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      await ada.isRefused({ type: 'message', room }, 'bad-message')
      for (const wrong of [
        { volatile: 'yes' },
        { volatile: 1 },
        { volatile: null },
        { key: 7 },
        { key: 'k'.repeat(65) },
      ]) {
        await ada.isRefused({ type: 'message', room, data: 1, ...wrong }, 'bad-message')
      }
      const good = [null, 0, false, '', [], {}]
      for (const data of good) await ada.say(room, data, { volatile: false, key: 'k'.repeat(64) })
      expectFit(
        ada.heard(room).map(({ data }) => data),
        good.map(exactly),
        'what was heard',
      )
    },
  },
  {
    rule: 'MESSAGE-4',
    says: 'sent again under the same id a message is taken once, and the ack has its offset and `duplicate: true`',
    run: async (site) => {
      const [room, other] = [site.room(), site.room()]
      const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
      await ada.say(room, 'a', { id: 'a' })
      await ada.say(room, 'b', { id: 'b' })
      expectFit(await ada.say(room, 'a', { id: 'a' }), { offset: 1, duplicate: true }, 'the ack of the repetition')
      expectFit(
        await ada.say(room, 'else', { id: 'a' }),
        { offset: 1, duplicate: true },
        'the ack of another repetition',
      )
      // The id is one of this session and this room.
      expectFit(
        await bob.say(room, 'c', { id: 'a' }),
        { offset: 3, duplicate: undefined },
        'the ack of another session',
      )
      const expected = ['a', 'b', 'c'].map((data, index) => ({ data, offset: index + 1 }))
      expectFit(await bob.hearsMany(room, 3), expected, 'what others hear')
      await ada.hearsMany(room, 3)
      expectFit(ada.heard(room), expected, 'what the sender hears')
      if (site.facts.limits.rooms < 2) return
      await ada.join(other)
      const elsewhere = await ada.say(other, 'd', { id: 'a' })
      expectFit(elsewhere, { offset: 1, duplicate: undefined }, 'the ack of another room')
    },
  },
  {
    rule: 'MESSAGE-6',
    says: 'data and meta arrive as they were meant, whatever their members are called',
    run: async (site) => {
      const room = site.room()
      const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
      const data = '{"b":1e2,"a":["\\ud800",{"__proto__":{"x":1}},-0.5,"\\u0000"],"d":"no date","e":1,"e":2}'
      const meta = '{"values":{"d":["Date"]},"v":1}'
      ada.send(`{"type":"message","room":${show(room)},"data":${data},"meta":${meta}}`)
      const [heard] = await bob.hearsMany(room, 1)
      expectFit(heard?.['data'], exactly(JSON.parse(data)), 'data')
      expectFit(heard?.['meta'], exactly(JSON.parse(meta)), 'meta')
    },
  },
  {
    rule: 'VOLATILE-1',
    says: 'a volatile message has no place in the log, is acknowledged without one, and sent again is another',
    run: async (site) => {
      const room = site.room()
      const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
      await ada.say(room, 'a')
      const hint = { volatile: true, id: 'hint' }
      for (let i = 0; i < 2; i++) {
        const ack = await ada.say(room, 'x', hint)
        expectFit(ack, { offset: undefined, duplicate: undefined }, 'the ack of a volatile message')
      }
      expectFit(await ada.say(room, 'b'), { offset: 2 }, 'the ack of the message after it')
      await bob.hears({ type: 'message', room, data: 'b', offset: 2 })
      for (const member of [ada, bob]) {
        // It may have been dropped; one that came is shown for what it is.
        for (const message of member.heard(room).filter(({ data }) => data === 'x')) {
          const { user, session } = ada
          const place = { epoch: undefined, offset: undefined }
          const expected = { volatile: true, from: { user, session }, at: someNumber, ...place }
          expectFit(message, expected, `a volatile message that ${member.name} hears`)
        }
      }
      const { messages } = await bob.ask({ type: 'history', room })
      const kept = (Array.isArray(messages) ? messages : []).filter(({ data }: { data: unknown }) => data === 'x')
      expectFit(kept, [], 'what is kept of it')
    },
  },
]
