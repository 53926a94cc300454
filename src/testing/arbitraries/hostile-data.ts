import fc from 'fast-check'
import { protocolLimits } from '../../protocol/limits.ts'
import { nested, wide } from './data-arbitraries.ts'
import type { LegalMessages } from './hostile-fields.ts'
import { hostility, withField, type HostileAnswer, type Hostility } from './hostile-frame.ts'

const { dataDepth, dataNodes, metaEntries } = protocolLimits

const tooDeep = [
  nested(dataDepth + 1),
  nested(dataDepth + 1, '{"a":', '}').replace(':}', ':0}'),
  nested(Math.ceil((dataDepth + 1) / 2), '[{"a":', '}]').replace(':}', ':0}'),
  `[0,${nested(dataDepth + 2)}]`,
]
const farTooDeep = [nested(100_000), nested(30_000), nested(10_000, '{"a":', '}').replace(':}', ':0}')]
const tooWide = [wide(dataNodes + 1), `[${`${wide(99)},`.repeat(100)}${wide(99)}]`, `{"a":${wide(dataNodes)}}`]

const annotations = (count: number, annotation: string): string =>
  `{${Array.from({ length: count }, (_, index) => `"${index}":${annotation}`).join()}}`

/** Annotations that superjson would follow, to the server's harm. */
const refused = [
  '["class","User"]',
  '[["class","User"]]',
  '["custom","x"]',
  '[["custom","x"]]',
  '["symbol","x"]',
  '[["symbol","x"]]',
  '["regexp"]',
  '["Error"]',
  '[["typed-array","Float64Array"]]',
  '["__proto__"]',
  '["date"]',
  '[]',
  '[null]',
  '[1]',
  '["Date",null]',
  '["set",{"0":["regexp"]}]',
  '["Date",{},{}]',
  'null',
  '1',
  '"Date"',
]

const paths = [
  '__proto__',
  'constructor',
  'prototype',
  '__proto__.polluted',
  'constructor.prototype.polluted',
  'a.__proto__.b',
  'x'.repeat(513),
  '.'.repeat(30_000),
]

const badMeta = [
  'null',
  'true',
  '1',
  '"Date"',
  '[]',
  '["Date"]',
  '{"values":["Date"],"v":"1"}',
  '{"values":["Date"],"x":1}',
  '{"referentialEqualities":{"a":["b"]}}',
  '{"values":{"a":["Date"]},"referentialEqualities":[["a"]]}',
  ...refused.flatMap((annotation) => [`{"values":${annotation}}`, `{"values":{"a":${annotation}},"v":1}`]),
  ...paths.map((path) => `{"values":{${JSON.stringify(path)}:["undefined"]}}`),
  `{"values":${annotations(metaEntries + 1, '["Date"]')}}`,
  `{"values":${annotations(101, annotations(10, '["Date"]'))}}`,
  `{"values":${nested(dataDepth + 1, '{"a":', '}').replace(':}', ':["Date"]}')}}`,
  `{"values":${nested(10_000)}}`,
]

/** Annotations that are allowed, of data that they do not fit: whoever follows them pays. */
const unfit = [
  [JSON.stringify('9'.repeat(50_000)), '{"values":["bigint"]}'],
  ['"x"', '{"values":["bigint"]}'],
  ['"never"', '{"values":["Date"]}'],
  ['"::"', '{"values":["URL"]}'],
  ['[]', '{"values":{"4294967294":["undefined"]}}'],
  ['{"length":4294967295}', '{"values":["set"]}'],
  ['{}', '{"values":{"a.b.c":["Date"]}}'],
  ['0', '{"values":["map"]}'],
  ['null', `{"values":${annotations(metaEntries, '["undefined"]')}}`],
] as const

/** What carries data, and in which field. */
const carriers = [
  ['message', 'data'],
  ['presence', 'state'],
  ['join', 'presence'],
] as const

/** What breaks the bounds of data and of `meta`. */
export function hostileData(legal: LegalMessages, own: readonly string[]): Hostility[] {
  const ofOwn = own.map((type) => [type, 'data'] as const)
  const carrying = (among: readonly (readonly [type: string, field: string])[], values: readonly string[]) =>
    fc.oneof(
      ...among.map(([type, field]) =>
        fc.tuple(legal(type), fc.constantFrom(...values)).map(([message, json]) => withField(message, field, json)),
      ),
    )
  const everywhere = [...carriers, ...ofOwn]
  const metaOf = ['message', ...own].map((type) => [type, 'meta'] as const)
  return [
    hostility('data that is a little too deep', 'bad-data', carrying(everywhere, tooDeep)),
    hostility('data that is far too deep', 'bad-data', carrying(everywhere, farTooDeep), 1),
    hostility('data of too many parts', 'bad-data', carrying(everywhere, tooWide), 1),
    hostility('a meta that is not allowed', 'bad-meta', carrying(metaOf, badMeta), 6),
    unfitting(legal('message'), 'served'),
    // Whoever has it rebuilt for the application's message finds out.
    ...own.map((type) => unfitting(legal(type), 'application')),
  ]
}

const unfitting = (messages: fc.Arbitrary<object>, answer: HostileAnswer): Hostility =>
  hostility(
    'a meta that does not fit its data',
    answer,
    fc
      .tuple(messages, fc.constantFrom(...unfit))
      .map(([message, [data, meta]]) =>
        withField(JSON.parse(withField(message, 'data', data)) as object, 'meta', meta),
      ),
    2,
  )
