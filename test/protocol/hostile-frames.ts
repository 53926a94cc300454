import fc from 'fast-check'

const nested = (depth: number, open = '[', close = ']'): string => open.repeat(depth) + close.repeat(depth)
const keys = (count: number, value = '0'): string =>
  `{${Array.from({ length: count }, (_, index) => `"k${index}":${value}`).join()}}`

/** Frames that were written to hurt. */
export const hostileFrames: { readonly [what: string]: string } = {
  'arrays 30,000 deep': nested(30_000),
  'arrays 30,000 deep in data': `{"type":"message","room":"pit","data":${nested(30_000)}}`,
  'arrays 30,000 deep in presence': `{"type":"join","room":"pit","presence":${nested(30_000)}}`,
  'arrays 30,000 deep in meta': `{"type":"message","room":"pit","data":0,"meta":${nested(30_000)}}`,
  'arrays 30,000 deep in a field nobody knows': `{"type":"ping","x":${nested(30_000)}}`,
  'objects 10,000 deep': `{"type":"message","room":"pit","data":${nested(10_000, '{"a":', '}').replace(':}', ':0}')}}`,
  '5,000 keys in data': `{"type":"message","room":"pit","data":${keys(5_000)}}`,
  '30,000 elements': `{"type":"message","room":"pit","data":[${'0,'.repeat(30_000)}0]}`,
  '5,000 fields': `{"type":"message","room":"pit","data":0,${keys(5_000).slice(1)}`,
  '3,000 annotations': `{"type":"message","room":"pit","data":{},"meta":{"values":${keys(3_000, '["Date"]')}}}`,
  'an annotation under a path of 60,000 dots': `{"type":"message","room":"pit","data":{},"meta":{"values":{"${'.'.repeat(60_000)}":["Date"]}}}`,
  'a number of 60,000 digits': `{"type":"message","room":"pit","data":${'9'.repeat(60_000)}}`,
  'a bigint of 60,000 digits': `{"type":"message","room":"pit","data":"${'9'.repeat(60_000)}","meta":{"values":["bigint"]}}`,
  'numbers that are longer when written again': `{"type":"message","room":"pit","data":[${'1e20,'.repeat(9_000)}0]}`,
  escapes: `{"type":"message","room":"pit","data":"${'\\u0000'.repeat(10_000)}"}`,
  'a room of 60,000 characters': `{"type":"join","room":"${'x'.repeat(60_000)}"}`,
  'an id of 60,000 characters': `{"type":"ping","id":"${'x'.repeat(60_000)}"}`,
  'a type of 60,000 characters': `{"type":"${'x'.repeat(60_000)}"}`,
  'a secret of 60,000 characters': `{"type":"hello","resume":{"session":"x","secret":"${'x'.repeat(60_000)}"}}`,
  'a prototype': '{"__proto__":{"type":"ping"},"constructor":{"prototype":{"x":1}},"type":"leave","room":"__proto__"}',
  'a prototype in data':
    '{"type":"message","room":"pit","data":{"__proto__":{"toString":0},"constructor":0,"toJSON":0}}',
  'a frame that is too big': 'x'.repeat(70_000),
}

const codePoint = fc.nat({ max: 0x10ffff }).map((code) => String.fromCodePoint(code))

/** Text of every kind of character, lone surrogates included. */
export const anyText = fc.string({ unit: codePoint })

/** Text that UTF-8 can say. */
export const wellFormed = fc.string({ unit: codePoint.filter((character) => !/\p{Surrogate}/u.test(character)) })

const room = fc.constantFrom('pit', 'pit', 'hole', '', '__proto__', 'constructor', 'x'.repeat(256))
const id = fc.constantFrom(1, '1', 0, -1)

/** Messages that are right, of every type; never about the room `main`. */
export const legalMessage = fc.oneof(
  fc.record({ type: fc.constant('hello'), token: fc.constantFrom('eve', 'bad'), id }, { requiredKeys: ['type'] }),
  fc.record({ type: fc.constant('hello'), resume: fc.record({ session: fc.string(), secret: fc.string() }) }),
  fc.record({ type: fc.constant('auth'), token: fc.constantFrom('eve', 'bad'), id }),
  fc.record(
    {
      type: fc.constant('join'),
      room,
      presence: fc.jsonValue(),
      since: fc.record({ epoch: fc.string(), offset: fc.maxSafeInteger() }),
      id,
    },
    { requiredKeys: ['type', 'room'] },
  ),
  fc.record({ type: fc.constant('leave'), room, id }, { requiredKeys: ['type', 'room'] }),
  fc.record(
    {
      type: fc.constant('message'),
      room,
      data: fc.jsonValue(),
      meta: fc.constantFrom({ values: ['Date'], v: 1 }, { values: { a: ['map', { '0.1': ['bigint'] }] } }),
      id,
    },
    { requiredKeys: ['type', 'room', 'data'] },
  ),
  fc.record({ type: fc.constant('presence'), room, state: fc.jsonValue(), id }),
  fc.record({ type: fc.constant('typing'), room, typing: fc.boolean(), id }),
  fc.record(
    { type: fc.constant('history'), room, before: fc.maxSafeInteger(), limit: fc.integer({ min: 1, max: 999 }), id },
    { requiredKeys: ['type', 'room'] },
  ),
  fc.record({ type: fc.constant('ping'), id }, { requiredKeys: ['type'] }),
)

const hostileKey = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'toJSON',
  'length',
  'then',
  'id',
  'type',
  'room',
)

/** Messages of which one field is gone, has another value or another name, or is there a second time, as text. */
export const mutatedMessage = fc
  .tuple(
    legalMessage,
    fc.nat(),
    fc.oneof(fc.jsonValue(), fc.constantFrom(null, 1e308, -0, '\ud800')),
    hostileKey,
    fc.nat({ max: 5 }),
  )
  .map(([message, where, value, key, how]) => {
    const fields = Object.entries(message)
    const index = where % fields.length
    const [name = ''] = fields[index] ?? []
    if (how === 0) fields.splice(index, 1)
    else if (how === 1) fields[index] = [name, value as never]
    else if (how === 2) fields[index] = [key, value as never]
    else if (how === 3) fields.push([key, value as never])
    else if (how === 4) fields.push([name, value as never])
    const text = `{${fields.map(([field, content]) => `${JSON.stringify(field)}:${JSON.stringify(content)}`).join()}}`
    return how === 5 ? text.slice(0, where % (text.length + 1)) : text
  })
