import fc from 'fast-check'
import { encodeBinary } from '../../protocol/binary.ts'
import { protocolLimits } from '../../protocol/limits.ts'
import { hostility, HostileFrame, withField, type Hostility } from './hostile-frame.ts'

const bytes = fc.uint8Array({ maxLength: 100 })
const long = JSON.stringify('x'.repeat(protocolLimits.keyLength + 1))

/** Not even apart from its header: shorter than it says, or its header no text. */
const noFrame = fc.oneof(
  fc.uint8Array({ maxLength: 3 }),
  fc.tuple(fc.integer({ min: 101, max: 0xffff_ffff }), bytes).map(([length, rest]) => {
    const frame = new Uint8Array(4 + rest.length)
    new DataView(frame.buffer).setUint32(0, length)
    frame.set(rest, 4)
    return frame
  }),
  fc
    .constantFrom([0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x22, 0xe2, 0x82])
    .map((header) => Uint8Array.from([0, 0, 0, header.length, ...header])),
)

const withHeader = (headers: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> =>
  fc.tuple(headers, bytes).map(([header, content]) => encodeBinary(header, content))

const otherFields = [
  ['id', 'null'],
  ['id', '1e999'],
  ['id', '""'],
  ['id', '{}'],
  ['volatile', 'null'],
  ['volatile', '1'],
  ['key', '1'],
  ['key', long],
] as const

/** What breaks binary frames. */
export function hostileBinary(rooms: fc.Arbitrary<string>, own: readonly string[]): Hostility[] {
  const header = rooms.map((room) => ({ type: 'message', room }))
  const text = header.map((fields) => JSON.stringify(fields))
  const withType = (types: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> =>
    withHeader(fc.tuple(header, types).map(([fields, type]) => withField(fields, 'type', type)))
  const otherTypes = ['join', 'leave', 'hello', 'ping', 'reply', 'error', 'ack', 'constructor', '', ...own]
  const otherField = 'a binary header with a field of another kind'
  return [
    hostility('a binary frame that is none', 'bad-message', noFrame),
    hostility(
      'a binary header that is not JSON',
      'bad-json',
      withHeader(
        fc.oneof(
          fc.constantFrom('', '{', 'NaN', '\uFEFF{}'),
          fc.tuple(text, fc.nat()).map(([whole, length]) => whole.slice(0, length % whole.length)),
        ),
      ),
    ),
    hostility(
      'a binary header that is no message',
      'bad-message',
      fc.oneof(
        withHeader(fc.constantFrom('[]', 'null', '0', '"message"', '{}', '[{"type":"message"}]')),
        withType(fc.constantFrom('null', '1', '["message"]', '{}')),
      ),
    ),
    hostility(
      'a binary header of another type',
      'unknown-type',
      withType(fc.constantFrom(...otherTypes).map((type) => JSON.stringify(type))),
    ),
    {
      breaks: otherField,
      weight: 4,
      frames: fc.oneof(
        fc
          .tuple(header, fc.constantFrom(...otherFields), bytes)
          .map(([fields, [name, json], content]) => encodeBinary(withField(fields, name, json), content))
          .map((frame) => new HostileFrame(otherField, 'bad-message', frame)),
        fc
          .constantFrom('null', '1', '[]', '{}')
          .map((room) => encodeBinary(`{"type":"message","room":${room}}`, Uint8Array.of(1)))
          .map((frame) => new HostileFrame(otherField, 'bad-room-name', frame)),
      ),
    },
    hostility(
      'a binary header with what only text carries',
      'served',
      withHeader(
        fc
          .tuple(
            header,
            fc.constantFrom(['data', '1'], ['meta', '{"values":["regexp"]}'], ['bytes', '"AAEC"'], ['at', '0']),
          )
          .map(([fields, [name = '', json = '']]) => withField(fields, name, json)),
      ),
    ),
  ]
}
