import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { ByteStage, faultOf } from './byte-stage.ts'
import { deliveries } from './delivery.ts'
import { close, cut, fragments, opcodes, text } from './raw-frame.ts'
import { echo } from './sayings.ts'

/** At the edges of each length that a character can have, and some that are no characters but may be sent. */
const valid: readonly (readonly [string, string])[] = [
  ['one byte', '\u{20}\u{7e}\u{7f}'],
  ['two bytes', '\u{80}κ\u{7ff}'],
  ['three bytes', '\u{800}€\u{d7ff}\u{e000}\u{ffff}'],
  ['four bytes', '\u{10000}😀\u{10ffff}'],
  ['noncharacters', '\u{fffe}\u{fdd0}\u{1fffe}\u{10fffe}'],
  ['a byte order mark', '\u{feff}x\u{feff}'],
  ['every length', 'aκ€😀'.repeat(50)],
]

/** What is not UTF-8 (RFC 3629 §3), in hexadecimal. */
const invalid: readonly (readonly [string, string])[] = [
  ['a byte that never occurs', 'ff'],
  ['another that never occurs', 'c0'],
  ['a continuation of nothing', '80'],
  ['two continuations of nothing', 'bfbf'],
  ['"/" in two bytes', 'c0af'],
  ['U+007F in two bytes', 'c1bf'],
  ['"/" in three bytes', 'e080af'],
  ['U+07FF in three bytes', 'e09fbf'],
  ['"/" in four bytes', 'f08080af'],
  ['U+FFFF in four bytes', 'f08fbfbf'],
  ['a high surrogate', 'eda080'],
  ['a low surrogate', 'edbfbf'],
  ['a pair of surrogates', 'eda0bdedb880'],
  ['U+110000', 'f4908080'],
  ['U+140000', 'f5808080'],
  ['five bytes', 'f888808080'],
  ['six bytes', 'fc8480808080'],
  ['two of three bytes', 'e282'],
  ['three of four bytes', 'f09f98'],
  ['one of two bytes before text', 'c361'],
  ['two of three bytes before text', 'e28261'],
]

describe.each(deliveries)('text that arrives %s', (_, deliver) => {
  const stage = new ByteStage()

  it.each(valid)('is taken with characters of %s', async (_name, data) => {
    const client = await stage.enter()
    await deliver(client, text(echo(data).payload))
    await client.until(() => client.messages.length === 2)
    expect(client.messages[1]).toMatchObject({ type: 'reply', data })
  })

  it.each(valid)('is taken with characters of %s that are cut by fragments', async (_name, data) => {
    const client = await stage.enter()
    const { payload } = echo(data)
    await deliver(client, Buffer.concat(fragments(opcodes.text, cut(payload, Math.min(64, payload.length)))))
    await client.until(() => client.messages.length === 2)
    expect(client.messages[1]).toMatchObject({ type: 'reply', data })
  })

  it.each(invalid)('[FRAME-6] [ISOLATE] closes with 1007 on %s', async (_name, hex) => {
    const bytes = Buffer.from(hex, 'hex')
    // Short and long texts are not checked by the same code.
    for (const before of ['', '{"type":"', 'x'.repeat(200)]) {
      const client = await stage.enter()
      await deliver(client, text(Buffer.concat([Buffer.from(before), bytes])))
      expect(await stage.ending(client)).toEqual(faultOf(1007))
    }
  })

  it.each(invalid)('[FRAME-6] closes with 1007 on %s over fragments', async (_name, hex) => {
    const client = await stage.enter()
    const payload = Buffer.concat([Buffer.from('before'), Buffer.from(hex, 'hex')])
    await deliver(client, Buffer.concat(fragments(opcodes.text, cut(payload, payload.length))))
    expect(await stage.ending(client)).toEqual(faultOf(1007))
  })

  it.each(invalid)('[FRAME-6] [CLOSE-3] closes with 1007 on a close reason with %s', async (_name, hex) => {
    const client = await stage.enter()
    await deliver(client, close(1000, Buffer.concat([Buffer.from('bye '), Buffer.from(hex, 'hex')])))
    expect(await stage.ending(client)).toEqual(faultOf(1007))
  })

  it('is whole in itself: what one message lacks the next cannot bring', async () => {
    const client = await stage.enter()
    await deliver(client, Buffer.concat([text(Buffer.from('e282', 'hex')), text(Buffer.from('ac', 'hex'))]))
    expect(await stage.ending(client)).toEqual(faultOf(1007))
  })
})
