import { describe, expect, it } from 'vitest'
import { decodeData, encodeData, type Json } from '../../src/protocol/index.ts'
import { Stage, type RawClient } from '../stage.ts'
import { ask, heard } from './cast.ts'

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const long = (parts: number): string => `[${Array.from({ length: parts }, () => '0').join()}]`

async function codes(stage: Stage, ada: RawClient, ...frames: string[]): Promise<unknown[]> {
  return (await ask(stage, ada, ...frames)).map(({ type, code }) => code ?? type)
}

const message = (data: string, meta?: string): string =>
  `{"type":"message","room":"main","data":${data}${meta === undefined ? '' : `,"meta":${meta}`}}`

describe('data', () => {
  it('[DATA-1] that is plain JSON travels without meta', async () => {
    const plain: Json = { a: [1, 'x', null, true, { b: {} }] }
    expect(encodeData(plain)).toEqual({ data: plain })
    const stage = new Stage()
    const ada = await stage.member()
    await ask(stage, ada, { type: 'message', room: 'main', ...encodeData(plain) })
    expect(ada.last('message')).not.toHaveProperty('meta')
    expect(heard(ada)).toEqual([[1, plain]])
  })

  it('[DATA-1] that is more has a plain part that makes sense by itself', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    const value = { at: new Date(0), tags: new Set(['a']), n: 12n, u: undefined, home: new URL('https://example.org/') }
    await ask(stage, ada, { type: 'message', room: 'main', ...encodeData(value) })
    const { data, meta } = ada.last('message') as unknown as { data: Json; meta: Json }
    expect(data).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      tags: ['a'],
      n: '12',
      u: null,
      home: 'https://example.org/',
    })
    expect(decodeData({ data, meta })).toEqual(value)
  })

  it.each([
    ['a message', (data: string) => message(data)],
    ['a presence', (data: string) => `{"type":"presence","room":"main","state":${data}}`],
    ['a join', (data: string) => `{"type":"join","room":"main","presence":${data}}`],
  ])('[DATA-2] of %s has bounds', async (_, carrying) => {
    const stage = new Stage({ presenceBytes: 100_000 })
    const ada = await stage.member()
    const fits = [nested(32), long(10_000), `{"a":${long(9_999)}}`]
    for (const data of fits) expect(await codes(stage, ada, carrying(data))).not.toContain('bad-data')
    const exceeds = [nested(33), long(10_001), `{"a":${long(10_000)}}`, nested(30_000), `[${nested(32)}]`]
    for (const data of exceeds) expect(await codes(stage, ada, carrying(data))).toEqual(['bad-data'])
  })
})

const values = (tree: string): string => `{"values":${tree},"v":1}`
const many = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"${index}":["undefined"]`).join()}}`
const tower = (depth: number): string => `${'{"a":'.repeat(depth)}["Date"]${'}'.repeat(depth)}`

describe('meta', () => {
  it.each([
    '{}',
    '{"values":{}}',
    '{"v":1}',
    ...['Date', 'bigint', 'undefined', 'number', 'set', 'map', 'URL'].map((name) => values(`["${name}"]`)),
    values('{"a.b":["map",{"0.1":["Date"]}]}'),
    values('{"a\\\\.b":["Date"]}'),
    values(`{"${'x'.repeat(512)}":["Date"]}`),
    values(many(1_000)),
    values(tower(32)),
  ])('[META-1] may be %.60s', async (meta) => {
    const stage = new Stage()
    expect(await codes(stage, await stage.member(), message('{}', meta))).toEqual(['message'])
  })

  it.each([
    'null',
    '1',
    '"Date"',
    '[]',
    '{"values":["Date"],"v":"1"}',
    '{"values":["Date"],"x":1}',
    '{"__proto__":{}}',
    '{"values":["Date"],"referentialEqualities":{"a":["b"]}}',
    ...['regexp', 'Error', 'symbol', 'class', 'custom', 'typed-array', 'toString', 'date', ''].map((name) =>
      values(`["${name}"]`),
    ),
    values('[["class","User"]]'),
    values('[["typed-array","Uint8Array"]]'),
    values('[["custom","x"]]'),
    values('[]'),
    values('["Date",["Date"]]'),
    values('["Date",{},{}]'),
    values('"Date"'),
    values('null'),
    values('{"a":null}'),
    values('{"__proto__":["Date"]}'),
    values('{"a.constructor.b":["Date"]}'),
    values('{"a.prototype":["Date"]}'),
    values('{"__proto__.polluted":["Date"]}'),
    values(`{"${'x'.repeat(513)}":["Date"]}`),
    values(many(1_001)),
    values(tower(33)),
  ])('[META-1] may not be %.60s', async (meta) => {
    const stage = new Stage()
    const ada = await stage.member()
    expect(await codes(stage, ada, message('{}', meta))).toEqual(['bad-meta'])
    expect(heard(ada)).toEqual([])
  })

  it('[META-2] need not fit its data: it is relayed, and a receiver finds out', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    for (const [data, meta] of [
      ['"x"', '["bigint"]'],
      ['5', '["set"]'],
      ['"x"', '["URL"]'],
      ['{}', '{"hasOwnProperty":["set"]}'],
      ['[]', '{"0":["URL"]}'],
      ['{}', '{"a\\\\x":["Date"]}'],
    ] as const) {
      expect(await codes(stage, ada, message(data, values(meta)))).toEqual(['message'])
      const received = ada.last('message') as unknown as { data: Json; meta: Json }
      expect(() => decodeData(received)).toThrow(TypeError)
    }
  })

  it('[META-2] that does not fit is an error of that message to the client library, and of no other', async () => {
    const stage = new Stage()
    const room = stage.client().join('main')
    const seen: unknown[] = []
    const errors: unknown[] = []
    room.on('message', ({ data }) => seen.push(data))
    room.on('error', ({ code }) => errors.push(code))
    await stage.clock.advance(100)
    const ada = await stage.member()
    await ask(stage, ada, message('1'), message('"x"', values('["bigint"]')), message('"2"', values('["bigint"]')))
    expect([seen, errors]).toEqual([[1, 2n], ['bad-meta']])
  })
})
