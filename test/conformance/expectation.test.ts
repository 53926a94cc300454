import { describe, expect, it } from 'vitest'
import {
  Break,
  exactly,
  expectFit,
  fits,
  inAnyOrder,
  show,
  someCount,
  someText,
} from '../../src/conformance/expectation.ts'
import { Transcript } from '../../src/conformance/transcript.ts'

describe('a pattern', () => {
  it.each([
    ['more members', { a: 1, b: 2 }, { a: 1 }],
    ['nothing where there is to be none', { a: 1 }, { b: undefined }],
    ['what is left open', { a: 'x', n: 0 }, { a: someText, n: someCount }],
    ['a list of as many', [{ a: 1, b: 2 }], [{ a: 1 }]],
    ['a list in any order', [2, 1], inAnyOrder(1, 2)],
    ['the same value in another order of its members', { b: [1], a: null }, exactly({ a: null, b: [1] })],
    ['the same bytes', Uint8Array.of(1, 2), Uint8Array.of(1, 2)],
  ])('fits %s', (_, value, pattern) => {
    expect(fits(value, pattern)).toBe(true)
  })

  it.each([
    ['another value', { a: '1' }, { a: 1 }],
    ['a member that is inherited', {}, { toString: Object.prototype.toString }],
    ['something where there is to be nothing', { a: null }, { a: undefined }],
    ['a list that is longer', [1, 2], [1]],
    ['a list that is shorter', [], [1]],
    ['an element twice', [1, 1], inAnyOrder(1, 2)],
    ['a list for an object', [], {}],
    ['nothing for an object', null, {}],
    ['one member more than exactly', { a: 1, b: 2 }, exactly({ a: 1 })],
    ['a member of another name', { b: 1 }, exactly({ a: 1 })],
    ['other bytes', Uint8Array.of(1, 3), Uint8Array.of(1, 2)],
    ['a list for bytes', [1, 2], Uint8Array.of(1, 2)],
    ['an empty text', '', someText],
    ['a negative count', -1, someCount],
  ])('does not fit %s', (_, value, pattern) => {
    expect(fits(value, pattern)).toBe(false)
  })

  it('says what was expected and what came', () => {
    const pattern = { a: someText, b: undefined, c: exactly({ d: 1 }) }
    expect(show(pattern)).toBe('{"a":"<a text>","b":"<nothing>","c":"<{\\"d\\":1}>"}')
    expect(() => expectFit({ a: 1 }, { a: 2 }, 'it')).toThrow(new Break('it: {"a":2}', '{"a":1}'))
  })
})

describe('a transcript', () => {
  it('hides tokens and secrets, wherever they stand', () => {
    const transcript = new Transcript(['a long token'])
    transcript.sent('ada', '{"type":"hello","token":"short","resume":{"session":"x","secret":"a \\"secret\\""}}')
    transcript.received('ada', '{"type":"message","data":"a long token and a secret of others"}')
    transcript.hide('a secret of others')
    transcript.noted('ada', 'cut')
    expect(transcript.last(3)).toEqual([
      'ada → {"type":"hello","token":"…","resume":{"session":"x","secret":"…"}}',
      'ada ← {"type":"message","data":"… and …"}',
      'ada · cut',
    ])
  })

  it('is as long as people can read', () => {
    const transcript = new Transcript()
    for (let i = 0; i < 20; i++) transcript.sent('ada', `${i} ${'x'.repeat(1_000)}`)
    const lines = transcript.last(3)
    expect(lines.map((line) => line.slice(0, 8))).toEqual(['ada → 17', 'ada → 18', 'ada → 19'])
    for (const line of lines) expect(line.length).toBeLessThan(230)
  })
})
