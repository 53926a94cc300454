import { encodeBinary } from '../../protocol/index.ts'
import type { Check } from '../check.ts'
import type { Client } from '../client.ts'
import type { Message } from '../client-socket.ts'
import { exactly, expectFit, someNumber } from '../expectation.ts'

const bytes = Uint8Array.from([0, 1, 127, 128, 255, 10])
const base64 = Buffer.from(bytes).toString('base64')

const say = (room: string, fields: object = {}): Uint8Array =>
  encodeBinary(JSON.stringify({ type: 'message', room, ...fields }), bytes)

/** Sends a binary frame whose header has an id, and awaits the reply. */
async function ask(client: Client, id: string, frame: Uint8Array): Promise<Message> {
  const before = client.repliesTo(id).length
  client.send(frame)
  return client.until(`a reply to a binary frame with the id ${id}`, () => client.repliesTo(id)[before])
}

export const binaryChecks: readonly Check[] = [
  {
    rule: 'BINARY-1',
    says: 'a binary frame is the length of its header, the header, and the bytes, of which there may be none',
    run: async (site) => {
      const room = site.room()
      const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
      ada.send(encodeBinary(JSON.stringify({ type: 'message', room, x: 'ä€😀' }), bytes))
      ada.send(encodeBinary(JSON.stringify({ type: 'message', room }), new Uint8Array()))
      expectFit(await bob.hearsMany(room, 2), [{ bytes }, { bytes: new Uint8Array() }], 'what another member hears')
      expectFit([...ada.garbage, ...bob.garbage], [], 'frames from the server that are no messages')
    },
  },
  {
    rule: 'BINARY-2',
    says: 'a header that is no message of a client, or a frame shorter than it says, costs an error and nothing else',
    run: async (site) => {
      const [room, elsewhere] = [site.room(), site.room()]
      const ada = await site.member('ada', room)
      const faults: readonly (readonly [string, Uint8Array, string])[] = [
        ['no header at all', Uint8Array.of(0, 0, 0), 'bad-message'],
        ['a header longer than itself', Uint8Array.of(255, 255, 255, 255, 0x7b, 0x7d), 'bad-message'],
        ['a header that is not JSON', encodeBinary('{', bytes), 'bad-json'],
        ['a header that is no object', encodeBinary('[]', bytes), 'bad-message'],
        ['a hello', encodeBinary('{"type":"hello"}', bytes), 'unknown-type'],
        ['a ping', encodeBinary('{"type":"ping"}', bytes), 'unknown-type'],
        ['a volatile that is none', say(room, { volatile: 1 }), 'bad-message'],
        ['another room', say(elsewhere), 'not-a-member'],
      ]
      for (const [what, frame, code] of faults) {
        expectFit(await ada.provoke(frame), { code }, `the reply to a binary frame with ${what}`)
      }
      await ada.say(room, 'still here')
    },
  },
  {
    rule: 'BINARY-3',
    says: 'a binary frame reaches the members untouched, with its place; it is acknowledged and known when it comes again',
    run: async (site) => {
      const room = site.room()
      const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
      const epoch = ada.epochOf(room)
      await ada.say(room, 'before')
      const place = { type: 'ack', room, epoch, offset: 2 }
      const forged = { data: 'ignored', meta: { values: ['Date'] }, offset: 7 }
      const first = await ask(ada, 'x', say(room, { id: 'x', ...forged }))
      expectFit(first, { ...place, duplicate: undefined }, 'the ack')
      const again = await ask(ada, 'x', say(room, { id: 'x' }))
      expectFit(again, { ...place, duplicate: true }, 'the ack of the repetition')
      await bob.say(room, 'after')
      const { user, session } = ada
      const own = { epoch, offset: 2, from: { user, session }, at: someNumber, data: undefined, meta: undefined, bytes }
      const expected = [{ offset: 1, data: 'before' }, own, { offset: 3, data: 'after' }]
      for (const member of [ada, bob]) {
        expectFit(await member.hearsMany(room, 3), expected, `what ${member.name} hears`)
      }
    },
  },
  {
    rule: 'BINARY-4',
    says: 'in joined and history such a message has its bytes in base64 in place of data',
    needs: ['log'],
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const epoch = ada.epochOf(room)
      await ask(ada, 'x', say(room, { id: 'x' }))
      const replayed = [{ type: 'message', offset: 1, bytes: base64, data: undefined }]
      expectFit(await ada.ask({ type: 'history', room }), { messages: replayed }, 'the reply to history')
      const joined = await ada.join(room, { since: { epoch, offset: 0 } })
      expectFit(joined, { recovered: true, messages: replayed }, 'the reply to join')
    },
  },
  {
    rule: 'BINARY-4',
    says: 'a field `bytes` in a text frame from a client is ignored',
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      await ada.isRefused({ type: 'message', room, bytes: base64 }, 'bad-message')
      await ada.say(room, 'text', { bytes: base64 })
      expectFit(ada.heard(room), [{ data: exactly('text'), bytes: undefined }], 'what was heard')
    },
  },
]
