import type { StandardSchemaV1 } from '@standard-schema/spec'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { assign } from 'xstate'
import { z } from 'zod'
import { connectionSetup, createRuntime, defineHandler, defineRoom, type HandlerContext } from '../../src/index.ts'
import { encodeBinary, RequestError } from '../../src/protocol/index.ts'
import { Stage } from '../stage.ts'
import { unrulyConnection } from '../unruly-connection.ts'
import { ask, byName, heard } from './cast.ts'

const note = z.object({ text: z.string().min(1), at: z.date().optional() })
const say = (data: unknown, fields: object = {}): object => ({ type: 'message', room: 'main', data, ...fields })

/** A schema by hand: what a library's may do, and what none should. */
const schemaOf = <Output>(validate: (value: unknown) => unknown): StandardSchemaV1<unknown, Output> => ({
  '~standard': { version: 1, vendor: 'by hand', validate: validate as never },
})

/** A machine that takes part for 50 ms only, and then answers none but the protocol's own. */
const leavingConnection = connectionSetup<object, { type: 'client.hurry'; data?: unknown }>().createMachine({
  context: ({ input }) => ({ link: input.link, identity: undefined, reason: undefined }),
  initial: 'authenticating',
  output: ({ context }) => ({ reason: context.reason }),
  on: { 'socket.closed': '.closed', 'connection.close': '.closed' },
  states: {
    authenticating: {
      invoke: {
        src: 'authenticate',
        input: ({ context }) => ({ link: context.link }),
        onDone: { target: 'open', actions: assign({ identity: ({ event }) => event.output }) },
      },
    },
    open: {
      tags: 'open',
      entry: 'admit',
      on: { 'socket.message': { actions: 'handleMessage' }, 'client.hurry': 'elsewhere' },
      after: { 50: 'elsewhere' },
    },
    elsewhere: { on: { 'socket.message': { actions: 'handleMessage' } } },
    closed: { type: 'final', entry: ['closeOutbox', 'terminate', 'release'] },
  },
})

describe('the schema of a room', () => {
  it('[SCHEMA-1] refuses what does not fit, with its issues, and nobody else hears of it', async () => {
    const stage = new Stage({ rooms: { main: { messageSchema: note } } })
    const [ada, bob] = [await stage.member(), await stage.member()]
    const [error, ...more] = await ask(stage, ada, say({ text: '', at: 'now' }, { id: 1 }))
    expect(error).toMatchObject({ type: 'error', code: 'invalid-data', id: 1, room: 'main' })
    expect(error?.['issues']).toEqual([
      { message: expect.any(String), path: ['text'] },
      { message: expect.any(String), path: ['at'] },
    ])
    expect([more, heard(bob)]).toEqual([[], []])
    expect((await ask(stage, bob, { type: 'history', room: 'main' }))[0]).toMatchObject({ messages: [] })
  })

  it('[SCHEMA-3] sees rich values, and what it makes of them is what is relayed and kept', async () => {
    const stage = new Stage({
      rooms: { main: { messageSchema: note.transform(({ text, at }) => ({ text: text.trim(), at })) } },
    })
    const [ada, bob] = [await stage.member(), await stage.member()]
    const data = { text: ' hi ', at: '2026-01-01T00:00:00.000Z', admin: true }
    const fitted = { text: 'hi', at: '2026-01-01T00:00:00.000Z' }
    await ask(stage, ada, say(data, { meta: { values: { at: ['Date'] }, v: 1 }, id: 1 }))
    expect(ada.last('ack')).toMatchObject({ id: 1, offset: 1 })
    expect(bob.last('message')).toMatchObject({ data: fitted, meta: { values: { at: ['Date'] } } })
    const [page] = await ask(stage, bob, { type: 'history', room: 'main' })
    expect(page).toMatchObject({ messages: [{ data: fitted }] })
  })

  it('[SCHEMA-1] [META-2] is not asked about values that cannot be rebuilt', async () => {
    let asked = 0
    const stage = new Stage({ rooms: { main: { messageSchema: z.any().refine(() => ++asked > 0) } } })
    const ada = await stage.member()
    const broken = say({ a: 1 }, { meta: { values: { b: ['Date'] }, v: 1 }, id: 1 })
    expect(await ask(stage, ada, broken)).toMatchObject([{ code: 'bad-meta', id: 1 }])
    expect(asked).toBe(0)
  })

  it('[SCHEMA-2] tells nothing to who may not speak there, or is not there', async () => {
    const asked: unknown[] = []
    const stage = new Stage({
      ...byName,
      authorize: ({ action }) => action === 'join',
      rooms: { main: { messageSchema: z.any().refine((value) => asked.push(value) < 0) } },
    })
    const ada = await stage.member('main', { token: 'ada' })
    const eve = await stage.connect({ token: 'eve' })
    expect(await ask(stage, ada, say(1, { id: 1 }))).toMatchObject([{ code: 'forbidden', id: 1 }])
    expect(await ask(stage, eve, say(1, { id: 1 }))).toMatchObject([{ code: 'not-a-member', id: 1 }])
    expect(asked).toEqual([])
  })

  it('[SCHEMA-2] that takes time holds up what follows, which then has its order', async () => {
    const stage: Stage = new Stage({
      rooms: {
        main: {
          messageSchema: schemaOf<number>((value) => {
            const result = value === 2 ? { issues: [{ message: 'No twos.' }] } : { value: Number(value) * 10 }
            return new Promise((resolve) => void stage.clock.setTimeout(() => resolve(result), 100 / Number(value)))
          }),
        },
      },
    })
    const [ada, bob] = [await stage.member(), await stage.member()]
    for (const data of [1, 2, 3]) ada.send(say(data, { id: data }))
    ada.send({ type: 'leave', room: 'main' })
    await stage.clock.advance(1_000)
    expect(heard(bob).map(([, data]) => data)).toEqual([10, 30])
    expect(ada.received.slice(-6).map(({ type, id }) => [type, id])).toEqual([
      ['message', undefined],
      ['ack', 1],
      ['error', 2],
      ['message', undefined],
      ['ack', 3],
      ['left', undefined],
    ])
  })

  it('[SCHEMA-1] that fails itself is answered internal, or timeout, and breaks nothing', async () => {
    const failing = schemaOf((value) => {
      if (value === 'throws') throw new Error('password=hunter2')
      if (value === 'rejects') return Promise.reject(new Error('password=hunter2'))
      if (value === 'silent') return new Promise(() => {})
      if (value === 'nothing') return undefined
      if (value === 'later nothing') return Promise.resolve(undefined)
      return value === 'unsayable' ? { value: () => {} } : { value }
    })
    const stage = new Stage({ rooms: { main: { messageSchema: failing } }, handlerTimeoutMs: 5_000 })
    const [ada, bob] = [await stage.member(), await stage.member()]
    const words = ['throws', 'rejects', 'silent', 'nothing', 'later nothing', 'unsayable', 'fine']
    for (const word of words) ada.send(say(word, { id: word }))
    await stage.clock.advance(10_000)
    expect(ada.of('error').map(({ id, code }) => [id, code])).toEqual([
      ['throws', 'internal'],
      ['rejects', 'internal'],
      ['silent', 'timeout'],
      ['nothing', 'internal'],
      ['later nothing', 'internal'],
      ['unsayable', 'internal'],
    ])
    expect(heard(bob).map(([, data]) => data)).toEqual(['fine'])
    const threw = stage.telemetry.filter(({ type }) => type === 'callback.threw')
    expect(threw).toMatchObject(Array.from({ length: 5 }, () => ({ callback: 'messageSchema', of: 'main' })))
    expect(JSON.stringify(ada.received)).not.toContain('hunter2')
  })

  it.each([
    [
      'at once',
      (thrown: Error) => () => {
        throw thrown
      },
    ],
    ['in time', (thrown: Error) => () => Promise.reject(thrown)],
  ])(
    '[SCHEMA-1] [ERROR-3] may have a code and a text of its own told, which nothing is counted by: %s',
    async (_, failing) => {
      const schema = schemaOf(
        failing(new RequestError('x'.repeat(1_000), 'It is late.', [{ message: 'Late.', path: [] }])),
      )
      const stage = new Stage({
        connection: unrulyConnection,
        messageSchemas: { ready: schema },
        rooms: { main: { messageSchema: schema, presenceSchema: schema } },
      })
      const ada = await stage.member()
      const state = { type: 'presence', room: 'main', state: 1, id: 2 }
      const errors = await ask(stage, ada, say(1, { id: 1 }), state, { type: 'ready', data: 1, id: 3 })
      const error = {
        type: 'error',
        code: 'x'.repeat(64),
        message: 'It is late.',
        issues: [{ message: 'Late.', path: [] }],
      }
      expect(errors).toEqual([
        { ...error, id: 1, room: 'main' },
        { ...error, id: 2, room: 'main' },
        { ...error, id: 3 },
      ])
      expect(stage.runtime.refusals.requests).toEqual({})
    },
  )

  it('[SCHEMA-1] is counted where it refuses', async () => {
    const stage = new Stage({ rooms: { main: { messageSchema: note } } })
    const ada = await stage.member()
    await ask(stage, ada, say(1), say({ a: 1 }, { meta: { values: { b: ['Date'] }, v: 1 } }))
    expect(stage.runtime.refusals.requests).toEqual({ 'invalid-data': 1, 'bad-meta': 1 })
  })

  it('[SCHEMA-1] is shown bytes as bytes, and takes them or not', async () => {
    const stage = new Stage({
      rooms: { main: { messageSchema: z.instanceof(Uint8Array) }, text: { messageSchema: z.string() } },
    })
    const [ada, bob] = [await stage.member(), await stage.member()]
    await ask(stage, ada, { type: 'join', room: 'text' })
    const binary = (room: string): Uint8Array =>
      encodeBinary(`{"type":"message","room":"${room}","id":"${room}"}`, Uint8Array.of(1, 2, 3))
    await ask(stage, ada, binary('main'), binary('text'))
    expect(ada.last('ack')).toMatchObject({ id: 'main', offset: 1 })
    expect(ada.last('error')).toMatchObject({ id: 'text', code: 'invalid-data', room: 'text' })
    expect(bob.of('message')).toHaveLength(1)
  })

  it('[SCHEMA-1] for presence is asked at the join and at each change', async () => {
    const presenceSchema = z.object({ mood: z.enum(['fine', 'away']) })
    const stage = new Stage({ ...byName, rooms: { main: { presenceSchema } } })
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await stage.connect({ token: 'ada' })
    const join = (presence: unknown): object => ({ type: 'join', room: 'main', presence, id: 1 })
    expect(await ask(stage, ada, join('fine'))).toMatchObject([{ code: 'invalid-data', id: 1, room: 'main' }])
    expect(stage.runtime.census.rooms).toBe(1)
    await ask(stage, ada, join({ mood: 'fine', secret: 1 }), { type: 'presence', room: 'main', state: { mood: 'bad' } })
    await ask(stage, ada, { type: 'presence', room: 'main', state: { mood: 'away' }, id: 2 })
    expect(ada.of('error').map(({ code, id }) => [code, id])).toEqual([
      ['invalid-data', 1],
      ['invalid-data', undefined],
    ])
    expect(bob.of('presence').map(({ joined, updated }) => joined ?? updated)).toEqual([
      [{ user: 'ada', state: { mood: 'fine' } }],
      [{ user: 'ada', state: { mood: 'away' } }],
    ])
  })

  it('[SCHEMA-2] is not asked about a state that is too large, nor for a join of one room too many', async () => {
    const asked: unknown[] = []
    const presenceSchema = z.any().refine((value) => asked.push(value) > 0)
    const stage = new Stage({ rooms: { 'm*': { presenceSchema } }, roomsPerSession: 1 })
    const ada = await stage.member()
    const large = 'x'.repeat(2_048)
    const join = (room: string, presence: string): object => ({ type: 'join', room, presence, id: 1 })
    const presence = { type: 'presence', room: 'main', state: large }
    const errors = await ask(stage, ada, join('main', large), presence, join('more', 'x'))
    expect(errors.map(({ code, room }) => [code, room])).toEqual([
      ['presence-too-large', 'main'],
      ['presence-too-large', 'main'],
      ['too-many-rooms', 'more'],
    ])
    expect(asked).toEqual([])
  })

  it('[SCHEMA-2] may make no state that is too large', async () => {
    const presenceSchema = z.string().transform((text) => text.padEnd(3_000))
    const stage = new Stage({ rooms: { main: { presenceSchema } } })
    const [ada, bob] = [await stage.member(), await stage.member()]
    const errors = await ask(
      stage,
      ada,
      { type: 'presence', room: 'main', state: 'x', id: 1 },
      { type: 'join', room: 'main', presence: 'x', id: 2 },
    )
    expect(errors.map(({ code, id }) => [code, id])).toEqual([
      ['presence-too-large', 1],
      ['presence-too-large', 2],
    ])
    expect(bob.of('presence')).toEqual([])
  })

  it('[SCHEMA-1] [BOUND] tells no more than 16 issues of 200 characters, however many there are', async () => {
    const issue = { message: 'x'.repeat(10_000), path: Array.from({ length: 500 }, () => 'y'.repeat(10_000)) }
    const messageSchema = schemaOf(() => ({ issues: Array.from({ length: 1_000 }, () => issue) }))
    const stage = new Stage({ rooms: { main: { messageSchema } } })
    const ada = await stage.member()
    const [error] = await ask(stage, ada, say(1))
    expect(error?.['issues']).toHaveLength(16)
    expect(JSON.stringify(error).length).toBeLessThan(16 * 33 * 220)
  })

  it('[SCHEMA-3] holds for every receiver, whatever anybody sends', async () => {
    const schema = z.object({ n: z.number().int().min(0).max(5), tags: z.array(z.string()).max(2).default([]) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.record(
              { n: fc.integer({ min: -1, max: 6 }), tags: fc.array(fc.string(), { maxLength: 3 }) },
              { requiredKeys: [] },
            ),
            fc.jsonValue(),
          ),
          { maxLength: 6 },
        ),
        async (values) => {
          const stage = new Stage({ rooms: { main: { messageSchema: schema } } })
          const [ada, bob] = [await stage.member(), await stage.member()]
          for (const [id, data] of values.entries()) await ask(stage, ada, say(data ?? null, { id }))
          const fitting = values.flatMap((value) => {
            const { data } = schema.safeParse(value)
            return data === undefined ? [] : [data]
          })
          expect(heard(bob).map(([, data]) => data)).toEqual(fitting)
          expect(ada.of('error').every(({ code, issues }) => code === 'invalid-data' && issues !== undefined)).toBe(
            true,
          )
          expect(ada.of('ack').length + ada.of('error').length).toBe(values.length)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('what a schema throws', () => {
  it('[ERROR-3] [ISOLATE] is `internal` where it cannot be told', async () => {
    const throws = schemaOf(() => {
      throw Object.assign(new RequestError('odd', 'So it is.'), { issues: [{ message: 'x', path: [1n] }] })
    })
    const stage = new Stage({ rooms: { main: { messageSchema: throws } } })
    const ada = await stage.member()
    expect(await ask(stage, ada, say(1, { id: 1 }))).toMatchObject([{ code: 'internal', id: 1 }])
    expect(ada.closed).toEqual([])
  })
})

describe('the schema of a handler', () => {
  it('[SCHEMA-1] [CALL-1] refuses what does not fit, and hands the rest on as what it has made of it', async () => {
    const taken: unknown[] = []
    const move = defineHandler({
      schema: z.object({ x: z.coerce.number().max(9) }),
      handle: ({ x }) => {
        taken.push(x)
        return { x }
      },
    })
    const stage = new Stage({ handlers: { move } })
    const ada = await stage.connect()
    const replies = await ask(
      stage,
      ada,
      { type: 'move', data: { x: '3' }, id: 1 },
      { type: 'move', data: { x: 10 }, id: 2 },
    )
    expect(replies).toMatchObject([
      { type: 'reply', id: 1, data: { x: 3 } },
      { type: 'error', id: 2, code: 'invalid-data', issues: [{ path: ['x'] }] },
    ])
    // Asked again it is answered as before.
    expect(await ask(stage, ada, { type: 'move', data: { x: 10 }, id: 2 })).toEqual([replies[1]])
    await ask(stage, ada, { type: 'move', data: 'nonsense' })
    expect(taken).toEqual([3])
  })

  it('tells its handler what type its data is of', () => {
    defineHandler({
      schema: z.object({ x: z.string().transform(Number) }),
      handle: (data, context) => {
        expectTypeOf(data).toEqualTypeOf<{ x: number }>()
        expectTypeOf(context).toEqualTypeOf<HandlerContext>()
      },
    })
    defineHandler({ handle: (data) => expectTypeOf(data).toBeUnknown() })
  })
})

describe('the schema of a message for a machine', () => {
  const move = z.object({ x: z.coerce.number() })

  it.each([
    ['at once', move],
    ['in time', move.refine(async () => Promise.resolve(true))],
  ])(
    '[SCHEMA-1] [APP-1] refuses what does not fit, and its event has what was made of the rest: %s',
    async (_, schema) => {
      const stage = new Stage({ connection: unrulyConnection, messageSchemas: { move: schema } })
      const ada = await stage.connect()
      const move = (x: unknown, id: number): object => ({ type: 'move', data: { x }, id })
      ada.send({ type: 'ready' })
      for (const [id, x] of ['1', 'no', 3].entries()) ada.send(move(x, id))
      ada.send({ type: 'ping', id: 'last' })
      await stage.clock.settle()
      expect(ada.of('moved').map(({ data }) => data)).toEqual([
        { moves: 1, to: { x: 1 } },
        { moves: 2, to: { x: 3 } },
      ])
      expect(ada.of('ack').map(({ id }) => id)).toEqual([0, 2])
      expect(ada.of('error')).toMatchObject([{ id: 1, code: 'invalid-data', issues: [{ path: ['x'] }] }])
    },
  )

  it('[APP-1] that fails is reported by the type of the message', async () => {
    const schema = schemaOf((value) => (value === 'at once' ? undefined : Promise.reject(new Error('broken'))))
    const stage = new Stage({ connection: unrulyConnection, messageSchemas: { ready: schema } })
    const ada = await stage.connect()
    const ready = (data: unknown): object => ({ type: 'ready', data, id: 1 })
    expect(await ask(stage, ada, ready('at once'), ready('in time'))).toMatchObject([
      { code: 'internal', id: 1 },
      { code: 'internal', id: 1 },
    ])
    const threw = stage.telemetry.filter(({ type }) => type === 'callback.threw')
    expect(threw).toMatchObject(Array.from({ length: 2 }, () => ({ callback: 'schema', of: 'ready' })))
  })

  it('[APP-2] is asked in the state in which the message has its turn', async () => {
    const stage: Stage = new Stage({
      connection: unrulyConnection,
      messageSchemas: {
        move: schemaOf((value) => new Promise((resolve) => void stage.clock.setTimeout(() => resolve({ value }), 50))),
      },
    })
    const ada = await stage.connect()
    ada.send({ type: 'move', data: 1, id: 1 })
    ada.send({ type: 'ready' })
    ada.send({ type: 'move', data: 2, id: 2 })
    await stage.clock.advance(1_000)
    expect(ada.received.filter(({ type }) => type !== 'welcome')).toMatchObject([
      { type: 'error', code: 'not-allowed', id: 1 },
      { type: 'your turn' },
      { type: 'moved', data: { moves: 1, to: 2 } },
      { type: 'ack', id: 2 },
    ])
  })

  it('[APP-2] [ISOLATE] that is asked while the chart takes part no more has its message refused, and breaks nothing', async () => {
    const stage: Stage = new Stage({
      connection: leavingConnection,
      messageSchemas: {
        hurry: schemaOf(
          (value) => new Promise((resolve) => void stage.clock.setTimeout(() => resolve({ value }), 100)),
        ),
      },
    })
    const ada = await stage.connect()
    ada.send({ type: 'hurry', data: 1, id: 1 })
    await stage.clock.advance(1_000)
    expect(await ask(stage, ada, { type: 'ping', id: 2 })).toMatchObject([{ type: 'pong', id: 2 }])
    expect(ada.of('error')).toMatchObject([{ code: 'not-allowed', id: 1 }])
    expect(stage.telemetry.filter(({ type }) => type === 'actor.crashed')).toEqual([])
  })

  it('[CLOSED] that is still at work when the connection ends is of no consequence', async () => {
    const stage = new Stage({
      connection: unrulyConnection,
      rooms: { main: { messageSchema: schemaOf(() => Promise.reject(new Error('too late'))) } },
      messageSchemas: { move: schemaOf(() => Promise.reject(new Error('too late'))) },
    })
    const ada = await stage.member()
    ada.send({ type: 'ready' })
    ada.send({ type: 'move', data: 1, id: 1 })
    ada.send(say(1))
    ada.socket.close()
    await stage.clock.advance(1_000)
    expect(stage.runtime.census.connections).toBe(0)
  })
})

describe('schemas that are none', () => {
  it.each([null, 'string', {}, () => true, { '~standard': { version: 2, validate: () => ({}) } }])(
    'are refused at the start: %j',
    (schema) => {
      expect(() => defineRoom({ messageSchema: schema as never })).toThrow(TypeError)
      expect(() => defineHandler({ schema: schema as never, handle: () => {} })).toThrow(TypeError)
      expect(() => createRuntime({ rooms: { main: { presenceSchema: schema as never } } })).toThrow(TypeError)
      expect(() => createRuntime({ connection: unrulyConnection, messageSchemas: { move: schema as never } })).toThrow(
        TypeError,
      )
    },
  )

  it('are refused for messages that no machine takes', () => {
    expect(() => createRuntime({ messageSchemas: { move: z.any() } })).toThrow(/'move'/)
  })
})
