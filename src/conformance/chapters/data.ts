import { protocolLimits } from '../../protocol/index.ts'
import type { Check } from '../check.ts'
import { exactly, expectFit, show } from '../expectation.ts'
import { tooDeep } from '../refused.ts'
import type { Site } from '../site.ts'

const { dataDepth, dataNodes, metaEntries } = protocolLimits
const deep = `${'['.repeat(dataDepth)}${']'.repeat(dataDepth)}`
const long = (parts: number): string => `[${Array.from({ length: parts }, () => '0').join()}]`

/** What surrounds `data` and `meta` in a frame takes no more than this (bytes). */
const around = 300

const values = (tree: string): string => `{"values":${tree},"v":1}`
const many = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"${index}":["undefined"]`).join()}}`
const tower = (depth: number): string => `${'{"a":'.repeat(depth)}["Date"]${'}'.repeat(depth)}`

const names = ['Date', 'bigint', 'undefined', 'number', 'set', 'map', 'URL']
const allowedMeta = [
  '{}',
  '{"values":{}}',
  '{"v":1}',
  ...names.map((name) => values(`["${name}"]`)),
  values('{"a.b":["map",{"0.1":["Date"]}]}'),
  values(`{"${'x'.repeat(512)}":["Date"]}`),
  values(many(metaEntries)),
  values(tower(dataDepth)),
]
const forbiddenMeta = [
  'null',
  '1',
  '"Date"',
  '[]',
  '{"values":["Date"],"v":"1"}',
  '{"values":["Date"],"x":1}',
  '{"values":["Date"],"referentialEqualities":{"a":["b"]}}',
  ...['regexp', 'Error', 'symbol', 'toString', 'date', ''].map((name) => values(`["${name}"]`)),
  values('[["class","User"]]'),
  values('[["custom","x"]]'),
  values('{"__proto__":["Date"]}'),
  values('{"a.constructor.b":["Date"]}'),
  values('{"a.prototype":["Date"]}'),
  values(`{"${'x'.repeat(513)}":["Date"]}`),
  values(many(metaEntries + 1)),
  values(tower(dataDepth + 1)),
]

/** A frame of a message. */
const frame = (room: string, data: string, meta?: string): string =>
  `{"type":"message","room":${show(room)},"id":"it","data":${data}${meta === undefined ? '' : `,"meta":${meta}`}}`

/** Says each of them in a room, and holds the replies to what they should be; what no frame holds is left out. */
async function eachIs(site: Site, contents: readonly (readonly [string, string?])[], code?: string): Promise<void> {
  const room = site.room()
  const ada = await site.member('ada', room)
  for (const [data, meta] of contents) {
    const text = frame(room, data, meta).replace('"id":"it",', `"id":${show(`it ${ada.mark}`)},`)
    if (text.length + around > site.facts.limits.frameBytes) continue
    const id = `it ${ada.mark}`
    ada.send(text)
    const reply = await ada.until(`a reply to ${text.slice(0, 120)}`, () => ada.repliesTo(id)[0])
    const expected = code === undefined ? { type: 'ack' } : { type: 'error', code }
    expectFit(reply, expected, `the reply to ${text.slice(0, 120)}`)
  }
  if (code !== undefined) expectFit(ada.heard(room), [], 'what was heard of it')
}

export const dataChecks: readonly Check[] = [
  {
    rule: 'DATA-1',
    says: 'plain JSON travels without meta, and the plain part of what has one as it was sent',
    run: async (site) => {
      const room = site.room()
      const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
      const plain = { a: [1, 'x', null, true, { b: {} }] }
      const dated = { at: '1970-01-01T00:00:00.000Z' }
      const meta = { values: { at: ['Date'] } }
      await ada.say(room, plain)
      await ada.say(room, dated, { meta })
      const expected = [
        { data: exactly(plain), meta: undefined },
        { data: exactly(dated), meta: exactly(meta) },
      ]
      expectFit(await bob.hearsMany(room, 2), expected, 'what another member hears')
    },
  },
  {
    rule: 'DATA-2',
    says: 'data is at most 32 containers deep and has at most 10,000 parts; more is answered bad-data',
    run: async (site) => {
      await eachIs(site, [[deep], [long(dataNodes)], [`{"a":${long(dataNodes - 1)}}`]])
      const beyond = [tooDeep, `[${deep}]`, long(dataNodes + 1), `{"a":${long(dataNodes)}}`]
      await eachIs(
        site,
        beyond.map((data) => [data]),
        'bad-data',
      )
    },
  },
  {
    rule: 'META-1',
    says: 'meta is a map of the allowed annotations, within its bounds; anything else is answered bad-meta',
    run: async (site) => {
      await eachIs(
        site,
        allowedMeta.map((meta) => ['{}', meta]),
      )
      await eachIs(
        site,
        forbiddenMeta.map((meta) => ['{}', meta]),
        'bad-meta',
      )
    },
  },
  {
    rule: 'META-2',
    says: 'an allowed meta that does not fit its data is relayed as it is',
    run: async (site) => {
      const room = site.room()
      const [ada, bob] = [await site.member('ada', room), await site.member('bob', room)]
      const pairs = [
        ['x', { values: ['bigint'] }],
        [5, { values: ['set'] }],
        [{}, { values: { hasOwnProperty: ['set'] } }],
        [[], { values: { 0: ['URL'] } }],
      ] as const
      for (const [data, meta] of pairs) await ada.say(room, data, { meta })
      const expected = pairs.map(([data, meta]) => ({ data: exactly(data), meta: exactly(meta) }))
      expectFit(await bob.hearsMany(room, pairs.length), expected, 'what another member hears')
    },
  },
]
