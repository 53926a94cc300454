import { encodeBinary } from '../../protocol/index.ts'
import type { Check } from '../check.ts'
import type { Client } from '../client.ts'
import { Break, expectFit } from '../expectation.ts'
import type { Site } from '../site.ts'

const nested = (depth: number, open = '[', close = ']'): string => open.repeat(depth) + close.repeat(depth)
const members = (count: number, value = '0'): string =>
  `{${Array.from({ length: count }, (_, index) => `"k${index}":${value}`).join()}}`

/** Frames that were written to hurt, with a room of their own as `pit`. */
function hostileFrames(pit: string, frameBytes: number): readonly (readonly [string, string | Uint8Array])[] {
  const say = (data: string, more = ''): string => `{"type":"message","room":"${pit}","data":${data}${more}}`
  const long = Math.max(0, frameBytes - 1_000)
  return [
    ['text that is not JSON', '{"type":'],
    ['lists 30,000 deep', nested(30_000)],
    ['lists 30,000 deep in data', say(nested(30_000))],
    ['lists 30,000 deep in presence', `{"type":"join","room":"${pit}","presence":${nested(30_000)}}`],
    ['lists 30,000 deep in meta', say('0', `,"meta":${nested(30_000)}`)],
    ['lists 30,000 deep in a field that nobody knows', `{"type":"ping","x":${nested(30_000)}}`],
    ['objects 9,000 deep', say(`${'{"a":'.repeat(9_000)}0${'}'.repeat(9_000)}`)],
    ['5,000 members in data', say(members(5_000))],
    ['30,000 elements', say(`[${'0,'.repeat(30_000)}0]`)],
    ['5,000 fields', say('0', `,${members(5_000).slice(1, -1)}`)],
    ['3,000 annotations', say('{}', `,"meta":{"values":${members(3_000, '["Date"]')}}`)],
    ['an annotation under a long path', say('{}', `,"meta":{"values":{"${'.'.repeat(long)}":["Date"]}}`)],
    ['a number of many digits', say('9'.repeat(long))],
    ['a bigint of many digits', say(`"${'9'.repeat(long)}"`, ',"meta":{"values":["bigint"]}')],
    ['numbers that are longer when written again', say(`[${'1e20,'.repeat(9_000)}0]`)],
    ['escapes', say(`"${'\\u0000'.repeat(9_000)}"`)],
    ['a long room', `{"type":"join","room":"${'x'.repeat(long)}"}`],
    ['a long id', `{"type":"ping","id":"${'x'.repeat(long)}"}`],
    ['a long type', `{"type":"${'x'.repeat(long)}"}`],
    ['a long secret', `{"type":"hello","resume":{"session":"x","secret":"${'x'.repeat(long)}"}}`],
    ['the room __proto__', '{"type":"leave","room":"__proto__"}'],
    ['a prototype', '{"__proto__":{"type":"ping"},"constructor":{"prototype":{"x":1}},"type":"leave","room":"x"}'],
    ['a prototype in data', say('{"__proto__":{"toString":0},"constructor":0,"toJSON":0,"then":0}')],
    ['an unknown type called __proto__', '{"type":"__proto__","id":"__proto__"}'],
    ['a binary frame that is shorter than it says', Uint8Array.of(255, 255, 255, 255)],
    ['a binary frame whose header is too deep', encodeBinary(nested(9_000), Uint8Array.of(1))],
    ['a frame that is too big', 'x'.repeat(Math.min(frameBytes, 16 * 1024 * 1024) + 1)],
  ]
}

/** Two who chat, and hear each other whatever others do. */
async function chat(site: Site): Promise<(what: string) => Promise<void>> {
  const room = site.room()
  const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
  let said = 0
  return async (what) => {
    const data = `line ${++said}`
    try {
      expectFit(await ada.say(room, data), { offset: said }, 'the ack')
      await bob.hears({ type: 'message', room, data, offset: said })
    } catch (error) {
      if (!(error instanceof Break)) throw error
      throw new Break(`after ${what} from another: ${error.expected}`, error.came)
    }
  }
}

export const isolateChecks: readonly Check[] = [
  {
    rule: 'ISOLATE',
    says: 'two who chat notice nothing of frames that a third sends to do harm, before its welcome or after it',
    run: async (site) => {
      const check = await chat(site)
      const { frameBytes } = site.facts.limits
      let eve: Client | undefined
      for (const [what, frame] of hostileFrames(site.room(), frameBytes)) {
        // What is too large for this server says no more than the last of them, but for that one.
        if (frame.length > frameBytes && what !== 'a frame that is too big') continue
        if (eve === undefined || eve.closed !== undefined) eve = await site.enter('eve')
        eve.send(frame)
        await check(what)
        const early = await site.open('eve, early')
        early.send(frame)
        await check(`${what}, before its welcome,`)
        await early.close(1000)
      }
    },
  },
  {
    rule: 'ISOLATE',
    says: 'two who chat notice nothing of malformed WebSocket frames that a third sends',
    run: async (site) => {
      const check = await chat(site)
      const breaches: readonly (readonly [string, readonly number[]])[] = [
        ['an unmasked frame', [0x81, 1, 0x61]],
        ['a frame of 2^63 bytes', [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
        ['a close frame of one byte', [0x88, 0x81, 0, 0, 0, 0, 1]],
        ['a ping of 126 bytes', [0x89, 0xfe, 0, 126, 0, 0, 0, 0]],
        ['text that is not UTF-8', [0x81, 0x81, 0, 0, 0, 0, 0xff]],
        ['nothing but zeros', Array.from({ length: 64 }, () => 0)],
      ]
      for (const [what, bytes] of breaches) {
        const eve = await site.raw('eve')
        eve.write(what, bytes)
        await check(what)
        eve.destroy()
      }
    },
  },
]
