import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRuntime, defineHandler, RequestError } from 'greenroom'
import { decodeData, encodeData } from '../../src/protocol/index.ts'
import type { Handler, HandlerContext, Handlers } from '../../src/runtime/connection/handlers.ts'
import { Stage } from '../stage.ts'
import { unrulyConnection } from '../unruly-connection.ts'
import { ask, byName, greet } from './cast.ts'

describe('a request that a handler answers', () => {
  it('[CALL-1] is answered by a reply with what was returned, or by an ack when that was nothing', async () => {
    const handlers: Handlers = {
      double: (data) => Number(data) * 2,
      later: async (data) => [data],
      null: () => null,
      nothing: () => {},
      laterNothing: () => Promise.resolve(),
    }
    const stage = new Stage({ handlers })
    const ada = await stage.connect()
    expect(await ask(stage, ada, { type: 'double', data: 4, id: 1 })).toEqual([{ type: 'reply', data: 8, id: 1 }])
    expect(await ask(stage, ada, { type: 'later', data: { a: 1 }, id: 'b' })).toEqual([
      { type: 'reply', data: [{ a: 1 }], id: 'b' },
    ])
    expect(await ask(stage, ada, { type: 'null', id: 3 })).toEqual([{ type: 'reply', data: null, id: 3 }])
    expect(await ask(stage, ada, { type: 'nothing', id: 4 })).toEqual([{ type: 'ack', id: 4 }])
    expect(await ask(stage, ada, { type: 'laterNothing', id: 5 })).toEqual([{ type: 'ack', id: 5 }])
  })

  it('[CALL-1] fails by the code of a RequestError, and by internal for anything else, whose text stays here', async () => {
    const stage = new Stage({
      handlers: {
        refuse: () => {
          throw new RequestError('no-such-profile', 'There is no profile of that name.')
        },
        refuseLater: () => Promise.reject(new RequestError('gone')),
        fall: () => {
          throw new Error('password=hunter2')
        },
        fallLater: () => Promise.reject('hunter2'),
        unsayable: () => ({ secret: () => 'hunter2' }),
      },
    })
    const ada = await stage.connect()
    expect(await ask(stage, ada, { type: 'refuse', id: 1 }, { type: 'refuseLater', id: 2 })).toEqual([
      { type: 'error', code: 'no-such-profile', message: 'There is no profile of that name.', id: 1 },
      { type: 'error', code: 'gone', message: 'gone', id: 2 },
    ])
    expect(stage.telemetry.filter(({ type }) => type === 'callback.threw')).toEqual([])
    const failed = ['fall', 'fallLater', 'unsayable']
    const errors = await ask(stage, ada, ...failed.map((type) => ({ type, id: type })))
    expect(errors).toMatchObject(failed.map((id) => ({ type: 'error', code: 'internal', id })))
    expect(JSON.stringify(ada.received)).not.toContain('hunter2')
    const threw = stage.telemetry.filter(({ type }) => type === 'callback.threw')
    expect(threw).toMatchObject(failed.map((callback) => ({ callback })))
    expect(await ask(stage, ada, { type: 'ping' })).toEqual([{ type: 'pong' }])
  })

  it('[ERROR-3] carries at most 64 characters of a handler’s own code', async () => {
    const handlers = { long: () => Promise.reject(new RequestError('x'.repeat(1_000), 'long')) }
    const stage = new Stage({ handlers })
    const ada = await stage.connect()
    const [error] = await ask(stage, ada, { type: 'long', id: 1 })
    expect(error).toEqual({ type: 'error', code: 'x'.repeat(64), message: 'long', id: 1 })
  })

  it('[CALL-1] carries rich values both ways by meta, and builds none from what is not safe or does not fit', async () => {
    const heard: unknown[] = []
    const stage = new Stage({
      handlers: {
        echo: (data) => {
          heard.push(data)
          return data
        },
      },
    })
    const ada = await stage.connect()
    const rich = { at: new Date(0), tags: new Set(['a']), seen: new Map([['bob', 1n]]), none: undefined, url: NaN }
    const [reply] = await ask(stage, ada, { type: 'echo', ...encodeData(rich), id: 1 })
    expect(heard).toEqual([rich])
    expect(decodeData(reply as object)).toEqual(rich)
    const metas = [
      { values: { at: ['class', 'Error'] } },
      { values: { at: [['custom', 'x']] } },
      { values: { '__proto__.polluted': ['Date'] } },
      { referentialEqualities: { a: ['b'] } },
      { values: { 'not.there': ['Date'] } },
      { values: { at: ['map'] } },
      'Date',
      [],
    ]
    for (const [id, meta] of metas.entries()) {
      const message = { type: 'echo', data: { at: '1970' }, meta, id }
      expect(await ask(stage, ada, message)).toMatchObject([{ type: 'error', code: 'bad-meta', id }])
    }
    expect(heard).toHaveLength(1)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('[CALL-1] without an id is done and not answered, whatever comes of it', async () => {
    const done: unknown[] = []
    const note = (data: unknown): void => void done.push(data)
    const stage = new Stage({
      handlers: {
        fine: (data) => (note(data), 'fine'),
        refuse: (data) => (note(data), Promise.reject(new RequestError('no'))),
        fall: (data) => (note(data), Promise.reject(new Error('no'))),
        unsayable: (data) => (note(data), () => {}),
        hang: defineHandler({ timeoutMs: 5, handle: (data) => (note(data), new Promise(() => {})) }),
      },
    })
    const ada = await stage.connect()
    const types = ['fine', 'refuse', 'fall', 'unsayable', 'hang']
    for (const type of types) ada.send({ type, data: type })
    await stage.clock.advance(10)
    expect(done).toEqual(types)
    expect(ada.received.slice(1)).toEqual([])
  })

  it('[CALL-1] tells its handler who asks, under which id, and lets it send', async () => {
    let context: HandlerContext | undefined
    const stage = new Stage({
      ...byName,
      handlers: {
        who: (_data, given) => {
          context = given
          given.connection.send('noted', { by: given.connection.user.id, at: new Date(0) })
        },
        wrong: (_data, { connection }) => connection.send('joined', {}),
      },
    })
    const ada = await stage.member('main', { token: 'ada' })
    expect(await ask(stage, ada, { type: 'who', id: 7 })).toEqual([
      { type: 'noted', ...encodeData({ by: 'ada', at: new Date(0) }) },
      { type: 'ack', id: 7 },
    ])
    expect(context).toMatchObject({ id: 7, signal: { aborted: false }, connection: { user: { id: 'ada' } } })
    expect(context?.connection).toMatchObject({ session: ada.last('welcome')['session'], rooms: ['main'] })
    expect(await ask(stage, ada, { type: 'wrong', id: 8 })).toMatchObject([{ code: 'internal', id: 8 }])
  })

  it('[CALL-1] that comes before the welcome is held and answered after it; an unknown one stays unknown', async () => {
    const stage = new Stage({ handlers: { echo: (data) => data } })
    const ada = await stage.connect({ protocol: 'greenroom.v1' })
    const early = await ask(stage, ada, { type: 'echo', data: 1, id: 1 }, { type: 'eco', id: 2 }, { type: 'hello' })
    expect(early).toMatchObject([
      { type: 'welcome' },
      { type: 'reply', data: 1, id: 1 },
      { code: 'unknown-type', id: 2 },
    ])
  })

  it.each(['', '__proto__', 'constructor', 'application', 'call', 'socket.message', '😀'])(
    '[CALL-1] may have the type %j',
    async (type) => {
      const stage = new Stage({ handlers: Object.fromEntries([[type, () => 'here']]) })
      const ada = await greet(stage)
      expect(await ask(stage, ada, { type, id: 1 })).toEqual([{ type: 'reply', data: 'here', id: 1 }])
    },
  )

  it('[CALL-1] [ISOLATE] is answered once, whatever stands in it, and nothing is broken by it', async () => {
    const annotation = fc.constantFrom('Date', 'map', 'set', 'bigint', 'undefined', 'number', 'URL', 'regexp', 'class')
    const path = fc.constantFrom('', 'a', 'b', 'a.b', '0', 'length', 'then', 'a.__proto__', 'constructor')
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        fc.tuple(annotation),
        fc.tuple(annotation, tie('tree')),
        fc.dictionary(path, tie('tree'), { maxKeys: 2 }),
        fc.jsonValue({ maxDepth: 1 }),
      ),
    }))
    const data = fc.oneof(fc.jsonValue(), fc.dictionary(path, fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string())))
    // JSON knows no -0.
    const asSent = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
    const stage = new Stage({ handlers: { echo: (given) => given, later: async (given) => [given, { later: given }] } })
    const ada = await stage.connect()
    let id = 0
    await fc.assert(
      fc.asyncProperty(data, fc.option(tree), fc.constantFrom('echo', 'later'), async (value, values, type) => {
        id++
        const message = { type, data: value, ...(values === null ? {} : { meta: { values } }), id }
        const replies = await ask(stage, ada, message, { type: 'ping' })
        const [pong] = replies.filter((reply) => reply.type === 'pong')
        const [reply, ...others] = replies.filter((other) => other !== pong)
        expect([pong, reply?.['id'], others]).toEqual([{ type: 'pong' }, id, []])
        if (reply?.type === 'error') expect(['bad-meta', 'internal']).toContain(reply['code'])
        else if (type === 'echo' && values === null) expect(reply).toEqual({ type: 'reply', data: asSent(value), id })
      }),
      { numRuns: 500 },
    )
    expect(stage.telemetry.filter((event) => event.type === 'actor.crashed')).toEqual([])
  })

  it('[CALL-1] is answered beside a machine of one’s own that does not know it', async () => {
    const stage = new Stage({ connection: unrulyConnection, handlers: { echo: (data) => data } })
    const ada = await stage.connect()
    const replies = await ask(stage, ada, { type: 'echo', data: 1, id: 1 }, { type: 'move', id: 2 })
    expect(replies).toMatchObject([
      { type: 'reply', data: 1, id: 1 },
      { code: 'not-allowed', id: 2 },
    ])
  })
})

describe('handlers', () => {
  it.each(['message', 'join', 'ping', 'reply', 'ack', 'error', 'hello', 'welcome', 'goodbye', 'skipped', 'pong'])(
    '[APP-3] of the protocol’s own type %s are refused',
    (type) => {
      expect(() => createRuntime({ handlers: { [type]: () => {} } })).toThrow(TypeError)
    },
  )

  it('[APP-3] of a type that the machine takes are refused', () => {
    expect(() => createRuntime({ connection: unrulyConnection, handlers: { move: () => {} } })).toThrow(/'move'/)
  })

  it('[LIMIT-1] have a time that is one', () => {
    expect(() => defineHandler({ timeoutMs: -1, handle: () => {} })).toThrow(RangeError)
    expect(() => defineHandler({ timeoutMs: NaN, handle: () => {} })).toThrow(RangeError)
    expect(defineHandler({ timeoutMs: Infinity, handle: () => {} }).timeoutMs).toBe(Infinity)
    // Whoever does not use `defineHandler` is told so, too, and at once.
    expect(() => createRuntime({ handlers: { late: { timeoutMs: -1, handle: () => {} } } })).toThrow(RangeError)
    for (const handler of [undefined, 5, 'x', {}, { handle: 1 }]) {
      expect(() => createRuntime({ handlers: { wrong: handler as unknown as Handler } })).toThrow(TypeError)
    }
  })
})
