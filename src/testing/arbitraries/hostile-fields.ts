import fc from 'fast-check'
import type { ErrorCode } from '../../protocol/error-codes.ts'
import { protocolLimits } from '../../protocol/limits.ts'
import { fieldsOf, HostileFrame, hostility, textOf, withField, type Hostility } from './hostile-frame.ts'
import { unfitRooms } from './room-arbitraries.ts'

const { idLength, epochLength, keyLength } = protocolLimits
const long = (length: number): string => JSON.stringify('x'.repeat(length))

/** What JSON can say of numbers and an integer cannot be. */
const noInteger = ['1e999', '-1e999', '1.5', '1e-9', '9007199254740992', '-9007199254740992', '1e308']
const notText = ['null', 'true', '1', '[]', '{}']
const notFlag = ['null', '0', '1', '"true"', '[]', '{}']
const notNumber = ['null', 'true', '"1"', '[]', '{}']

const ids = [...noInteger, 'null', 'true', '[]', '{}', '[1]', '""', long(idLength + 1), long(50_000)]

/** A field, what it cannot be, and how that is answered. */
type Fault = readonly [type: string, field: string, values: readonly string[], code: ErrorCode]

const aboutRooms = ['join', 'leave', 'message', 'presence', 'typing', 'history']

const otherKinds: readonly Fault[] = [
  ...aboutRooms.map((type): Fault => [type, 'room', notText, 'bad-room-name']),
  ['hello', 'token', notText, 'bad-message'],
  [
    'hello',
    'resume',
    [...notText, '"x"', '{"session":"x"}', '{"session":1,"secret":"x"}', '{"session":"x","secret":null}'],
    'bad-message',
  ],
  ['auth', 'token', notText, 'bad-message'],
  ['join', 'since', [...notText, '"x"', '{"epoch":"x"}', '{"offset":1}'], 'bad-message'],
  ['join', 'since', ['{"epoch":1,"offset":1}', `{"epoch":${long(epochLength + 1)},"offset":1}`], 'bad-message'],
  ['message', 'volatile', notFlag, 'bad-message'],
  ['message', 'key', [...notText, long(keyLength + 1), long(50_000)], 'bad-message'],
  ['typing', 'typing', notFlag, 'bad-message'],
  ['history', 'before', notNumber, 'bad-message'],
  ['history', 'limit', notNumber, 'bad-message'],
]

const otherNumbers: readonly Fault[] = [
  ['history', 'before', noInteger, 'bad-message'],
  ['history', 'limit', [...noInteger, '0', '-0', '-1', '-9007199254740991'], 'bad-message'],
  ['join', 'since', [...noInteger, '"1"', 'null'].map((offset) => `{"epoch":"x","offset":${offset}}`), 'bad-message'],
]

const missing: readonly (readonly [type: string, field: string, code: ErrorCode])[] = [
  ...aboutRooms.map((type) => [type, 'room', 'bad-room-name'] as const),
  ['auth', 'token', 'bad-message'],
  ['message', 'data', 'bad-message'],
  ['presence', 'state', 'bad-message'],
  ['typing', 'typing', 'bad-message'],
]

/** Arbitraries of legal messages, by type. */
export type LegalMessages = (type: string) => fc.Arbitrary<object>

/** What breaks one field of a message that is legal otherwise. */
export function hostileFields(legal: LegalMessages): Hostility[] {
  const faulty = (breaks: string, faults: readonly Fault[]): Hostility => ({
    breaks,
    weight: 4,
    frames: fc.oneof(
      ...faults.map(([type, field, values, code]) =>
        fc
          .tuple(legal(type), fc.constantFrom(...values))
          .map(([message, json]) => new HostileFrame(breaks, code, withField(message, field, json))),
      ),
    ),
  })
  const without = 'a field that is missing'
  return [
    hostility(
      'an id that is none',
      'bad-message',
      fc.tuple(legal('any'), fc.constantFrom(...ids)).map(([message, id]) => withField(message, 'id', id)),
    ),
    faulty('a field of another kind', otherKinds),
    faulty('a number that is out of bounds', otherNumbers),
    {
      breaks: without,
      weight: 4,
      frames: fc.oneof(
        ...missing.map(([type, field, code]) =>
          legal(type).map((message) => {
            const rest = fieldsOf(message).filter(([name]) => name !== field)
            return new HostileFrame(without, code, textOf(rest))
          }),
        ),
      ),
    },
    ...Object.entries(unfitRooms).map(([breaks, names]) =>
      hostility(
        breaks,
        'bad-room-name',
        fc.tuple(legal('join'), names).map(([message, name]) => withField(message, 'room', JSON.stringify(name))),
        2,
      ),
    ),
  ]
}
