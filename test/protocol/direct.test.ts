import { describe, expect, it } from 'vitest'
import type { RuntimeOptions } from '../../src/index.ts'
import { Stage } from '../stage.ts'
import { ask, byName, claimOf, greet } from './cast.ts'

const friends = {
  ...byName,
  authorizeDirect: ({ user, to }) => to !== 'eve' && user.id !== 'eve',
} satisfies RuntimeOptions

const say = (to: unknown, data: unknown, id?: number): object => ({ type: 'direct', to, data, id })

describe('direct', () => {
  it('[DIRECT-1] reaches every connection of the user whom it is for, and nobody else', async () => {
    const stage = new Stage(friends)
    const [ada, bob, tab, cyd] = [
      await greet(stage, { token: 'ada' }),
      await greet(stage, { token: 'bob' }),
      await greet(stage, { token: 'bob' }),
      await greet(stage, { token: 'cyd' }),
    ]
    const text = '{"n":12345678901234567890,"at":"2026-01-01T00:00:00.000Z"}'
    const meta = { values: { at: ['Date'] }, v: 1 }
    const raw = `{"type":"direct","to":"bob","from":"eve","data":${text},"meta":${JSON.stringify(meta)},"id":1}`
    expect(await ask(stage, ada, raw)).toEqual([{ type: 'ack', id: 1 }])
    const { session } = ada.last('welcome')
    for (const client of [bob, tab]) {
      expect(client.of('direct')).toEqual([
        { type: 'direct', at: stage.clock.now(), from: { user: 'ada', session }, data: JSON.parse(text), meta },
      ])
    }
    expect(cyd.of('direct')).toEqual([])
  })

  it('[DIRECT-2] reads the same for a user who is not there and one who is, and for both when it is forbidden', async () => {
    const stage = new Stage(friends)
    const [ada, bob, eve] = [
      await greet(stage, { token: 'ada' }),
      await greet(stage, { token: 'bob' }),
      await greet(stage, { token: 'eve' }),
    ]
    const answers = await ask(stage, ada, say('bob', 1, 1), say('nobody', 1, 2))
    expect(answers).toEqual([1, 2].map((id) => ({ type: 'ack', id })))
    const refused = await ask(stage, eve, say('bob', 1, 2), say('nobody', 1, 2))
    expect(refused).toMatchObject([
      { code: 'forbidden', id: 2 },
      { code: 'forbidden', id: 2 },
    ])
    expect(refused[0]).toEqual(refused[1])
    expect(bob.of('direct')).toHaveLength(1)
  })

  it('[DIRECT-2] is forbidden unless the application lets somebody write to somebody', async () => {
    const stage = new Stage({ ...byName, authorize: () => true })
    const ada = await greet(stage, { token: 'ada' })
    expect(await ask(stage, ada, say('ada', 1, 1))).toMatchObject([{ code: 'forbidden', id: 1 }])
    expect(ada.of('direct')).toEqual([])
  })

  it('[DIRECT-2] that takes time holds up what follows; that fails is refused', async () => {
    const stage: Stage = new Stage({
      ...byName,
      authorizeDirect: ({ to }) => {
        if (to === 'throws') throw new Error('The database is down.')
        if (to === 'never') return new Promise(() => {})
        return new Promise((resolve) => void stage.clock.setTimeout(() => resolve(to === 'bob'), 100))
      },
    })
    const [ada, bob] = [await greet(stage, { token: 'ada' }), await greet(stage, { token: 'bob' })]
    for (const [id, to] of ['throws', 'bob', 'cyd', 'never', 'bob'].entries()) ada.send(say(to, id, id))
    await stage.clock.advance(20_000)
    expect(ada.received.slice(1).map(({ type, id, code }) => [id, code ?? type])).toEqual([
      [0, 'internal'],
      [1, 'ack'],
      [2, 'forbidden'],
      [3, 'timeout'],
      [4, 'ack'],
    ])
    expect(bob.of('direct').map(({ data }) => data)).toEqual([1, 4])
  })

  it('[DIRECT-3] sent again under its id is delivered once, also after a reconnect', async () => {
    const stage = new Stage({ ...friends, handlers: { call: (data) => data }, replyCacheCount: 1 })
    const [ada, bob] = [await greet(stage, { token: 'ada' }), await greet(stage, { token: 'bob' })]
    await ask(stage, ada, say('bob', 'a', 1), say('bob', 'a', 1), say('bob', 'b', 2))
    // Neither is the answer to a request of another kind its own, nor do many of them make it forgotten.
    for (const id of [1, 2, 3]) {
      expect(await ask(stage, ada, { type: 'call', data: id, id })).toMatchObject([{ type: 'reply', data: id, id }])
    }
    const claim = claimOf(ada)
    ada.socket.cut()
    const again = await greet(stage, { token: 'ada', resume: claim })
    expect(await ask(stage, again, say('bob', 'b', 2))).toEqual([{ type: 'ack', id: 2, duplicate: true }])
    expect(await ask(stage, again, say('bob', 'c', 3))).toEqual([{ type: 'ack', id: 3 }])
    expect(bob.of('direct').map(({ data }) => data)).toEqual(['a', 'b', 'c'])
  })

  it('[DIRECT-3] [BOUND] is remembered by the last ids, and one that was refused by none', async () => {
    let isAllowed = false
    const stage = new Stage({ ...byName, authorizeDirect: () => isAllowed, idempotencyCount: 2 })
    const [ada, bob] = [await greet(stage, { token: 'ada' }), await greet(stage, { token: 'bob' })]
    expect(await ask(stage, ada, say('bob', 0, 1))).toMatchObject([{ code: 'forbidden', id: 1 }])
    isAllowed = true
    const acks = await ask(stage, ada, ...[1, 2, 1, 3, 1].map((id, i) => say('bob', i, id)))
    expect(acks.map(({ id, duplicate }) => [id, duplicate])).toEqual([
      [1, undefined],
      [2, undefined],
      [1, true],
      [3, undefined],
      [1, undefined],
    ])
    expect(bob.of('direct').map(({ data }) => data)).toEqual([0, 1, 3, 4])
  })

  it('[DIRECT-3] is delivered once when its sender comes back while the application still thinks about it', async () => {
    const answers: (() => void)[] = []
    const authorizeDirect = (): Promise<boolean> => new Promise((resolve) => answers.push(() => resolve(true)))
    const stage = new Stage({ ...byName, authorizeDirect })
    const [ada, bob] = [await greet(stage, { token: 'ada' }), await greet(stage, { token: 'bob' })]
    await ask(stage, ada, say('bob', 'a', 1), say('bob', 'a', 1))
    const again = await greet(stage, { token: 'ada', resume: claimOf(ada) })
    await ask(stage, again, say('bob', 'a', 1))
    while (answers.length > 0) {
      for (const answer of answers.splice(0)) answer()
      await stage.clock.settle()
    }
    expect([bob.of('direct').length, again.last('ack')]).toMatchObject([1, { id: 1 }])
  })

  it('[DIRECT-1] [DATA-2] [META-1] is checked as a message to a room is', async () => {
    const stage = new Stage(friends)
    const ada = await greet(stage, { token: 'ada' })
    const deep = JSON.parse('['.repeat(40) + ']'.repeat(40)) as unknown
    const faulty = [
      say(7, 1, 1),
      { type: 'direct', to: 'bob', id: 1 },
      say('bob', deep, 1),
      { ...say('bob', 1, 1), meta: { values: { a: ['regexp'] } } },
    ]
    const codes = (await ask(stage, ada, ...faulty)).map(({ code, id }) => [code, id])
    expect(codes).toEqual([
      ['bad-message', 1],
      ['bad-message', 1],
      ['bad-data', 1],
      ['bad-meta', 1],
    ])
  })

  it('[DIRECT-1] goes from client to client, as rich as ever', async () => {
    const stage = new Stage(friends)
    const [ada, bob] = ['ada', 'bob'].map((token) => stage.client({ token }))
    const got: unknown[] = []
    bob?.on('direct', ({ from, data, at }) => got.push([from.user, data, at.getTime() > 0]))
    await stage.clock.settle()
    const sent = ada?.direct('bob', { at: new Date(0) })
    const refused = ada?.direct('eve', 'hi').catch((error: unknown) => error)
    await stage.clock.settle()
    expect([await sent, got]).toEqual([undefined, [['ada', { at: new Date(0) }, true]]])
    expect(await refused).toMatchObject({ code: 'forbidden' })
  })
})

describe('a user', () => {
  it('is sent a message of the application’s on all connections, encoded once', async () => {
    const stage = new Stage(byName)
    const [ada, tab, bob] = [
      await greet(stage, { token: 'ada' }),
      await greet(stage, { token: 'ada' }),
      await greet(stage, { token: 'bob' }),
    ]
    stage.runtime.user('ada').send('note', { at: new Date(0) })
    stage.runtime.user('nobody').send('note')
    await stage.clock.settle()
    for (const client of [ada, tab])
      expect(client.last('note')).toMatchObject({ data: { at: new Date(0).toISOString() } })
    expect(bob.of('note')).toEqual([])
    expect(() => stage.runtime.user('ada').send('message')).toThrow(TypeError)
  })
})
