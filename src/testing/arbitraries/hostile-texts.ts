import fc from 'fast-check'
import { isObject } from '../../protocol/plain.ts'
import { nested } from './data-arbitraries.ts'
import { fieldsOf, hostility, textOf, withField, type Hostility } from './hostile-frame.ts'

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const almostJson = [
  '',
  ' ',
  '{',
  'undefined',
  'NaN',
  "{'type':'ping'}",
  '{type:"ping"}',
  '{"type":"ping",}',
  '{"type":"ping"}{"type":"ping"}',
  '{"type":"ping"}\0',
  '\uFEFF{"type":"ping"}',
  '{"type":"ping","id":NaN}',
  '{"type":"ping","id":Infinity}',
  '{"type":"ping","id":01}',
  '{"type":"ping","id":1e}',
  '{"type":"ping","id":0x1}',
  '{"type":"ping","id":"\n"}',
  '{"type":"ping","id":"\\x"}',
  '{"type":"ping"/**/}',
  '['.repeat(30_000),
  '{"a":'.repeat(10_000),
]

/** Types that are not for clients to say, or that a careless server finds where it did not put them. */
const strangeTypes = [
  '',
  'constructor',
  '__proto__',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'then',
  'client.ready',
  'client.*',
  '*',
  'xstate.init',
  'xstate.stop',
  'xstate.done.actor.heartbeat',
  'xstate.error.actor.authenticate',
  'socket.closed',
  'socket.message',
  'connection.close',
  'room.publish',
  'call',
  'application',
  'welcome',
  'authenticated',
  'joined',
  'left',
  'ack',
  'skipped',
  'goodbye',
  'pong',
  'Message',
  'message ',
  'x'.repeat(50_000),
]

const notText = ['null', 'true', '0', '[]', '{}', '["ping"]', '{"type":"ping"}']

/** Fields of which a client has no say, wherever they stand. */
const serverFields: readonly (readonly [name: string, json: string])[] = [
  ['from', '{"user":"root","session":"x"}'],
  ['at', '0'],
  ['offset', '-1'],
  ['epoch', '"x"'],
  ['bytes', '"AAEC"'],
  ['user', '"root"'],
  ['session', '"x"'],
  ['error', '{"code":"internal","message":""}'],
  ['duplicate', 'true'],
]

const strangers: readonly (readonly [name: string, json: string])[] = [
  ['__proto__', '{"type":"leave","room":"x"}'],
  ['constructor', '{"prototype":{"x":1}}'],
  ['toJSON', '1'],
  ['then', '1'],
  ['', 'null'],
  ['x', nested(10_000)],
  ['x', '1e999'],
]

/** What breaks JSON, or the message that it is to be, before a field is looked at. */
export function hostileTexts(legal: fc.Arbitrary<object>, served: fc.Arbitrary<object>, own: readonly string[]) {
  const known = new Set([...own, 'error', 'reply'])
  const ownLike = fc.constantFrom(...own, 'ping').map((type) => type.toUpperCase())
  const unknownType = fc
    .oneof({ weight: 4, arbitrary: fc.constantFrom(...strangeTypes) }, fc.string(), ownLike)
    .filter((type) => !known.has(type))
  const twice = (id: string): fc.Arbitrary<string> =>
    served.map((message) => textOf([['id', '1'], ...fieldsOf(message).filter(([name]) => name !== 'id'), ['id', id]]))
  const extra = (fields: readonly (readonly [name: string, json: string])[]): fc.Arbitrary<string> =>
    fc.tuple(served, fc.constantFrom(...fields)).map(([message, field]) => textOf([...fieldsOf(message), field]))
  return [
    hostility(
      'text that is not JSON',
      'bad-json',
      fc.oneof(
        fc.constantFrom(...almostJson),
        fc.string().filter((text) => !isJson(text)),
        fc.string({ unit: 'binary' }).filter((text) => !isJson(text)),
      ),
    ),
    hostility(
      'JSON that is cut short',
      'bad-json',
      fc
        .tuple(
          legal.map((message) => JSON.stringify(message)),
          fc.nat(),
        )
        .map(([text, length]) => text.slice(0, length % text.length)),
    ),
    hostility(
      'JSON that is not an object',
      'bad-message',
      fc.oneof(
        fc
          .jsonValue()
          .filter((value) => !isObject(value))
          .map((value) => JSON.stringify(value)),
        legal.map((message) => JSON.stringify([message])),
        fc.constant(nested(30_000)),
      ),
    ),
    hostility(
      'no type',
      'bad-message',
      legal.map((message) => textOf(fieldsOf(message).filter(([name]) => name !== 'type'))),
    ),
    hostility(
      'a type that is not text',
      'bad-message',
      fc.tuple(legal, fc.constantFrom(...notText)).map(([message, json]) => withField(message, 'type', json)),
    ),
    hostility(
      'a type that nobody knows',
      'unknown-type',
      fc.tuple(legal, unknownType).map(([message, type]) => withField(message, 'type', JSON.stringify(type))),
    ),
    hostility(
      'a reply that names no request',
      'bad-message',
      fc.constantFrom('{"type":"reply","data":1}', '{"type":"reply"}', '{"type":"error","code":"internal"}'),
      2,
    ),
    hostility(
      'a reply to what nobody asked',
      'served',
      fc.constantFrom('{"type":"reply","id":1,"data":1}', '{"type":"error","id":"x","code":"internal"}'),
      2,
    ),
    hostility('a name twice, the last one wrong', 'bad-message', fc.constantFrom('{}', 'null', '""').chain(twice)),
    hostility('a name twice', 'served', fc.constantFrom('2', '"x"').chain(twice)),
    hostility('a field that only the server may set', 'served', extra(serverFields)),
    hostility('a field that nobody knows', 'served', extra(strangers)),
  ] satisfies Hostility[]
}
