import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  decodeClientBinary,
  decodeClientMessage,
  decodeData,
  isRoomName,
  type ErrorCode,
  type Json,
} from '../../src/protocol/index.ts'
import { binaryMessages, messageArbitraries, SchemaError } from '../../src/testing/index.ts'

const protocolTypes = [
  'hello',
  'auth',
  'join',
  'leave',
  'message',
  'direct',
  'presence',
  'typing',
  'history',
  'ping',
] as const
const moveSchema = z.object({ square: z.int().min(0).max(8) })
const messages = { move: moveSchema, resign: false, note: fc.date({ noInvalidDate: true }) } as const
const own = new Set(Object.keys(messages))

/** Sends a message as text and reads it as the server does. */
function decode(message: object): { type?: string; fields: Record<string, unknown>; code?: ErrorCode | string } {
  const { message: read, error } = decodeClientMessage(JSON.stringify(message), own)
  const { dataText: _, ...fields } = { ...read } as Record<string, unknown>
  return { ...(read && { type: read.type }), fields, ...(error && { code: error.code }) }
}

const samples = <Value>(arbitrary: fc.Arbitrary<Value>, numRuns = 1_500): Value[] =>
  fc.sample(arbitrary, { numRuns, seed: 5 })

/** Whether each of these is met somewhere among values. */
function expectMet<Value>(
  values: readonly Value[],
  cases: { readonly [what: string]: (value: Value) => boolean },
): void {
  const missed = Object.entries(cases).filter(([, isMet]) => !values.some(isMet))
  expect(missed.map(([what]) => what)).toEqual([])
}

describe('legal messages', () => {
  const arbitraries = messageArbitraries({ messages })

  it.each(protocolTypes)('of type %s are taken for what they are, and keep all their fields', (type) => {
    for (const message of samples<object>(arbitraries[type])) {
      const read = decode(message)
      expect(read.code, JSON.stringify(message)).toBeUndefined()
      expect(read.fields).toEqual(JSON.parse(JSON.stringify(message)))
      expect(read.type).toBe(type)
    }
  })

  it('of every type are among any, the application’s own too', () => {
    const met = new Map<string, number>()
    for (const message of samples(arbitraries.any, 4_000)) {
      expect(decode(message).code, JSON.stringify(message)).toBeUndefined()
      met.set(message.type, (met.get(message.type) ?? 0) + 1)
    }
    expect([...met.keys()].toSorted()).toEqual([...protocolTypes, ...own].toSorted())
    expect(met.get('message') ?? 0).toBeGreaterThan(met.get('ping') ?? 0)
  })

  it('reach the bounds of ids, keys, positions and pages', () => {
    const { join, message, history, ping } = arbitraries
    expectMet(
      samples(ping).map(({ id }) => id),
      {
        none: (id) => id === undefined,
        'text of 1': (id) => typeof id === 'string' && id.length === 1,
        'text of 64': (id) => typeof id === 'string' && id.length === 64,
        'half a pair': (id) => typeof id === 'string' && /\p{Cs}/u.test(id),
        'the least': (id) => id === Number.MIN_SAFE_INTEGER,
        'the greatest': (id) => id === Number.MAX_SAFE_INTEGER,
        zero: (id) => id === 0,
        negative: (id) => typeof id === 'number' && id < 0,
      },
    )
    expectMet(samples(message), {
      'no key': ({ key }) => key === undefined,
      'an empty key': ({ key }) => key === '',
      'a key of 64': ({ key }) => key?.length === 64,
      volatile: ({ volatile }) => volatile === true,
      'not volatile': ({ volatile }) => volatile === false,
      'null as data': ({ data }) => data === null,
    })
    expectMet(
      samples(join).map(({ since }) => since),
      {
        none: (since) => since === undefined,
        'an empty epoch': (since) => since?.epoch === '',
        'an epoch of 64': (since) => since?.epoch.length === 64,
        'an offset before the first': (since) => since !== undefined && since.offset < 0,
        'the greatest offset': (since) => since?.offset === Number.MAX_SAFE_INTEGER,
      },
    )
    expectMet(samples(history), {
      'no limit': ({ limit }) => limit === undefined,
      'a limit of 1': ({ limit }) => limit === 1,
      'an absurd limit': ({ limit }) => limit === Number.MAX_SAFE_INTEGER,
      'before all': ({ before }) => before === Number.MIN_SAFE_INTEGER,
    })
  })

  it('are about rooms of every legal name', () => {
    const rooms = samples(arbitraries.leave).map(({ room }) => room)
    expect(rooms.every(isRoomName)).toBe(true)
    expectMet(rooms, {
      prototype: (room) => room === '__proto__',
      'one byte': (room) => Buffer.byteLength(room) === 1,
      '255 bytes of one each': (room) => room.length === 255,
      '255 bytes of several each': (room) => Buffer.byteLength(room) === 255 && room.length < 128,
      emoji: (room) => room.includes('😀'),
    })
  })

  it('carry data up to its bounds, and what JSON cannot say as it can be rebuilt', () => {
    const values = samples(arbitraries.message).map(({ data, meta }) => ({ data, meta }))
    const depthOf = (value: Json): number =>
      typeof value !== 'object' || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(depthOf))
    expectMet(values, {
      plain: ({ meta }) => meta === undefined,
      'as deep as may be': ({ data }) => depthOf(data) === 32,
      'as many parts as may be': ({ data }) => Array.isArray(data) && data.length === 10_000,
    })
    const rebuilt = values.flatMap(({ data, meta }) => (meta === undefined ? [] : [decodeData({ data, meta })]))
    expectMet(rebuilt, {
      'a date': (value) => value instanceof Date,
      'a set': (value) => value instanceof Set,
      'a map': (value) => value instanceof Map,
      'a bigint': (value) => typeof value === 'bigint',
      'a URL': (value) => value instanceof URL,
      undefined: (value) => value === undefined,
      NaN: (value) => Number.isNaN(value),
      'rich values within': (value) => Array.isArray(value) && value.some((part) => part instanceof Date),
    })
  })

  it('are about what they are told to be', () => {
    const { join, message, presence, move, resign, note } = messageArbitraries({
      rooms: ['table', 'lobby'],
      data: { type: 'string', maxLength: 3 },
      presence: z.object({ name: z.string() }),
      messages,
    })
    expect(new Set(samples(join, 50).map(({ room }) => room))).toEqual(new Set(['table', 'lobby']))
    for (const { data } of samples(message, 100)) expect([...(data as string)].length).toBeLessThanOrEqual(3)
    for (const { state } of samples(presence, 100)) expect(state).toMatchObject({ name: expect.any(String) as string })
    for (const { data } of samples(move, 100)) expect(moveSchema.safeParse(data).success).toBe(true)
    for (const fields of samples(resign, 100)) expect(Object.keys(fields)).not.toContain('data')
    for (const { data = null, meta = null } of samples(note, 100))
      expect(decodeData({ data, meta })).toBeInstanceOf(Date)
    const rooms = fc.constant('made')
    expect(samples(messageArbitraries({ rooms }).typing, 5).every(({ room }) => room === 'made')).toBe(true)
  })

  it('are not made of what cannot be', () => {
    expect(() => messageArbitraries({ messages: { join: true } })).toThrow(TypeError)
    expect(() => messageArbitraries({ messages: { welcome: true } })).toThrow(TypeError)
    expect(() => messageArbitraries({ messages: { any: true } })).toThrow(TypeError)
    expect(() => messageArbitraries({ rooms: [] })).toThrow(TypeError)
    expect(() => messageArbitraries({ data: { contains: {} } })).toThrow(SchemaError)
    expect(() => messageArbitraries({ messages: { move: { type: 'string', minLength: 2, maxLength: 1 } } })).toThrow(
      SchemaError,
    )
  })

  it('shrink to a tiny one', () => {
    const { any } = messageArbitraries()
    const shrunk = (fails: (message: object) => boolean): object | undefined =>
      fc.check(
        fc.property(any, (message) => !fails(message)),
        { seed: 2, numRuns: 1_000 },
      ).counterexample?.[0]
    expect(JSON.stringify(shrunk((message) => 'data' in message)).length).toBeLessThan(50)
    expect(shrunk(() => true)).toEqual({ type: 'ping' })
    expect(shrunk((message) => 'since' in message)).toEqual({
      type: 'join',
      room: 'a',
      since: { epoch: '', offset: 0 },
    })
  })
})

describe('legal binary frames', () => {
  it('are taken for what they are', () => {
    const read = samples(binaryMessages()).map((frame) => decodeClientBinary(frame))
    expect(read.filter(({ error }) => error !== undefined)).toEqual([])
    expectMet(
      read.map(({ message }) => message as { bytes: Uint8Array; id?: unknown; key?: string; volatile?: boolean }),
      {
        'no bytes': ({ bytes }) => bytes.length === 0,
        'many bytes': ({ bytes }) => bytes.length === 1_000,
        'an id': ({ id }) => id !== undefined,
        'a key of 64': ({ key }) => key?.length === 64,
        volatile: ({ volatile }) => volatile === true,
      },
    )
  })

  it('carry the bytes, to the rooms, that they are told to', () => {
    for (const frame of samples(binaryMessages({ rooms: ['a'], bytes: fc.constant(Uint8Array.of(1, 2)) }), 20)) {
      expect(decodeClientBinary(frame).message).toMatchObject({ room: 'a', bytes: Uint8Array.of(1, 2) })
    }
  })
})
