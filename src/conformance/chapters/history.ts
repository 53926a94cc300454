import type { Check } from '../check.ts'
import type { Client } from '../client.ts'
import type { Message } from '../client-socket.ts'
import { exactly, expectFit, show } from '../expectation.ts'

async function page(client: Client, room: string, fields: object = {}): Promise<Message> {
  const reply = await client.ask({ type: 'history', room, ...fields })
  expectFit(reply, { type: 'history', room }, 'the reply to history')
  return reply
}

const offsets = (...list: readonly number[]): object[] => list.map((offset) => ({ type: 'message', offset }))

export const historyChecks: readonly Check[] = [
  {
    rule: 'HISTORY-1',
    says: 'history is the newest `limit` messages before `before`, oldest first; `complete` says that nothing is older',
    needs: ['log'],
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const meta = { values: ['Date'], v: 1 }
      for (let data = 1; data < 10; data++) await ada.say(room, data)
      await ada.say(room, '2000-01-01T00:00:00.000Z', { meta })
      const pages = [
        [{ limit: 4 }, offsets(7, 8, 9, 10), false],
        [{ before: 7, limit: 4 }, offsets(3, 4, 5, 6), false],
        [{ before: 3, limit: 4 }, offsets(1, 2), true],
        [{ before: 5, limit: 4 }, offsets(1, 2, 3, 4), true],
        [{}, offsets(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), true],
      ] as const
      for (const [fields, messages, complete] of pages) {
        expectFit(await page(ada, room, fields), { messages, complete }, `the reply to history with ${show(fields)}`)
      }
      const { messages, epoch } = await page(ada, room)
      expectFit(epoch, ada.heard(room)[0]?.['epoch'], 'the epoch of the reply')
      expectFit(messages, exactly(ada.heard(room)), 'the messages as their members received them')
    },
  },
  {
    rule: 'HISTORY-2',
    says: 'a limit of any size is taken, and so is a before that is beyond the log on either side',
    needs: ['log'],
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      for (let data = 1; data <= 3; data++) await ada.say(room, data)
      for (const fields of [{ limit: 301 }, { limit: 2 ** 53 - 1 }, { before: 2 ** 53 - 1 }, { before: 4 }]) {
        const expected = { messages: offsets(1, 2, 3), complete: true }
        expectFit(await page(ada, room, fields), expected, `the reply to history with ${show(fields)}`)
      }
      for (const before of [1, 0, -5, -(2 ** 53) + 1]) {
        const nothing = { messages: [], complete: true }
        expectFit(await page(ada, room, { before }), nothing, `the reply to history before ${before}`)
      }
    },
  },
  {
    rule: 'HISTORY-3',
    says: 'a before or a limit that is none is answered bad-message, a room not joined not-a-member',
    run: async (site) => {
      const [room, elsewhere] = [site.room(), site.room()]
      const ada = await site.member('ada', room)
      const limits = ['0', '-1', '1.5', '"10"', 'null', '1e400'].map((value) => `"limit":${value}`)
      const befores = ['1.5', '"1"', 'null', '9007199254740992'].map((value) => `"before":${value}`)
      for (const field of [...limits, ...befores]) {
        const error = await ada.provoke(`{"type":"history","room":${show(room)},"id":1,${field}}`)
        expectFit(error, { code: 'bad-message', id: 1 }, `the reply to history with ${field}`)
      }
      await ada.isRefused({ type: 'history', room: elsewhere }, 'not-a-member')
    },
  },
  {
    rule: 'HISTORY-4',
    says: 'a room’s log is kept when its last member leaves',
    needs: ['log'],
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const epoch = ada.epochOf(room)
      for (let data = 1; data <= 3; data++) await ada.say(room, data)
      await ada.leave(room)
      const joined = await ada.join(room, { since: { epoch, offset: 1 } })
      const expected = { epoch, offset: 3, recovered: true, messages: offsets(2, 3) }
      expectFit(joined, expected, 'the reply to a join of a room that was empty')
    },
  },
]
