import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dataTextOf } from '../../src/protocol/data-text.ts'
import { decodeClientMessage } from '../../src/protocol/index.ts'
import { Stage } from '../stage.ts'
import { ask } from './cast.ts'

const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/)

/** Text in quotation marks, written in one of the ways that JSON has for it. */
const string = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 4 }).map((text) => JSON.stringify(text).slice(1, -1)),
      fc.constantFrom('\\"', '\\\\', '\\\\\\"', '\\/', '\\u0022', '\\u005c', '\\ud800', '{', '}', '[', ']', ',', ':'),
    ),
    { maxLength: 5 },
  )
  .map((parts) => `"${parts.join('')}"`)

const number = fc.constantFrom('0', '-0', '1e20', '1E-7', '12345678901234567890', '0.1000', '1e400')

/** JSON that nobody's `stringify` would have written. */
const { json } = fc.letrec<{ json: string; pair: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(string, number, fc.constantFrom('true', 'false', 'null')),
    listOf('[', tie('json'), ']'),
    listOf('{', tie('pair'), '}'),
  ),
  pair: fc
    .tuple(string, space, space, tie('json'))
    .map(([key, before, after, value]) => `${key}${before}:${after}${value}`),
}))

function listOf(open: string, item: fc.Arbitrary<string>, close: string): fc.Arbitrary<string> {
  return fc
    .tuple(space, fc.array(fc.tuple(item, space), { maxLength: 4 }))
    .map(([inner, items]) => `${open}${inner}${items.map(([value, after]) => value + after).join(`,${inner}`)}${close}`)
}

const write = (key: string, value: string): string => `${key}:${value}`
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

describe('the text of data', () => {
  it('[MESSAGE-6] is what its sender wrote, wherever it stands and however it is written', () => {
    const others = fc.array(fc.tuple(string, json), { maxLength: 3 })
    const places = { before: others, data: json, between: others, meta: fc.option(json), gap: space }
    fc.assert(
      fc.property(fc.record(places), ({ before, data, between, meta, gap }) => {
        const members = [
          ...before.map(([key, value]) => write(key, value)),
          write('"data"', gap + data),
          ...between.map(([key, value]) => write(key, value)),
          ...(meta === null ? [] : [write('"\\u006deta"', meta + gap)]),
        ]
        const text = `${gap}{${gap}${members.join(`${gap},${gap}`)}}`
        JSON.parse(text)
        expect(dataTextOf(text)).toBe(`,"data":${data}${meta === null ? '' : `,"meta":${meta}`}`)
      }),
      { numRuns: 2_000 },
    )
  })

  it('[MESSAGE-6] is that of the last of several', () => {
    expect(dataTextOf('{"data":1,"meta":2,"d\\u0061ta":[3],"meta":{"v":4}}')).toBe(',"data":[3],"meta":{"v":4}')
    expect(dataTextOf('{"type":"message"}')).toBeUndefined()
  })

  it('[MESSAGE-6] [DATA-2] is written anew where something nests too deep that does not count', async () => {
    expect(dataTextOf(`{"data":${nested(32)}}`)).toBe(`,"data":${nested(32)}`)
    expect(dataTextOf(`{"data":{"a":${nested(32)},"a":1}}`)).toBeUndefined()
    const stage = new Stage()
    const ada = await stage.member()
    await ask(stage, ada, `{"type":"message","room":"main","data":{"a":${nested(5_000)},"a":1}}`)
    expect(ada.last('message')).toMatchObject({ data: { a: 1 } })
  })

  it('[MESSAGE-6] is relayed and replayed to the last digit, and not blown up', async () => {
    const stage = new Stage()
    const data = `[12345678901234567890, ${Array.from({ length: 1_000 }, () => '1e20').join()},-0]`
    const ada = stage.transport.connect()
    const texts: string[] = []
    ada.onmessage = ({ data }) => texts.push(String(data))
    await stage.clock.settle()
    ada.send('{"type":"join","room":"main"}')
    ada.send(`{"type":"message","room":"main","data":${data},"extra":1}`)
    ada.send('{"type":"history","room":"main"}')
    await stage.clock.settle()
    expect(texts.filter((text) => text.includes(`,"data":${data}}`))).toHaveLength(2)
    ada.close()
    await stage.clock.settle()
  })

  it('is never taken from what a client calls so', () => {
    const { message } = decodeClientMessage('{"type":"message","room":"a","data":1,"dataText":"}{"}')
    expect(message).toEqual({ type: 'message', room: 'a', data: 1, dataText: ',"data":1' })
  })
})
