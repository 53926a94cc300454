import type { Check } from '../check.ts'
import { expectFit, Inapplicable, show } from '../expectation.ts'
import { maskedFrame } from '../raw-socket.ts'

const notJson = ['', ' ', 'hello', '{', '{"type":"ping"', "{'type':'ping'}", '{"type":"ping"}{}', '\u0000']
const notMessages = ['null', '1', '"ping"', '[]', '[{"type":"ping"}]', '{}', '{"type":1}', '{"type":null}']
const unknownTypes = ['', 'conformance.unknown', '__proto__', 'constructor', 'toString', 'hasOwnProperty']

/** A frame larger than this is not tried. */
const largestFrame = 16 * 1024 * 1024

/** A ping of just so many bytes; characters of two bytes, because it is bytes that count. */
function sizedPing(bytes: number): string {
  const start = '{"type":"ping","id":"sized","x":"'
  const room = bytes - start.length - 2
  return `${start}${'ä'.repeat(Math.floor(room / 2))}${'x'.repeat(room % 2)}"}`
}

export const frameChecks: readonly Check[] = [
  {
    rule: 'FRAME-1',
    says: 'text that is not JSON is answered bad-json, JSON that is no object with a type bad-message',
    run: async (site) => {
      const ada = await site.enter('ada')
      for (const frame of notJson) {
        expectFit(await ada.provoke(frame), { code: 'bad-json' }, `the reply to ${show(frame)}`)
      }
      for (const frame of notMessages) {
        expectFit(await ada.provoke(frame), { code: 'bad-message' }, `the reply to ${frame}`)
      }
      expectFit(ada.garbage, [], 'frames from the server that are no messages')
    },
  },
  {
    rule: 'FRAME-2',
    says: 'a type that nobody knows is answered unknown-type, whatever it is called',
    run: async (site) => {
      const ada = await site.enter('ada')
      for (const type of unknownTypes) await ada.isRefused({ type }, 'unknown-type')
    },
  },
  {
    rule: 'FRAME-3',
    says: 'fields that a message does not have are ignored, also those that only the server may set',
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const forged = { from: { user: 'root', session: 'x' }, at: 1, offset: 99, epoch: 'mine', duplicate: true }
      ada.send({ type: 'message', room, data: 'one', ...forged, user: 'root', whatever: [{}] })
      ada.send(`{"__proto__":{"type":"ping"},"constructor":1,"type":"message","room":${show(room)},"data":"two"}`)
      const heard = await ada.hearsMany(room, 2)
      const { user, session } = ada
      const epoch = ada.epochOf(room)
      const own = { from: { user, session }, epoch, duplicate: undefined, user: undefined, whatever: undefined }
      const expected = [
        { ...own, data: 'one', offset: 1 },
        { ...own, data: 'two', offset: 2 },
      ]
      expectFit(heard, expected, 'what was heard')
      for (const { at } of heard) expectFit(at === 1, false, 'whether `at` is what the client said')
    },
  },
  {
    rule: 'FRAME-4',
    says: 'a frame of limits.frameBytes is taken; a larger one, alone or in fragments, closes with 1009',
    run: async (site) => {
      const { frameBytes } = site.facts.limits
      if (frameBytes > largestFrame) throw new Inapplicable(`limits.frameBytes is ${frameBytes}: too much to send`)
      const fits = await site.enter('ada')
      fits.send(sizedPing(frameBytes))
      await fits.hears({ type: 'pong', id: 'sized' })
      const alone = await site.enter('ada')
      alone.send(sizedPing(frameBytes + 1))
      await alone.isClosedWith(1009)
      const summed = await site.enter('ada')
      const part = 'x'.repeat(Math.ceil((frameBytes + 1) / 3))
      summed.sendFragments([part, part, part], { finished: false })
      await summed.isClosedWith(1009)
    },
  },
  {
    rule: 'FRAME-5',
    says: 'a frame that cannot be understood costs an error; what came before and after it is handled as if without it',
    run: async (site) => {
      const room = site.room()
      const ada = await site.member('ada', room)
      const frames = ['{', '{"type":"conformance.unknown"}', 'null', '{"type":"message","room":1}', '[]']
      for (const [index, frame] of frames.entries()) {
        ada.send({ type: 'message', room, data: index })
        ada.send(frame)
      }
      ada.send({ type: 'message', room, data: 'last' })
      const heard = await ada.hearsMany(room, frames.length + 1)
      const expected = [...frames.keys(), 'last'].map((data, index) => ({ data, offset: index + 1 }))
      expectFit(heard, expected, 'what was heard')
      await ada.until('an error for each bad frame', () => ada.since(0, 'error')[frames.length - 1])
      await ada.ask({ type: 'ping' })
      expectFit(ada.since(0, 'error').length, frames.length, 'the number of errors')
    },
  },
  {
    rule: 'FRAME-6',
    says: 'malformed frames close with 1002, text that is not UTF-8 with 1007, more than 64 fragments with 1008',
    run: async (site) => {
      const fragments = Array.from({ length: 64 }, () => [0, 0x80, 0, 0, 0, 0]).flat()
      const breaches = [
        ['an unmasked frame', [0x81, 1, 0x61], 1002],
        ['a reserved bit', [0xf1, 0x80, 0, 0, 0, 0], 1002],
        ['an unknown opcode', [0x83, 0x80, 0, 0, 0, 0], 1002],
        ['a continuation of nothing', [0x80, 0x80, 0, 0, 0, 0], 1002],
        ['text that is not UTF-8', maskedFrame(1, Uint8Array.of(0xff)), 1007],
        ['65 fragments', [1, 0x80, 0, 0, 0, 0, ...fragments], 1008],
      ] as const
      for (const [breach, bytes, code] of breaches) {
        const socket = await site.raw('ada')
        socket.write(breach, bytes)
        expectFit(await socket.closeCode(), code, `the close code for ${breach}`)
      }
    },
  },
]
