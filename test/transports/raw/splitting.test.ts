import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ByteClient } from './byte-client.ts'
import { ByteStage, faultOf } from './byte-stage.ts'
import { close, cut, frame, opcodes, ping, text } from './raw-frame.ts'
import { echo } from './sayings.ts'

/** What a client says: messages in fragments, with pings between them. */
interface Saying {
  readonly data: string
  readonly fragments: number
  readonly pings: readonly string[]
  readonly mask: readonly number[]
}

const saying: fc.Arbitrary<Saying> = fc.record({
  data: fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme', maxLength: 400 })),
  fragments: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 64 })),
  pings: fc.array(fc.string({ maxLength: 20 }), { maxLength: 3 }),
  mask: fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }),
})

/** The bytes of the message, and of a ping behind each of its first fragments. */
function bytesOf({ data, fragments, pings, mask }: Saying, id: number): Buffer {
  const parts = cut(echo(data, id).payload, fragments)
  const frames = parts.flatMap((payload, i) => {
    const shape = { opcode: i === 0 ? opcodes.text : opcodes.continuation, fin: i === parts.length - 1, mask }
    const between = pings[i]
    return [frame({ ...shape, payload }), ...(between === undefined ? [] : [ping(between)])]
  })
  return Buffer.concat(frames)
}

/** How a stream of bytes is cut into pieces; what is left comes as it is. */
const pieces = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 80 }),
  fc.array(fc.integer({ min: 1, max: 1_500 }), { maxLength: 20 }),
)

function inPieces(client: ByteClient, bytes: Buffer, sizes: readonly number[]): Promise<void> {
  const next = sizes.values()
  return client.trickle(bytes, (_, left) => next.next().value ?? left)
}

const answered = (sayings: readonly Saying[]) => ({
  replies: sayings.map(({ data }, i) => ({ type: 'reply', id: i + 1, data })),
  pongs: sayings.flatMap(({ pings, fragments }) => pings.slice(0, fragments)),
})

describe('the same bytes, however they are cut into pieces,', () => {
  const stage = new ByteStage()

  it('are answered the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(saying, { maxLength: 6 }), pieces, async (sayings, sizes) => {
        const { replies, pongs } = answered(sayings)
        const client = await stage.enter()
        await inPieces(client, Buffer.concat(sayings.map((each, i) => bytesOf(each, i + 1))), sizes)
        await client.until(() => client.messages.length > replies.length && client.pongs.length >= pongs.length)
        expect([client.messages.slice(1), client.pongs]).toEqual([replies, pongs])
        client.write(close(1000))
        expect(await stage.ending(client)).toEqual({ code: 1000, reason: '', told: 'client-left' })
      }),
      { numRuns: 60 },
    )
  })

  const endings: readonly (readonly [bytes: Buffer, ending: ReturnType<typeof faultOf>])[] = [
    [close(1000, 'bye'), { code: 1000, reason: 'bye', told: 'client-left' }],
    [close(), { code: 1005, reason: '', told: 'socket-lost' }],
    [close(1004), faultOf(1002)],
    [frame({ opcode: opcodes.text, mask: undefined, payload: 'x' }), faultOf(1002)],
    [frame({ opcode: 3 }), faultOf(1002)],
    [frame({ opcode: opcodes.continuation }), faultOf(1002)],
    [frame({ opcode: opcodes.ping, payload: 'x'.repeat(126) }), faultOf(1002)],
    [text(Buffer.from('e282', 'hex')), faultOf(1007)],
    [close(1000, Buffer.of(0x80)), faultOf(1007)],
    [frame({ opcode: opcodes.binary, length: 65_537 }), faultOf(1009)],
  ]

  it('[CLOSED] [ISOLATE] end the same, by one close frame, and nothing behind it is heard', async () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      saying.map((each) => bytesOf(each, 99)),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(saying, { maxLength: 4 }),
        fc.constantFrom(...endings),
        anything,
        pieces,
        async (sayings, [end, ending], behind, sizes) => {
          const { replies, pongs } = answered(sayings)
          const client = await stage.enter()
          const bytes = [...sayings.map((each, i) => bytesOf(each, i + 1)), end, behind]
          await inPieces(client, Buffer.concat(bytes), sizes)
          expect(await stage.ending(client)).toEqual(ending)
          // Pongs leave at once; a reply that is still on its way when the end comes does not overtake it.
          expect(client.pongs).toEqual(pongs)
          const heard = client.messages.slice(1)
          expect(heard).toEqual(replies.slice(0, heard.length))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('[CLOSED] [ISOLATE] end in a way that is known, whatever they are', async () => {
    const shape = fc.record({
      fin: fc.boolean(),
      rsv: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(7)),
      opcode: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...Object.values(opcodes)) }, fc.nat(15)),
      payload: fc.uint8Array({ maxLength: 130 }),
      mask: fc.oneof({ weight: 9, arbitrary: fc.constant([1, 2, 3, 4]) }, fc.constant(undefined)),
    })
    const bytes = fc.oneof(
      shape.map((each) => frame(each)),
      fc.uint8Array({ maxLength: 300 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 12 }), pieces, async (parts, sizes) => {
        const client = await stage.enter()
        await inPieces(client, Buffer.concat(parts), sizes)
        client.tcp.end()
        const { told } = await stage.ending(client)
        expect(['client-left', 'socket-lost', 'protocol-error', 'message-too-big']).toContain(told)
      }),
      { numRuns: 120 },
    )
  })
})

describe('a frame in very many pieces', () => {
  const small = new ByteStage()
  const large = new ByteStage({ frameBytes: 2 ** 20 })
  const pieceBytes = 65

  it('is taken when a piece has more than 64 bytes, however large the frame', async () => {
    for (const [stage, bytes] of [
      [small, 65_536],
      [large, 200_000],
    ] as const) {
      const client = await stage.enter()
      const saying = echo('x'.repeat(bytes - echo('').payload.length))
      await client.trickle(text(saying.payload), () => pieceBytes)
      await client.until(() => client.messages.length === 2)
      expect(client.messages[1]).toMatchObject({ type: 'reply', data: saying.data })
    }
  })

  it('[FRAME-6] [BOUND] [ISOLATE] closes with 1008 when more than 1024 of them would have to be held', async () => {
    const client = await small.enter()
    await client.trickle(text('x'.repeat(2_000)), () => 1)
    expect(await small.ending(client)).toEqual(faultOf(1008))
  })
})
