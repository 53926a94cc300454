import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRoomName } from '../../src/protocol/index.ts'
import { isSafeMeta } from '../../src/protocol/meta-gate.ts'
import { isBounded } from '../../src/protocol/plain.ts'

type Tree = readonly unknown[] | { readonly [path: string]: Tree }

const path = fc.string({ maxLength: 12 }).filter((text) => !/__proto__|prototype|constructor/.test(text))
const annotation = fc.constantFrom('Date', 'bigint', 'undefined', 'number', 'set', 'map', 'URL')

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(annotation),
    fc.tuple(annotation, fc.dictionary(path, tie('tree'), { maxKeys: 3 })),
    fc.dictionary(path, tie('tree'), { maxKeys: 3 }),
  ),
}))

/** As it comes from the wire: `__proto__` is a key like any other. */
const parsed = (text: string): unknown => JSON.parse(text)

describe('the gate before superjson', () => {
  it('[META-1] lets the allowed annotations through', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom(undefined, 0, 1), (values, v) => {
        expect(isSafeMeta(parsed(JSON.stringify({ values, v })))).toBe(true)
      }),
    )
  })

  it('[META-1] lets nothing through in which one thing is not allowed, wherever it stands', () => {
    const wrong = fc.oneof(
      fc.constantFrom<unknown>(
        [],
        ['date'],
        ['regexp'],
        ['Error'],
        [['class', 'X']],
        [['custom', 'x']],
        [['symbol', 'x']],
        null,
        1,
        'Date',
        true,
      ),
      fc.constantFrom<unknown>(
        ['Date', null],
        ['Date', []],
        ['Date', {}, 1],
        [{}],
        [null],
        [['Date']],
        ['__proto__'],
        ['toString'],
      ),
      fc
        .string()
        .filter((text) => !['Date', 'bigint', 'undefined', 'number', 'set', 'map', 'URL'].includes(text))
        .map((text) => [text]),
    )
    const around = fc.tuple(tree, path, fc.constantFrom('beside', 'below', 'within'))
    fc.assert(
      fc.property(wrong, fc.array(around, { maxLength: 4 }), (inner, shells) => {
        let values = JSON.stringify(inner)
        for (const [sibling, key, how] of shells) {
          const here = `{${JSON.stringify(`${key}!`)}:${JSON.stringify(sibling)},${JSON.stringify(key)}:${values}}`
          values = how === 'beside' ? here : how === 'below' ? `["map",${here}]` : `{"x":["set",${here}]}`
        }
        expect(isSafeMeta(parsed(`{"values":${values},"v":1}`))).toBe(false)
      }),
    )
  })

  it('[META-1] lets no path through that leads to a prototype', () => {
    const bad = fc.constantFrom('__proto__', 'prototype', 'constructor')
    const prefix = fc.oneof(
      fc.constant(''),
      path.map((text) => `${text}.`),
    )
    const suffix = fc.oneof(
      fc.constant(''),
      path.map((text) => `.${text}`),
    )
    fc.assert(
      fc.property(prefix, bad, suffix, (before, key, after) => {
        expect(isSafeMeta(parsed(`{"values":{${JSON.stringify(before + key + after)}:["Date"]}}`))).toBe(false)
      }),
    )
    expect(isSafeMeta(parsed('{"values":{"myconstructor":["Date"],"__proto__x":["Date"]}}'))).toBe(true)
  })

  it('[META-1] is no map of annotations when it is anything else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (given) => {
        const meta: unknown = parsed(JSON.stringify(given))
        const isMap = typeof meta === 'object' && meta !== null && !Array.isArray(meta)
        const foreign = isMap && Object.keys(meta).some((name) => name !== 'values' && name !== 'v')
        if (!isMap || foreign) expect(isSafeMeta(meta)).toBe(false)
      }),
    )
  })
})

describe('the bounds of data', () => {
  it('[DATA-2] count containers, members and elements on all levels', () => {
    const size = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? Object.values(value).reduce((sum: number, part) => sum + 1 + size(part), 0)
        : 0
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.integer({ min: 9_990, max: 10_010 }), (given, total) => {
        const filler = Array.from({ length: Math.max(0, total - size(given) - 2) }, () => 0)
        const data = [given, filler]
        expect(isBounded(data)).toBe(size(data) <= 10_000)
      }),
    )
    for (const value of [0, '', null, undefined, true, 1n, 'x'.repeat(1_000_000)]) expect(isBounded(value)).toBe(true)
  })
})

describe('a room’s name', () => {
  it('[JOIN-2] is text of 1 to 255 bytes, without control characters and lone surrogates', () => {
    const unit = fc.constantFrom('a', 'ä', '€', '😀', '\u0000', '\u009f', '\u00a0', '\ud800', '\udc00', '\u200b', '*')
    const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text)
    fc.assert(
      fc.property(fc.array(fc.tuple(unit, fc.constantFrom(1, 1, 60, 100)), { maxLength: 4 }), (parts) => {
        const name = parts.map(([text, times]) => text.repeat(times)).join('')
        const bytes = Buffer.byteLength(name)
        const hasControls = /\p{Control}/u.test(name)
        expect(isRoomName(name)).toBe(bytes >= 1 && bytes <= 255 && !hasControls && isWellFormed(name))
      }),
      { numRuns: 1_000 },
    )
  })

  it('[JOIN-2] is nothing but text', () => {
    const other = fc.anything().filter((value) => typeof value !== 'string')
    fc.assert(fc.property(other, (value) => !isRoomName(value)))
    expect(isRoomName('x'.repeat(10_000_000))).toBe(false)
  })
})
