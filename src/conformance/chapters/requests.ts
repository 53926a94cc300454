import type { Check } from '../check.ts'
import type { Client } from '../client.ts'
import { Break, expectFit, show } from '../expectation.ts'
import { nobodysToken } from '../refused.ts'
import type { Site } from '../site.ts'

type Request = { readonly type: string; readonly [field: string]: unknown }

/** Every request there is, and some that fail, in an order that works; each with the kind of its reply. */
function requestsIn(room: string, elsewhere: string): readonly (readonly [Request, string])[] {
  return [
    [{ type: 'hello' }, 'welcome'],
    [{ type: 'hello', resume: { session: 'no', secret: 'no' } }, 'welcome'],
    [{ type: 'hello', token: 1 }, 'error'],
    [{ type: 'auth' }, 'error'],
    [{ type: 'join', room }, 'joined'],
    [{ type: 'join', room }, 'joined'],
    [{ type: 'join', room: '' }, 'error'],
    [{ type: 'message', room, data: 1 }, 'ack'],
    [{ type: 'message', room, data: 2 }, 'ack'],
    [{ type: 'message', room }, 'error'],
    [{ type: 'message', room: elsewhere, data: 1 }, 'error'],
    [{ type: 'message', room, data: 1, meta: 1 }, 'error'],
    [{ type: 'presence', room, state: 2 }, 'ack'],
    [{ type: 'presence', room, state: 2 }, 'ack'],
    [{ type: 'presence', room: elsewhere, state: 2 }, 'error'],
    [{ type: 'typing', room, typing: true }, 'ack'],
    [{ type: 'typing', room, typing: true }, 'ack'],
    [{ type: 'typing', room, typing: false }, 'ack'],
    [{ type: 'typing', room: elsewhere, typing: true }, 'error'],
    [{ type: 'history', room }, 'history'],
    [{ type: 'history', room, limit: 0 }, 'error'],
    [{ type: 'history', room: elsewhere }, 'error'],
    [{ type: 'ping' }, 'pong'],
    [{ type: 'leave', room }, 'left'],
    [{ type: 'leave', room }, 'error'],
    [{ type: 'conformance.unknown' }, 'error'],
  ]
}

/** Replies that came to none of these requests' ids. */
function strays(client: Client, ids: readonly unknown[]): unknown[] {
  return client.received.filter((message) => 'id' in message && !ids.includes(message['id']))
}

async function oneReplyEach(site: Site): Promise<void> {
  const ada = await site.enter('ada')
  const auth = { type: 'auth', token: nobodysToken }
  const requests = [...requestsIn(site.room(), site.room()), [auth, 'error'] as const]
  const ids = requests.map((_, index) => (index % 2 === 0 ? index : `${index}`))
  for (const [index, [request]] of requests.entries()) ada.send({ ...request, id: ids[index] })
  for (const [index, [request]] of requests.entries()) {
    const id = ids[index]
    await ada.until(`a reply to ${request.type} with the id ${show(id)}`, () => ada.repliesTo(id)[0])
  }
  await ada.ask({ type: 'ping', id: 'last' })
  for (const [index, [request]] of requests.entries()) {
    const replies = ada.repliesTo(ids[index])
    if (replies.length !== 1) throw new Break(`one reply to ${show(request)}`, show(replies))
  }
  expectFit(strays(ada, [...ids, 'last']), [], 'replies to what nobody asked')
}

export const requestChecks: readonly Check[] = [
  {
    rule: 'PING-1',
    says: 'ping is answered by pong',
    run: async (site) => {
      const ada = await site.enter('ada')
      expectFit(await ada.ask({ type: 'ping' }), { type: 'pong' }, 'the reply to ping')
    },
  },
  {
    rule: 'REQUEST-1',
    says: 'an id is a text of 1 to 64 UTF-16 units or a safe integer; with another the message is bad, without an id',
    run: async (site) => {
      const ada = await site.enter('ada')
      for (const id of [0, -1, 2 ** 53 - 1, 'x', '\u{1f600}', 'x'.repeat(64), '__proto__', '\ud800']) {
        expectFit(await ada.ask({ type: 'ping', id }), { type: 'pong', id }, 'the reply to ping')
      }
      const bad = ['""', 'null', 'true', '1.5', '1e400', '9007199254740992', '{}', '[1]', `"${'x'.repeat(65)}"`]
      for (const id of bad) {
        const error = await ada.provoke(`{"type":"ping","id":${id}}`)
        expectFit(error, { code: 'bad-message', id: undefined }, `the reply to a ping with the id ${id}`)
      }
    },
  },
  {
    rule: 'REQUEST-2',
    says: 'each of many requests with an id, good or bad, gets exactly one reply under the same id; 1 is not "1"',
    run: oneReplyEach,
  },
  {
    rule: 'REQUEST-3',
    says: 'a request without an id gets no ack; what it asks for, or the error, comes without an id',
    run: async (site) => {
      const ada = await site.enter('ada')
      for (const [request, reply] of requestsIn(site.room(), site.room())) {
        const mark = ada.mark
        ada.send(request)
        if (reply !== 'ack') await ada.hears({ type: reply, id: undefined }, mark)
      }
      await ada.ask({ type: 'ping', id: 'last' })
      expectFit(ada.since(0, 'ack'), [], 'the acks of requests without an id')
      expectFit(strays(ada, ['last']), [], 'replies with an id')
    },
  },
  {
    rule: 'REQUEST-4',
    says: 'what a session sends to one room is handled in the order in which it was sent',
    run: async (site) => {
      const [ada, room] = [await site.enter('ada'), site.room()]
      const says = Array.from({ length: 20 }, (_, index) => `say ${index}`)
      ada.send({ type: 'join', room, id: 'join' })
      for (const id of says) ada.send({ type: 'message', room, data: id, id })
      ada.send({ type: 'history', room, id: 'history' })
      ada.send({ type: 'leave', room, id: 'leave' })
      await ada.hears({ type: 'left', id: 'leave' })
      const replies = ada.received.flatMap(({ id }) => (id === undefined ? [] : [id]))
      expectFit(replies, ['join', ...says, 'history', 'leave'], 'the ids of the replies')
    },
  },
]
