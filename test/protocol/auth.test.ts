import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'
import { ask, byName, heard } from './cast.ts'

/** Tokens are `user:seconds until it runs out`. */
function withExpiry(): Stage {
  const stage: Stage = new Stage({
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

  it('[AUTH-4] is accepted for 25 s after the end, and the connection takes part meanwhile', async () => {
    const stage = withExpiry()
    const ada = await stage.member('main', { token: 'ada:60' })
    const bob = await stage.member('main', { token: 'bob:60' })
    await stage.clock.advance(84_000)
    await ask(stage, ada, { type: 'message', room: 'main', data: 'late' }, { type: 'auth', token: 'ada:60' })
    expect(heard(bob)).toEqual([[1, 'late']])
    await stage.clock.advance(1_000)
    expect(bob.closed).toEqual([{ code: 4101, reason: 'token-expired' }])
    expect(ada.closed).toEqual([])
    expect(ada.of('authenticated')).toHaveLength(1)
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
