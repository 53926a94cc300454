import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { encodeBinary } from '../../src/protocol/index.ts'
import { hostileFrames, messageArbitraries } from 'greenroom/testing'
import { hostileFrames as hostileTexts, mutatedMessage } from '../protocol/hostile-frames.ts'
import { cut, fragments, frame, opcodes, text } from '../transports/raw/raw-frame.ts'

const rooms = ['pit', 'hole', '__proto__', 'constructor']

/** Bytes that mean nothing, and frames of which any part may be wrong. */
const anyFrame = fc
  .record({
    fin: fc.boolean(),
    rsv: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(7)),
    opcode: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...Object.values(opcodes)) }, fc.nat(15)),
    payload: fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 60 })),
    mask: fc.oneof({ weight: 9, arbitrary: fc.constant([1, 2, 3, 4]) }, fc.constant(undefined)),
  })
  .map((shape) => frame(shape))

/** A header that says another length than there is. */
const wrongLength = fc
  .tuple(fc.constantFrom(7, 16, 64), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.uint8Array({ maxLength: 40 }))
  .map(([lengthBits, any, payload]) => {
    const length = BigInt.asUintN(lengthBits === 7 ? 7 : lengthBits, any)
    return frame({ opcode: opcodes.text, lengthBits: lengthBits as 7, length, payload })
  })

/** What superjson would make something costly, or something else than data, of. */
const metaProgram = fc
  .letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(
        'Date',
        'bigint',
        'regexp',
        'undefined',
        'map',
        'set',
        'Error',
        'URL',
        'number',
        'class',
        '__proto__',
      ),
      fc.tuple(fc.constantFrom('class', 'symbol', 'custom', 'typed-array', 'map', 'set', 'Date'), tie('tree')),
      fc.dictionary(
        fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor.prototype', '0.0', 'a..b', 'length')),
        tie('tree'),
      ),
      fc.array(tie('tree'), { maxLength: 4 }),
    ),
  }))
  .tree.chain((values) =>
    fc
      .record({ data: fc.jsonValue(), key: fc.constantFrom('values', 'referentialEqualities', 'v') })
      .map(({ data, key }) => JSON.stringify({ type: 'message', room: 'pit', data, meta: { [key]: values }, id: 1 })),
  )

/** Deep and wide JSON, up to what a frame holds and beyond. */
const deepOrWide = fc
  .tuple(
    fc.constantFrom('[', '{"a":', '[[],'),
    fc.integer({ min: 1, max: 12_000 }),
    fc.constantFrom('data', 'meta', 'x'),
  )
  .map(([open, depth, field]) => {
    const close = open.startsWith('{') ? '0' + '}'.repeat(depth) : ']'.repeat(depth)
    return `{"type":"message","room":"pit","id":1,"${field}":${open.repeat(depth)}${open === '[[],' ? '0' : ''}${close}}`
  })

/** A message cut into fragments, with control frames among them. */
const fragmented = fc
  .tuple(mutatedMessage, fc.integer({ min: 2, max: 80 }), fc.boolean())
  .map(([json, count, pings]) => {
    const parts = fragments(opcodes.text, cut(json, count))
    return Buffer.concat(pings ? parts.flatMap((part) => [part, frame({ opcode: opcodes.ping })]) : parts)
  })

const legal = messageArbitraries({ rooms, messages: { echo: fc.jsonValue(), throws: fc.jsonValue() } })
const hostile = hostileFrames({ rooms }).map(({ frame: content }) =>
  typeof content === 'string' ? text(content) : frame({ opcode: opcodes.binary, payload: content }),
)
const binary = fc
  .tuple(fc.oneof(mutatedMessage, fc.string({ unit: 'binary' })), fc.uint8Array({ maxLength: 100 }))
  .map(([header, bytes]) => frame({ opcode: opcodes.binary, payload: encodeBinary(header, bytes) }))

/** Whatever may arrive in one piece on a connection that has been let in, as bytes. */
export const fuzzInput: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 10, arbitrary: legal.any.map((message) => text(JSON.stringify(message))) },
  { weight: 10, arbitrary: mutatedMessage.map((json) => text(json)) },
  { weight: 10, arbitrary: hostile },
  { weight: 4, arbitrary: metaProgram.map((json) => text(json)) },
  { weight: 1, arbitrary: deepOrWide.map((json) => text(json)) },
  { weight: 1, arbitrary: fc.constantFrom(...Object.values(hostileTexts)).map((json) => text(json)) },
  { weight: 2, arbitrary: fragmented },
  { weight: 2, arbitrary: binary },
  // Most of these end the connection, and what would have come after them is not looked at.
  { weight: 1, arbitrary: anyFrame },
  { weight: 1, arbitrary: fc.constantFrom(frame({ opcode: opcodes.ping }), frame({ opcode: opcodes.pong })) },
)

/** What most likely ends the connection: bytes that are no frame, or not the frame that they say they are. */
export const fuzzEnd: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  anyFrame,
  wrongLength,
  hostile,
)
