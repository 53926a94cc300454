import { describe, expect, it } from 'vitest'
import type { RuntimeOptions } from '../../src/index.ts'
import { Stage } from '../stage.ts'
import { ask, byName, heard } from './cast.ts'

/** Tokens are `user:seconds until it runs out`. */
function withExpiry(options: RuntimeOptions = {}): Stage {
  const stage: Stage = new Stage({
    ...options,
    authenticate: ({ token = '' }) => {
      const [id = '', seconds] = token.split(':')
      if (id === 'bad') throw new Error('refused')
      return {
        user: { id },
        ...(seconds === undefined ? {} : { expiresAt: stage.clock.now() + Number(seconds) * 1_000 }),
      }
    },
  })
  return stage
}

describe('auth', () => {
  it('[AUTH-1] with a fresh token puts the end off', async () => {
    const stage = withExpiry()
    const ada = await stage.connect({ token: 'ada:60' })
    for (let i = 0; i < 5; i++) {
      await stage.clock.advance(50_000)
      expect(await ask(stage, ada, { type: 'auth', token: 'ada:60', id: i })).toMatchObject([{ type: 'authenticated' }])
    }
    expect(ada.closed).toEqual([])
    await stage.clock.advance(60_000 + 24_999)
    expect(ada.closed).toEqual([])
    await stage.clock.advance(1)
    expect(ada.closed).toEqual([{ code: 4101, reason: 'token-expired' }])
  })

  it('[AUTH-1] with a token that does not run out ends the waiting for the end', async () => {
    const stage = withExpiry()
    const ada = await stage.connect({ token: 'ada:60' })
    await ask(stage, ada, { type: 'auth', token: 'ada' })
    await stage.clock.advance(1_000_000)
    expect(ada.closed).toEqual([])
  })

  it('[AUTHENTICATED-1] says when the fresh token runs out, and in what time, if it does', async () => {
    const stage = withExpiry()
    const ada = await stage.connect({ token: 'ada:60' })
    const expiresAt = stage.clock.now() + 90_000
    expect(await ask(stage, ada, { type: 'auth', token: 'ada:90', id: 1 })).toEqual([
      { type: 'authenticated', id: 1, user: 'ada', expiresAt, expiresInMs: 90_000 },
    ])
    expect(await ask(stage, ada, { type: 'auth', token: 'ada' })).toEqual([{ type: 'authenticated', user: 'ada' }])
  })

  it('[AUTH-2] with a refused token leaves the connection as it was', async () => {
    const stage = withExpiry()
    const ada = await stage.member('main', { token: 'ada:60' })
    const replies = await ask(stage, ada, { type: 'auth', token: 'bad', id: 1 })
    expect(replies).toMatchObject([{ type: 'error', code: 'not-authenticated', id: 1 }])
    await ask(stage, ada, { type: 'message', room: 'main', data: 'still here' })
    expect(heard(ada)).toEqual([[1, 'still here']])
    await stage.clock.advance(85_000)
    expect(ada.closed).toEqual([{ code: 4101, reason: 'token-expired' }])
  })

  it('[AUTH-2] is refused while another is being checked, and where nobody checks', async () => {
    const checks: (() => void)[] = []
    const stage = new Stage({
      authenticate: ({ token = '' }) =>
        token === 'first' ? { id: 'ada' } : new Promise((resolve) => checks.push(() => resolve({ id: 'ada' }))),
    })
    const ada = await stage.connect({ token: 'first' })
    const replies = await ask(stage, ada, { type: 'auth', token: 'a', id: 1 }, { type: 'auth', token: 'b', id: 2 })
    expect(replies).toMatchObject([{ code: 'not-authenticated', id: 2 }])
    for (const check of checks) check()
    await stage.clock.settle()
    expect(ada.of('authenticated')).toMatchObject([{ id: 1 }])

    const open = new Stage()
    const guest = await open.connect()
    expect(await ask(open, guest, { type: 'auth', token: 'x' })).toMatchObject([{ code: 'not-authenticated' }])
  })

  it('[AUTH-2] that the application never answers is refused after 10 s', async () => {
    const stage: Stage = new Stage({
      authenticate: ({ token }) =>
        token === 'ada' ? { user: { id: 'ada' }, expiresAt: stage.clock.now() + 60_000 } : new Promise(() => {}),
    })
    const ada = await stage.connect({ token: 'ada' })
    await ask(stage, ada, { type: 'auth', token: 'fresh', id: 1 })
    await stage.clock.advance(9_999)
    expect(ada.of('error')).toEqual([])
    await stage.clock.advance(1)
    expect(ada.of('error')).toMatchObject([{ code: 'not-authenticated', id: 1 }])
    await stage.clock.advance(75_000)
    expect(ada.closed).toEqual([{ code: 4101, reason: 'token-expired' }])
  })

  it('[AUTH-3] with another user’s token is refused', async () => {
    const stage = new Stage(byName)
    const ada = await stage.member('main', { token: 'ada' })
    expect(await ask(stage, ada, { type: 'auth', token: 'bob', id: 1 })).toMatchObject([
      { type: 'error', code: 'not-authenticated', id: 1 },
    ])
    await ask(stage, ada, { type: 'message', room: 'main', data: 1 })
    expect(ada.last('message')).toMatchObject({ from: { user: 'ada' } })
  })

  it('[AUTH-4] is accepted for 25 s after the end; meanwhile the connection hears, and what it says waits', async () => {
    const stage = withExpiry()
    const ada = await stage.member('main', { token: 'ada:60' })
    const bob = await stage.member('main', { token: 'bob:60' })
    const cyd = await stage.member('main', { token: 'cyd:600' })
    await stage.clock.advance(84_000)
    const say = (data: unknown): object => ({ type: 'message', room: 'main', data, id: data })
    await ask(stage, cyd, say('hello'))
    expect(await ask(stage, ada, say(1), say(2), { type: 'ping', id: 3 })).toEqual([{ type: 'pong', id: 3 }])
    await ask(stage, bob, say('never'))
    // Neither does one that is refused let anything through.
    expect(await ask(stage, ada, { type: 'auth', token: 'bad', id: 4 })).toMatchObject([{ code: 'not-authenticated' }])
    expect([heard(cyd), heard(bob)]).toEqual([[[1, 'hello']], [[1, 'hello']]])
    const renewed = await ask(stage, ada, { type: 'auth', token: 'ada:60', id: 5 }, say(6))
    expect(renewed.map(({ type, id }) => [type, id])).toEqual([
      ['authenticated', 5],
      ...[1, 2, 6].flatMap((id) => [
        ['message', undefined],
        ['ack', id],
      ]),
    ])
    await stage.clock.advance(1_000)
    expect(bob.closed).toEqual([{ code: 4101, reason: 'token-expired' }])
    expect([ada.closed, heard(cyd).map(([, data]) => data)]).toEqual([[], ['hello', 1, 2, 6]])
  })

  it('[AUTH-4] is all that counts: an answer to the server does not', async () => {
    const stage = withExpiry()
    const ada = await stage.connect({ token: 'ada:60' })
    const [connection] = stage.runtime.connections
    await stage.clock.advance(61_000)
    const answer = connection?.request('question', 1, { timeoutMs: 60_000 })
    await stage.clock.settle()
    let answered: unknown
    void answer?.then((value) => (answered = value))
    await ask(stage, ada, { type: 'reply', id: ada.last('question')['id'], data: 'forged' })
    expect(answered).toBeUndefined()
    await ask(stage, ada, { type: 'auth', token: 'ada:60' })
    expect(answered).toBe('forged')
  })

  it('[AUTH-4] lets nothing through while it is being checked, once the former credentials have run out', async () => {
    const checks: (() => void)[] = []
    const stage: Stage = new Stage({
      authenticate: ({ token = '' }) => {
        const identity = { user: { id: 'ada' }, expiresAt: stage.clock.now() + 60_000 }
        if (token === 'first') return identity
        return new Promise((resolve) => checks.push(() => resolve(identity)))
      },
    })
    const ada = await stage.connect({ token: 'first' })
    await stage.clock.advance(59_000)
    await ask(stage, ada, { type: 'auth', token: 'second' }, { type: 'join', room: 'in time' })
    await stage.clock.advance(2_000)
    await ask(stage, ada, { type: 'join', room: 'late' })
    expect(ada.of('joined').map(({ room }) => room)).toEqual(['in time'])
    checks[0]?.()
    await stage.clock.settle()
    expect(ada.received.slice(-2)).toMatchObject([{ type: 'authenticated' }, { type: 'joined', room: 'late' }])
  })

  it('[AUTH-4] lets what waits for it wait behind what was said before, and runs out again', async () => {
    let answer = (): void => {}
    const slow = (): Promise<string> => new Promise((resolve) => (answer = () => resolve('done')))
    const stage = withExpiry({ handlers: { slow }, handlerTimeoutMs: Infinity })
    const ada = await stage.connect({ token: 'ada:60' })
    await ask(stage, ada, { type: 'slow', id: 1 }, { type: 'join', room: 'before', id: 2 })
    for (let round = 0; round < 2; round++) {
      await stage.clock.advance(70_000)
      await ask(stage, ada, { type: 'join', room: `after ${round}`, id: 3 + round })
      expect(ada.of('joined')).toHaveLength(round === 0 ? 0 : 2)
      await ask(stage, ada, { type: 'auth', token: 'ada:60' })
      if (round > 0) continue
      expect(ada.of('joined')).toEqual([])
      answer()
      await stage.clock.settle()
    }
    expect([...ada.of('reply'), ...ada.of('joined')].map(({ id }) => id)).toEqual([1, 2, 3, 4])
  })

  it('[AUTH-4] is not put off by attempts that are refused', async () => {
    const stage = withExpiry()
    const ada = await stage.connect({ token: 'ada:60' })
    for (let second = 0; second < 84; second += 4) {
      await ask(stage, ada, { type: 'auth', token: second % 8 === 0 ? 'bad' : 'bob:60', id: second })
      await stage.clock.advance(4_000)
    }
    expect([ada.of('error').length, ada.closed]).toEqual([21, []])
    await stage.clock.advance(1_000)
    expect(ada.closed).toEqual([{ code: 4101, reason: 'token-expired' }])
  })

  it('[AUTH-4] counts from the end of the credentials, also of those that had run out before they came', async () => {
    const stage = withExpiry()
    const [late, tooLate] = [await stage.connect({ token: 'ada:-20' }), await stage.connect({ token: 'ada:-25' })]
    await stage.clock.advance(1)
    expect(tooLate.closed).toEqual([{ code: 4101, reason: 'token-expired' }])
    await stage.clock.advance(4_998)
    expect(late.closed).toEqual([])
    await stage.clock.advance(1)
    expect(late.closed).toEqual([{ code: 4101, reason: 'token-expired' }])
  })
})
