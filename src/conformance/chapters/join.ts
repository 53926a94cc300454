import { utf8Length } from '../../protocol/room-name.ts'
import type { Check } from '../check.ts'
import { expectFit, Inapplicable, show, someList, someText } from '../expectation.ts'
import { tooDeep } from '../refused.ts'

/** More rooms than this are not joined. */
const mostRooms = 2_000

/** A text of just so many bytes when it is written as JSON. */
const sizedState = (bytes: number): string => `${'ä'.repeat((bytes - 2) >> 1)}${'x'.repeat(bytes % 2)}`

export const joinChecks: readonly Check[] = [
  {
    rule: 'JOIN-1',
    says: 'join is answered by joined, also for a room in which nobody ever was',
    run: async (site) => {
      const [ada, room] = [await site.enter('ada'), site.room()]
      const expected = {
        type: 'joined',
        room,
        epoch: someText,
        offset: 0,
        members: someList,
        recovered: false,
        messages: [],
      }
      expectFit(await ada.ask({ type: 'join', room }), expected, 'the reply to join')
    },
  },
  {
    rule: 'JOIN-2',
    says: 'a room may have any name of 1 to 255 bytes of UTF-8; another is answered bad-room-name and not repeated',
    run: async (site) => {
      const ada = await site.enter('ada')
      const own = site.room()
      const fill = (unit: string): string => `${own} ${unit.repeat(Math.floor((254 - own.length) / utf8Length(unit)))}`
      for (const room of [`${own} *`, `${own}:/{}`, '__proto__', 'constructor', fill('x'), fill('ä'), fill('😀')]) {
        await ada.join(room)
        await ada.leave(room)
      }
      const long = [`"${'x'.repeat(256)}"`, `"${'ä'.repeat(128)}"`, `"${'😀'.repeat(64)}"`]
      const bad = ['""', '"\\u0000"', '"a\\nb"', '"\\u007f"', '"\\u0085"', '"\\ud800"', '"a\\udc00b"', ...long]
      for (const room of [...bad, '1', 'null', '["main"]', '{}']) {
        const error = await ada.provoke(`{"type":"join","room":${room},"id":1}`)
        expectFit(error, { code: 'bad-room-name', id: 1, room: undefined }, `the reply to a join of ${room}`)
      }
    },
  },
  {
    rule: 'JOIN-3',
    says: 'joining a room twice is being in it once: the second join is answered, and the others are shown nothing',
    run: async (site) => {
      const room = site.room()
      const bob = await site.member('bob', room)
      const ada = await site.member('ada', room)
      await bob.say(room, 'marker 1')
      const mark = bob.mark
      await ada.join(room)
      await bob.say(room, 'marker 2')
      expectFit(bob.since(mark, 'presence'), [], 'the presence that others are shown')
      await ada.hears({ type: 'message', room, data: 'marker 2' })
      await ada.ask({ type: 'history', room })
      expectFit(ada.heard(room), [{ data: 'marker 1' }, { data: 'marker 2' }], 'what a member hears that joined twice')
      await ada.leave(room)
      await ada.isRefused({ type: 'leave', room }, 'not-a-member')
    },
  },
  {
    rule: 'JOIN-4',
    says: 'what is sent right behind a join is handled after it',
    run: async (site) => {
      const [ada, room] = [await site.enter('ada'), site.room()]
      ada.send({ type: 'join', room, id: 1 })
      ada.send({ type: 'message', room, data: 'at once', id: 2 })
      ada.send({ type: 'leave', room, id: 3 })
      ada.send({ type: 'join', room, id: 4 })
      await ada.hears({ type: 'joined', id: 4 })
      const replies = ada.received.filter(({ id }) => id !== undefined)
      const expected = [
        { type: 'joined', id: 1 },
        { type: 'ack', id: 2, offset: 1 },
        { type: 'left', id: 3 },
        { type: 'joined', id: 4 },
      ]
      expectFit(replies, expected, 'the replies')
    },
  },
  {
    rule: 'JOIN-5',
    says: 'a session is in at most limits.rooms rooms; a join beyond is answered too-many-rooms and changes nothing',
    run: async (site) => {
      const { rooms } = site.facts.limits
      if (rooms > mostRooms) throw new Inapplicable(`limits.rooms is ${rooms}: too many to join`)
      const ada = await site.enter('ada')
      const names = Array.from({ length: rooms }, () => site.room())
      await Promise.all(names.map((name) => ada.join(name)))
      const beyond = site.room()
      await ada.isRefused({ type: 'join', room: beyond }, 'too-many-rooms')
      await ada.isRefused({ type: 'message', room: beyond, data: 1 }, 'not-a-member')
      const [first = beyond] = names
      // A room that one is in already is none too many.
      if (names.length > 0) await ada.join(first)
      await ada.leave(first)
      await ada.join(beyond)
    },
  },
  {
    rule: 'JOIN-6',
    says: 'a presence larger than limits.presenceBytes, or too deep, is refused and the room not joined',
    run: async (site) => {
      const { presenceBytes, frameBytes } = site.facts.limits
      const [ada, room] = [await site.enter('ada'), site.room()]
      const deep = JSON.parse(tooDeep) as unknown
      if (presenceBytes > tooDeep.length) await ada.isRefused({ type: 'join', room, presence: deep }, 'bad-data')
      if (presenceBytes + 400 > frameBytes) throw new Inapplicable('no frame holds more than limits.presenceBytes')
      const large = sizedState(presenceBytes + 1)
      await ada.isRefused({ type: 'join', room, presence: large }, 'presence-too-large')
      await ada.isRefused({ type: 'message', room, data: 1 }, 'not-a-member')
      if (presenceBytes >= 2) await ada.join(room, { presence: sizedState(presenceBytes) })
    },
  },
  {
    rule: 'JOIN-7',
    says: 'a since that is none is answered bad-message; one that names a place in no log recovers nothing',
    run: async (site) => {
      const [ada, room] = [await site.enter('ada'), site.room()]
      const bad = ['1', 'null', '[]', '{}', '{"epoch":"x"}', '{"epoch":1,"offset":1}', '{"epoch":"x","offset":1.5}']
      for (const since of [...bad, `{"epoch":"${'x'.repeat(65)}","offset":1}`]) {
        const error = await ada.provoke(`{"type":"join","room":${show(room)},"since":${since},"id":1}`)
        expectFit(error, { code: 'bad-message', id: 1 }, `the reply to a join with the since ${since}`)
      }
      const joined = await ada.join(room, { since: { epoch: 'x'.repeat(64), offset: 7 } })
      expectFit(joined, { recovered: false, messages: [] }, 'the reply to a join with an unknown epoch')
    },
  },
]
