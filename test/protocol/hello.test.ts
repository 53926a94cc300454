import { describe, expect, it } from 'vitest'
import { systemEnvironment } from '../../src/runtime/ports/environment.ts'
import { Stage } from '../stage.ts'
import { ask, byName, claimOf, greet, heard, v1 } from './cast.ts'

describe('hello', () => {
  it('[HELLO-1] is waited for when the subprotocol was offered, even if the upgrade carried credentials', async () => {
    for (const options of [{}, byName]) {
      const stage = new Stage(options)
      const ada = await stage.connect({ ...v1, token: 'ada' })
      await stage.clock.advance(9_000)
      expect(ada.received).toEqual([])
      expect((await ask(stage, ada, { type: 'hello', id: 'h' })).map(({ type, id }) => [type, id])).toEqual([
        ['welcome', 'h'],
      ])
    }
  })

  it('[HELLO-2] is not needed by a client with credentials, or where none are asked for', async () => {
    expect((await new Stage().connect()).received.map(({ type }) => type)).toEqual(['welcome'])
    expect((await new Stage(byName).connect({ token: 'ada' })).last('welcome')).toMatchObject({ user: 'ada' })
    const withGuests = new Stage({ ...byName, guest: () => ({ id: 'anybody' }) })
    expect((await withGuests.connect()).last('welcome')).toMatchObject({ user: 'anybody' })
    expect((await withGuests.connect({ token: 'ada' })).last('welcome')).toMatchObject({ user: 'ada' })
  })

  it('[HELLO-2] is needed where credentials are asked for and none came', async () => {
    const stage = new Stage(byName)
    const ada = await stage.connect()
    await stage.clock.advance(1_000)
    expect(ada.received).toEqual([])
    await ask(stage, ada, { type: 'hello', token: 'ada' })
    expect(ada.last('welcome')).toMatchObject({ user: 'ada' })
  })

  it('[HELLO-3] lets what came before it run after the welcome, in order', async () => {
    const stage = new Stage(byName)
    const ada = await stage.connect(v1)
    const early = [
      { type: 'join', room: 'main' },
      ...[1, 2, 3].map((data) => ({ type: 'message', room: 'main', data })),
      { type: 'auth', token: 'ada', id: 'a' },
      '{',
      { type: 'ping', id: 'last' },
    ]
    expect(await ask(stage, ada, ...early)).toEqual([])
    const replies = await ask(stage, ada, { type: 'hello', token: 'ada' }, { type: 'ping', id: 'later' })
    expect(replies[0]?.type).toBe('welcome')
    expect(heard(ada).map(([, data]) => data)).toEqual([1, 2, 3])
    expect(replies.filter(({ type }) => type === 'pong').map(({ id }) => id)).toEqual(['last', 'later'])
    expect(replies.filter(({ type }) => type === 'error')).toMatchObject([{ code: 'bad-json' }])
    expect(ada.last('authenticated')).toMatchObject({ id: 'a' })
  })

  it('[HELLO-3] closes with 4213 when more comes before it than is held', async () => {
    const stage = new Stage()
    const [few, many, much] = [await stage.connect(v1), await stage.connect(v1), await stage.connect(v1)]
    const pings = Array.from({ length: 17 }, (_, id) => ({ type: 'ping', id }))
    await ask(stage, few, ...pings.slice(1))
    await ask(stage, many, ...pings)
    const big = { type: 'message', room: 'main', data: 'x'.repeat(40_000) }
    await ask(stage, much, big, big)
    for (const client of [many, much]) expect(client.closed).toEqual([{ code: 4213, reason: 'limit-reached' }])
    expect((await ask(stage, few, { type: 'hello' })).map(({ type }) => type)).toEqual([
      'welcome',
      ...Array.from({ length: 16 }, () => 'pong'),
    ])
    expect([many, much].flatMap(({ received }) => received)).toEqual([])
  })

  it('[HELLO-4] is waited for 10 s, and its check for another 10 s', async () => {
    const signals: AbortSignal[] = []
    const stage = new Stage({
      authenticate: (_, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      },
    })
    const [silent, hanging] = [await stage.connect(v1), await stage.connect(v1)]
    await stage.clock.advance(9_999)
    await ask(stage, hanging, { type: 'hello', token: 'ada' })
    await stage.clock.advance(2)
    expect(silent.closed).toEqual([{ code: 4210, reason: 'authentication-timeout' }])
    await stage.clock.advance(9_997)
    expect(hanging.closed).toEqual([])
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    await stage.clock.advance(1)
    expect(hanging.closed).toEqual([{ code: 4210, reason: 'authentication-timeout' }])
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  it.each([
    ['a token that is refused', { token: 'bad' }],
    ['no token', {}],
  ])('[HELLO-5] with %s closes with 4001, and what was held is dropped', async (_, fields) => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await stage.connect(v1)
    const held = [
      { type: 'join', room: 'main' },
      { type: 'message', room: 'main', data: 'in?' },
    ]
    expect(await ask(stage, ada, ...held, { type: 'hello', ...fields, id: 1 }, { type: 'ping' })).toEqual([])
    expect(ada.closed).toEqual([{ code: 4001, reason: 'not-authenticated' }])
    expect([...bob.of('presence'), ...bob.of('message')]).toEqual([])
  })

  it.each([
    ['no user', {}],
    ['nobody', undefined],
    ['a user without a name', { id: '' }],
    ['a user that is a number', { user: { id: 7 } }],
  ])('[HELLO-5] closes with 4001 when the application makes of it %s', async (_, answer) => {
    const stage = new Stage({ authenticate: () => answer as { id: string } })
    expect((await greet(stage, { token: 'ada' })).closed).toEqual([{ code: 4001, reason: 'not-authenticated' }])
  })

  it.each([{ token: 1 }, { token: null }, { resume: 'x' }, { resume: null }, { resume: { session: 'x' } }])(
    '[HELLO-6] with fields that do not fit is none: %j',
    async (fields) => {
      const stage = new Stage()
      const ada = await stage.connect(v1)
      expect(await ask(stage, ada, { type: 'hello', id: 'broken', ...fields })).toEqual([])
      const replies = await ask(stage, ada, { type: 'hello', id: 'whole' })
      expect(replies.map(({ type, id, code }) => [type, id, code])).toEqual([
        ['welcome', 'whole', undefined],
        ['error', 'broken', 'bad-message'],
      ])
    },
  )

  it('[HELLO-7] that comes later is answered by a further welcome, and changes nobody', async () => {
    const stage = new Stage(byName)
    const ada = await stage.member('main', { token: 'ada' })
    for (const token of ['bob', 'bad', undefined]) {
      const [welcome] = await ask(stage, ada, { type: 'hello', token, id: 1, resume: claimOf(ada) })
      expect(welcome).toMatchObject({ type: 'welcome', id: 1, user: 'ada', resumed: false, ...claimOf(ada) })
    }
    await ask(stage, ada, { type: 'message', room: 'main', data: 'still here' })
    expect(heard(ada)).toEqual([[1, 'still here']])
    expect(stage.runtime.census.sessions).toBe(1)
  })
})

describe('welcome', () => {
  it('[WELCOME-1] says who one is, and the numbers in force', async () => {
    const numbers = { heartbeatMs: 7_000, heartbeatTimeoutMs: 3_000, roomsPerSession: 3, presenceBytes: 9 }
    const stage = new Stage({ ...byName, ...numbers, frameBytes: 1_234 })
    const ada = await greet(stage, { token: 'ada', id: 0 })
    expect(ada.received).toEqual([
      {
        type: 'welcome',
        id: 0,
        session: expect.any(String) as string,
        secret: expect.any(String) as string,
        user: 'ada',
        server: expect.any(String) as string,
        resumed: false,
        heartbeat: { intervalMs: 7_000, timeoutMs: 3_000 },
        limits: { frameBytes: 1_234, rooms: 3, presenceBytes: 9 },
      },
    ])
    await ask(stage, ada, { type: 'join', room: 'main' }, { type: 'message', room: 'main', data: 1 })
    const { session, user } = ada.last('welcome')
    expect(ada.last('message')['from']).toEqual({ session, user })
  })

  it('[WELCOME-2] carries a secret that nobody can guess and nobody else is told', async () => {
    const { newId } = systemEnvironment()
    const ids = Array.from({ length: 1_000 }, () => newId())
    expect(new Set(ids).size).toBe(1_000)
    // 22 characters of an alphabet of 64 are 132 bits.
    for (const id of ids) expect(id).toMatch(/^[\w-]{22}$/)

    const stage = new Stage(byName)
    const ada = await stage.member('main', { token: 'ada' })
    const bob = await stage.member('main', { token: 'bob' })
    const { secret } = ada.last('welcome')
    const all = [
      { type: 'presence', room: 'main', state: 1 },
      { type: 'typing', room: 'main', typing: true },
    ]
    await ask(stage, ada, ...all, { type: 'message', room: 'main', data: 1 })
    await ask(stage, bob, { type: 'history', room: 'main' }, { type: 'hello', resume: { ...claimOf(ada), secret: '' } })
    expect(secret).not.toBe(bob.last('welcome')['secret'])
    expect(JSON.stringify(bob.received)).not.toContain(secret)
    expect(JSON.stringify(stage.telemetry)).not.toContain(secret)
  })

  it('[WELCOME-3] says how long the credentials still hold, if they run out', async () => {
    const lives: Readonly<Record<string, number>> = { fresh: 60_000, old: 0.5, over: -20_000 }
    const stage: Stage = new Stage({
      authenticate: ({ token = '' }) => {
        const life = lives[token]
        return { user: { id: 'ada' }, ...(life === undefined ? {} : { expiresAt: stage.clock.now() + life }) }
      },
    })
    const told = async (token: string): Promise<unknown> =>
      (await greet(stage, { token })).last('welcome')['expiresInMs']
    expect(await told('fresh')).toBe(60_000)
    expect(await told('old')).toBe(0.5)
    expect(await told('over')).toBe(0)
    expect((await greet(stage, { token: 'for ever' })).last('welcome')).not.toHaveProperty('expiresInMs')
  })

  it('[WELCOME-3] says in a further welcome what is left by then, of a token that was renewed as well', async () => {
    const stage: Stage = new Stage({
      authenticate: () => ({ user: { id: 'ada' }, expiresAt: stage.clock.now() + 60_000 }),
    })
    const [older, ada] = [await greet(stage, { token: 'x' }), await stage.connect({ token: 'x' })]
    await stage.clock.advance(10_000)
    expect(await ask(stage, ada, { type: 'hello' })).toMatchObject([{ type: 'welcome', expiresInMs: 50_000 }])
    await ask(stage, ada, { type: 'auth', token: 'x' })
    await stage.clock.advance(20_000)
    expect(await ask(stage, ada, { type: 'hello', resume: claimOf(older) })).toMatchObject([
      { type: 'welcome', resumed: true, expiresInMs: 40_000 },
    ])
  })
})
