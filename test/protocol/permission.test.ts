import { describe, expect, it } from 'vitest'
import type { PermissionQuestion } from '../../src/index.ts'
import { Stage } from '../stage.ts'
import { ask, byName, claimOf, heard, serverEnds } from './cast.ts'

/** What is forbidden, as `user action room`; and what was asked. */
function guarded(delayed = false) {
  const forbidden = new Set<string>()
  const asked: string[] = []
  const stage: Stage = new Stage({
    ...byName,
    authorize: ({ user, action, room }: PermissionQuestion) => {
      const question = `${user.id} ${action} ${room}`
      asked.push(question)
      const answer = !forbidden.has(question)
      if (!delayed) return answer
      return new Promise((resolve) => void stage.clock.setTimeout(() => resolve(answer), 100))
    },
  })
  return { stage, forbidden, asked }
}

const say = (data: unknown, id?: number): object => ({ type: 'message', room: 'main', data, id })

describe('permission', () => {
  it.each([
    ['join', { type: 'join', room: 'main', id: 7 }],
    ['publish', say('x', 7)],
    ['publish', { type: 'typing', room: 'main', typing: true, id: 7 }],
    ['presence', { type: 'presence', room: 'main', state: 1, id: 7 }],
    ['history', { type: 'history', room: 'main', id: 7 }],
  ])('[PERMIT-1] to %s is asked for, and what is forbidden is answered and not done', async (action, message) => {
    const { stage, forbidden, asked } = guarded()
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await stage.connect({ token: 'ada' })
    if (action !== 'join') await ask(stage, ada, { type: 'join', room: 'main' })
    forbidden.add(`ada ${action} main`)
    const before = bob.received.length
    expect(await ask(stage, ada, message)).toMatchObject([{ type: 'error', code: 'forbidden', id: 7, room: 'main' }])
    expect(bob.received.slice(before)).toEqual([])
    expect(asked.at(-1)).toBe(`ada ${action} main`)
    forbidden.clear()
    expect((await ask(stage, ada, message)).filter(({ type }) => type === 'error')).toEqual([])
  })

  it('[PERMIT-1] reads the same for a room that there is not and for one that is not for the user', async () => {
    const { stage, forbidden } = guarded()
    await stage.member('secret', { token: 'bob' })
    const ada = await stage.connect({ token: 'ada' })
    for (const room of ['secret', 'nowhere']) forbidden.add(`ada join ${room}`)
    const [one, other] = await ask(stage, ada, { type: 'join', room: 'secret' }, { type: 'join', room: 'nowhere' })
    expect({ ...one, room: '' }).toEqual({ ...other, room: '' })
  })

  it('[PERMIT-1] that takes time holds up what follows, which then has its order', async () => {
    const { stage, forbidden } = guarded(true)
    const bob = await stage.connect({ token: 'bob' })
    bob.send({ type: 'join', room: 'main' })
    await bob.receives('joined')
    forbidden.add('ada publish other')
    const ada = await stage.connect({ token: 'ada' })
    ada.send({ type: 'join', room: 'main' })
    ada.send({ type: 'join', room: 'other' })
    for (let i = 0; i < 5; i++) ada.send(say(i, i))
    ada.send({ type: 'message', room: 'other', data: 'x', id: 9 })
    ada.send({ type: 'leave', room: 'main' })
    await stage.clock.advance(1_000)
    expect(heard(bob)).toEqual([0, 1, 2, 3, 4].map((i) => [i + 1, i]))
    expect(ada.of('error')).toMatchObject([{ code: 'forbidden', id: 9, room: 'other' }])
    expect(ada.received.at(-1)).toEqual({ type: 'left', room: 'main' })
  })

  it('[PERMIT-1] that is never decided, or fails, is refused', async () => {
    const stage: Stage = new Stage({
      authorize: ({ room }) => {
        if (room === 'throws') throw new Error('The database is down.')
        if (room === 'rejects') return Promise.reject(new Error('The database is down.'))
        // oxlint-disable-next-line unicorn/no-thenable -- a query builder is one
        if (room === 'query') return { then: (done: (answer: boolean) => void) => done(true) } as never
        return room === 'truthy' ? ('yes' as never) : new Promise(() => {})
      },
    })
    const ada = await stage.connect()
    for (const room of ['throws', 'rejects', 'truthy', 'query', 'silent']) ada.send({ type: 'join', room, id: room })
    await stage.clock.advance(10_000)
    expect(ada.of('error').map(({ code, id }) => [id, code])).toEqual([
      ['throws', 'internal'],
      ['rejects', 'internal'],
      ['truthy', 'forbidden'],
      ['silent', 'timeout'],
    ])
    expect(ada.of('joined').map(({ room }) => room)).toEqual(['query'])
    expect(stage.telemetry.filter(({ type }) => type === 'callback.threw')).toHaveLength(2)
  })

  it('[PERMIT-1] that was given is remembered until the room is left', async () => {
    const { stage, asked } = guarded()
    const ada = await stage.member('main', { token: 'ada' })
    await ask(stage, ada, say(1), say(2), { type: 'leave', room: 'main' }, { type: 'join', room: 'main' }, say(3))
    expect(asked).toEqual(['ada join main', 'ada publish main', 'ada join main', 'ada publish main'])
  })

  it('[PERMIT-1] [BOUND] is not remembered for rooms that were not joined in the end, but for the last', async () => {
    const stage = new Stage({ ...byName, authorize: () => true, roomsPerSession: 3, messagesPerSecond: Infinity })
    const ends = serverEnds(stage)
    const ada = await stage.connect({ token: 'ada' })
    await ask(stage, ada, ...Array.from({ length: 500 }, (_, i) => ({ type: 'join', room: `${i}` })))
    expect(ada.of('joined')).toHaveLength(3)
    expect(ends[0]?.link.session?.permissions?.size).toBe(4)
  })

  it('[PERMIT-1] is asked for again for a room that was not joined though it was allowed', async () => {
    let asked = 0
    const stage = new Stage({ ...byName, authorize: () => ++asked < 3, roomsPerSession: 1 })
    const ada = await stage.member('main', { token: 'ada' })
    const [full] = await ask(stage, ada, { type: 'join', room: 'other', id: 1 })
    expect(full).toMatchObject({ code: 'too-many-rooms', id: 1 })
    await ask(stage, ada, { type: 'leave', room: 'main' })
    expect(await ask(stage, ada, { type: 'join', room: 'other', id: 2 })).toMatchObject([{ code: 'forbidden', id: 2 }])
  })

  it('[PERMIT-2] is not taken back by a doubt of before', async () => {
    let doubts = 1
    const stage = new Stage({
      ...byName,
      authorize: () => doubts-- !== 0 || new Promise(() => {}),
    })
    const ada = await stage.member('main', { token: 'ada' })
    await ask(stage, ada, { type: 'auth', token: 'ada' }, { type: 'ping' })
    await ask(stage, ada, { type: 'auth', token: 'ada' })
    await stage.clock.advance(20_000)
    expect([ada.of('authenticated').length, ada.of('error'), doubts]).toEqual([2, [], -2])
  })

  it('[PERMIT-2] is asked for again after a renewal; who may not stay is taken out, and told', async () => {
    const { stage, forbidden, asked } = guarded()
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await stage.member('main', { token: 'ada' })
    await ask(stage, ada, { type: 'join', room: 'other' })
    forbidden.add('ada join main')
    expect(await ask(stage, ada, { type: 'auth', token: 'ada', id: 1 })).toMatchObject([
      { type: 'authenticated', id: 1 },
      { type: 'error', code: 'expelled', room: 'main' },
    ])
    expect(asked.slice(-2)).toEqual(['ada join main', 'ada join other'])
    expect(bob.last('presence')).toMatchObject({ left: ['ada'] })
    expect(await ask(stage, ada, say(1, 2))).toMatchObject([{ code: 'not-a-member', id: 2 }])
  })

  it('[PERMIT-2] is asked for again when a session is resumed, and by the client library the room is lost', async () => {
    const { stage, forbidden } = guarded()
    const ada = await stage.member('main', { token: 'ada' })
    ada.socket.close()
    await stage.clock.settle()
    forbidden.add('ada join main')
    const back = await stage.connect({ protocol: 'greenroom.v1' })
    await ask(stage, back, { type: 'hello', token: 'ada', resume: claimOf(ada) })
    expect(back.of('error')).toMatchObject([{ code: 'expelled', room: 'main' }])

    const client = stage.client({ token: 'bob' })
    const room = client.join('main')
    void room.send('here')
    await stage.clock.advance(1_000)
    expect(room.status).toBe('joined')
    const errors: string[] = []
    room.on('error', ({ code }) => errors.push(code))
    forbidden.add('bob join main')
    stage.runtime.user('bob').reauthorize()
    await stage.clock.advance(1_000)
    expect([errors, room.status]).toEqual([['expelled'], 'left'])
  })
})

describe('a user, as the application has it in hand,', () => {
  it('is sent away from everywhere, with the sessions that wait', async () => {
    const stage = new Stage(byName)
    const [one, two, bob] = await Promise.all(['ada', 'ada', 'bob'].map((token) => stage.connect({ token })))
    if (one === undefined || two === undefined || bob === undefined) throw new Error('nobody came')
    two.socket.close()
    await stage.clock.settle()
    const ada = stage.runtime.user('ada')
    expect(ada.connections.map(({ user }) => user.id)).toEqual(['ada'])
    expect(ada.sessions).toHaveLength(2)
    ada.disconnect()
    await stage.clock.settle()
    expect(one.closed).toEqual([{ code: 4003, reason: 'forbidden' }])
    expect([ada.connections, ada.sessions, bob.closed]).toEqual([[], [], []])
    const back = await stage.connect({ protocol: 'greenroom.v1' })
    await ask(stage, back, { type: 'hello', token: 'ada', resume: claimOf(two) })
    expect(back.last('welcome')).toMatchObject({ resumed: false })
  })

  it('is sent away from one session', async () => {
    const stage = new Stage(byName)
    const [one, two] = [await stage.connect({ token: 'ada' }), await stage.connect({ token: 'ada' })]
    stage.runtime.user('ada').disconnect(String(claimOf(one).session))
    stage.runtime.user('bob').disconnect(String(claimOf(two).session))
    await stage.clock.settle()
    expect([one.closed.length, two.closed.length]).toEqual([1, 0])
  })

  it('is sent away while the application still checks who it is', async () => {
    const stage = new Stage(byName)
    expect(stage.runtime.user('nobody').connections).toEqual([])
    stage.runtime.user('nobody').disconnect()
    const ada = await stage.connect({ token: 'ada' })
    stage.runtime.user('ada').disconnect()
    await stage.clock.settle()
    expect(ada.closed).toMatchObject([{ code: 4003 }])
  })
})
