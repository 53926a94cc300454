import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeClientBinary, decodeClientMessage, errorCodes, isRequestId } from '../../src/protocol/index.ts'
import { anyText, hostileFrames, legalMessage, mutatedMessage } from './hostile-frames.ts'

const own = new Set(['move', 'ready', '__proto__', 'constructor'])

/** What any frame must come to: a message or an error, and the error says only what it may. */
function decode(text: string): string {
  const { message, error } = decodeClientMessage(text, own)
  if (error === undefined) return message.type
  expect(Object.keys(errorCodes)).toContain(error.code)
  if (error.id !== undefined) expect(isRequestId(error.id)).toBe(true)
  expect(JSON.parse(JSON.stringify(error))).toEqual(error)
  return error.code
}

describe('decoding', () => {
  it('[FRAME-1] never throws, whatever the text', () => {
    fc.assert(fc.property(fc.oneof(anyText, fc.string()), (text) => void decode(text)))
    fc.assert(
      fc.property(fc.json(), (text) => void decode(text)),
      { numRuns: 500 },
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeClientBinary(bytes)))
  })

  it('[FRAME-1] never throws, whatever stands in a message’s fields', () => {
    const types = [
      'hello',
      'auth',
      'join',
      'leave',
      'message',
      'presence',
      'typing',
      'history',
      'ping',
      'move',
      '__proto__',
    ]
    const anything = fc.anything({ withNullPrototype: true })
    const names = [
      'id',
      'room',
      'data',
      'meta',
      'state',
      'presence',
      'since',
      'resume',
      'token',
      'typing',
      'before',
      'limit',
    ]
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.dictionary(fc.constantFrom(...names), anything), (type, fields) => {
        decode(JSON.stringify({ type, ...fields }))
      }),
      { numRuns: 2_000 },
    )
  })

  it('[FRAME-2] takes every legal message for what it is', () => {
    const refusals = ['bad-room-name', 'bad-data', 'bad-message']
    fc.assert(
      fc.property(legalMessage, (message) => {
        expect([message.type, ...refusals]).toContain(decode(JSON.stringify(message)))
      }),
      { numRuns: 1_000 },
    )
    expect(decode('{"type":"move","data":{"x":1},"id":1}')).toBe('application')
    expect(decodeClientMessage('{"type":"move"}').error?.code).toBe('unknown-type')
  })

  it('[FRAME-2] never throws at a legal message with a fault', () => {
    fc.assert(
      fc.property(mutatedMessage, (text) => void decode(text)),
      { numRuns: 3_000 },
    )
  })

  it('[FRAME-3] hands on no field that only the server may set by another way than JSON', () => {
    const { message } = decodeClientMessage('{"__proto__":{"room":"main","data":1},"type":"message"}')
    expect(message).toBeUndefined()
    const { error } = decodeClientMessage('{"__proto__":{"type":"ping"}}')
    expect(error?.code).toBe('bad-message')
  })
})

/** How often the least time of one thing goes into the least time of another, measured in turn. */
function timesAsLong(work: () => void, than: () => void): number {
  const least = [Infinity, Infinity]
  for (let i = 0; i < 4; i++) {
    for (const [which, run] of [work, than].entries()) {
      const begun = performance.now()
      run()
      least[which] = Math.min(least[which] ?? Infinity, performance.now() - begun)
    }
  }
  const [one = 0, other = 0] = least
  // Half a millisecond is neither here nor there.
  return Math.max(0, one - 0.5) / other
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const keys = (count: number, value: string): string =>
  `{${Array.from({ length: count }, (_, index) => `"key ${index}":${value}`).join()}}`

const large: { readonly [what: string]: string } = {
  '100,000 levels': nested(100_000),
  '100,000 levels of data': `{"type":"message","room":"main","data":${nested(100_000)}}`,
  '100,000 levels of an unknown field': `{"type":"ping","x":${nested(100_000)}}`,
  '100,000 keys': keys(100_000, '0'),
  '100,000 keys of data': `{"type":"message","room":"main","data":${keys(100_000, '0')}}`,
  '100,000 elements': `{"type":"message","room":"main","data":[${'0,'.repeat(100_000)}0]}`,
  '100,000 annotations': `{"type":"message","room":"main","data":0,"meta":{"values":${keys(100_000, '["Date"]')}}}`,
  '100,000 paths to nothing': `{"type":"message","room":"main","data":0,"meta":{"values":${keys(100_000, '{}')}}}`,
  '100,000 presences': `{"type":"join","room":"main","presence":${keys(100_000, '[]')}}`,
  'a room of 1,000,000 characters': `{"type":"join","room":"${'ä'.repeat(1_000_000)}"}`,
  'a path of 1,000,000 characters': `{"type":"message","room":"main","data":0,"meta":{"values":{"${'__proto_'.repeat(125_000)}":["Date"]}}}`,
  '100,000 prototypes': `{"type":"message","room":"main","data":0,"meta":{"values":{"${'constructor'.repeat(40)}":["Date"],${keys(100_000, '["set"]').slice(1)}}}`,
}

describe('a frame that was written to hurt', () => {
  it.each(Object.entries(large))('[ISOLATE] costs little more than its JSON: %s', (_, text) => {
    const measure = (): number =>
      timesAsLong(
        () => void decodeClientMessage(text, own),
        () => void JSON.parse(text),
      )
    // Whoever else is at work on this machine may spoil a measurement, but not each of them.
    let ratio = measure()
    for (let attempt = 1; attempt < 5 && ratio >= 4; attempt++) ratio = measure()
    expect(ratio).toBeLessThan(4)
  })

  it('[ISOLATE] is answered, not thrown at', () => {
    for (const text of [...Object.values(large), ...Object.values(hostileFrames)]) decode(text)
  })
})
