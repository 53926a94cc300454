import { describe, expect, it } from 'vitest'
import { anonymous, apiKey, AuthenticationError } from '../../src/auth/index.ts'
import { Stage } from '../stage.ts'
import { greet } from '../protocol/cast.ts'

const authenticate = apiKey({
  verify: (key) => {
    if (key === 'down') throw new Error('The database is down.')
    if (key === 'banned') throw new AuthenticationError('forbidden')
    return key === 'right' ? { id: 'robot' } : undefined
  },
})
const request = { protocol: '', address: '', url: '/ws', headers: { 'x-api-key': 'right' } }
const context = { signal: new AbortController().signal }

describe('an API key', () => {
  it.each([
    ['wrong', 4003, 'forbidden'],
    ['banned', 4003, 'forbidden'],
    ['down', 1013, 'authentication-unavailable'],
  ])('[HELLO-5] that is %s closes the connection with %d %s', async (token, code, reason) => {
    const stage = new Stage({ authenticate })
    expect((await greet(stage, { token })).closed).toEqual([{ code, reason }])
  })

  it('[HELLO-5] that is missing closes the connection with 4001', async () => {
    const stage = new Stage({ authenticate })
    expect((await greet(stage)).closed).toMatchObject([{ code: 4001 }])
  })

  it('lets in whose it is, by the token or by a header, and then `hello` is not waited for', async () => {
    const stage = new Stage({ authenticate })
    expect((await greet(stage, { token: 'right' })).last('welcome')).toMatchObject({ user: 'robot' })
    expect(await authenticate({ token: undefined, request }, context)).toEqual({ id: 'robot' })
    expect(authenticate.presents?.(request)).toBe(true)
    expect(authenticate.presents?.({ ...request, headers: {} })).toBe(false)
  })

  it('is looked for in the header that is said, whatever its case', async () => {
    const named = apiKey({ header: 'X-Robot', verify: (key) => ({ id: key }) })
    expect(await named({ token: 't', request: { ...request, headers: { 'x-robot': 'r' } } }, context)).toEqual({
      id: 'r',
    })
  })
})

describe('anonymous', () => {
  it('lets everybody in as a guest of their own', async () => {
    const stage = new Stage({ authenticate: anonymous() })
    const [one, other] = [await greet(stage), await greet(stage, { token: 'x' })]
    expect(one.last('welcome')['user']).toMatch(/^guest-[\w-]{22}$/)
    expect(one.last('welcome')['user']).not.toBe(other.last('welcome')['user'])
  })
})
