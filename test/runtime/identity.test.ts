import { describe, expect, it } from 'vitest'
import type { VirtualClock } from '../../src/testing/index.ts'
import { Stage } from '../stage.ts'

/** Lets in whoever says `good`, for a second. */
function shortLived(): { stage: Stage; clock: VirtualClock } {
  const held: { clock?: VirtualClock } = {}
  const stage = new Stage({
    authenticate: ({ token }) => {
      if (token === 'slow') return new Promise(() => {})
      if (token !== 'good') throw new Error('nobody')
      return { user: { id: 'ada' }, expiresAt: (held.clock?.now() ?? NaN) + 1_000 }
    },
  })
  held.clock = stage.clock
  return { stage, clock: stage.clock }
}

describe('an identity that expires', () => {
  it('is not kept alive by tokens that are refused', async () => {
    const { stage, clock } = shortLived()
    const ada = await stage.connect({ token: 'good' })
    for (let id = 1; id <= 5; id++) {
      await clock.advance(10_000)
      ada.send({ type: 'auth', token: 'bad', id })
      await clock.settle()
    }
    expect(ada.of('error').map(({ code, id }) => [code, id])).toEqual([
      ['not-authenticated', 1],
      ['not-authenticated', 2],
    ])
    expect(ada.closed).toEqual([{ code: 4101, reason: 'token-expired' }])
  })

  it('is renewed by a good one, on the connection that is there', async () => {
    const { stage, clock } = shortLived()
    const ada = await stage.connect({ token: 'good' })
    for (let id = 1; id <= 5; id++) {
      await clock.advance(20_000)
      ada.send({ type: 'auth', token: 'good', id })
      await clock.settle()
    }
    expect(ada.of('authenticated').map(({ id, user }) => [id, user])).toEqual([1, 2, 3, 4, 5].map((id) => [id, 'ada']))
    expect(ada.closed).toEqual([])
  })

  it('answers each renewal once, also when the check of one never ends', async () => {
    const { stage, clock } = shortLived()
    const ada = await stage.connect({ token: 'good' })
    ada.send({ type: 'auth', token: 'slow', id: 1 })
    ada.send({ type: 'auth', token: 'good', id: 2 })
    await clock.advance(11_000)
    ada.send({ type: 'auth', token: 'good', id: 3 })
    await clock.settle()
    expect(ada.received.slice(1).map(({ type, id }) => [type, id])).toEqual([
      ['error', 2],
      ['error', 1],
      ['authenticated', 3],
    ])
  })

  it('must have a time for its end, or none', async () => {
    const stage = new Stage({ authenticate: () => ({ user: { id: 'ada' }, expiresAt: Number.NaN }) })
    const ada = await stage.connect({ token: 'x' })
    expect(ada.closed).toMatchObject([{ code: 4001 }])
  })
})
