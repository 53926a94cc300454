import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRuntime, defineHandler, defineRoom, RequestError, type RuntimeOptions } from '../../src/index.ts'
import { Stage } from '../stage.ts'
import { LaggingHistory } from '../lagging-store.ts'
import { ask, byName, claimOf, greet, heard } from './cast.ts'

let guests = 0
const open = {
  ...byName,
  guest: () => ({ id: `guest-${++guests}` }),
} satisfies RuntimeOptions

const say = (data: unknown, id?: number): object => ({ type: 'message', room: 'main', data, id })
const auth = (token: string, id?: unknown): object => ({ type: 'auth', token, id })

describe('a guest', () => {
  it('[AUTH-3] becomes the user of a token that is accepted, and keeps session, rooms and connection', async () => {
    const stage = new Stage(open)
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await stage.member('main')
    const { user: guest, session } = ada.last('welcome')
    await ask(stage, ada, say(1))
    const before = bob.received.length
    await ask(stage, ada, auth('ada', 1))
    const replies = await ask(stage, ada, say(2, 2))
    expect(replies.at(-1)).toMatchObject({ type: 'ack', id: 2, offset: 2 })
    expect(ada.last('authenticated')).toMatchObject({ id: 1, user: 'ada' })
    expect(bob.received.slice(before)).toMatchObject([
      { type: 'presence', room: 'main', joined: [{ user: 'ada' }], left: [guest] },
      { type: 'message', offset: 2, from: { user: 'ada', session } },
    ])
    expect(bob.of('message')[0]).toMatchObject({ from: { user: guest, session } })
    expect(stage.runtime.user('ada').sessions).toEqual([session])
    expect(stage.runtime.user(String(guest)).sessions).toEqual([])
    const [later] = [await stage.member('main', { token: 'cyd' })]
    expect((later.last('joined')['members'] as { user: string }[]).map(({ user }) => user)).toEqual([
      'bob',
      'ada',
      'cyd',
    ])
  })

  it('[AUTH-3] becomes one user, once, and stays a guest by a token that is refused', async () => {
    const stage = new Stage(open)
    const ada = await stage.member('main')
    expect(await ask(stage, ada, auth('bad', 1))).toMatchObject([{ code: 'not-authenticated', id: 1 }])
    await ask(stage, ada, auth('ada', 2), auth('eve', 3))
    expect(ada.of('error').map(({ id }) => id)).toEqual([1, 3])
    expect(await ask(stage, ada, auth('eve', 4))).toMatchObject([{ code: 'not-authenticated', id: 4 }])
    expect(await ask(stage, ada, auth('ada', 5))).toMatchObject([{ type: 'authenticated', id: 5, user: 'ada' }])
  })

  it('[AUTH-3] [RESUME-2] leaves a session that is given back to the user alone', async () => {
    const stage = new Stage(open)
    const ada = await greet(stage)
    await ask(stage, ada, { type: 'join', room: 'main' }, auth('ada'))
    const claim = claimOf(ada)
    ada.socket.cut()
    await stage.clock.settle()
    const thief = await greet(stage, { resume: claim })
    expect(thief.last('welcome')).toMatchObject({ resumed: false })
    const again = await greet(stage, { token: 'ada', resume: claim })
    expect(again.last('welcome')).toMatchObject({ resumed: true, user: 'ada', session: claim.session })
  })

  it('[RATE-5] does not become a user who has as many connections as one may have', async () => {
    const stage = new Stage({ ...open, connectionsPerUser: 1 })
    await stage.connect({ token: 'ada' })
    const guest = await stage.connect()
    expect(await ask(stage, guest, auth('ada', 1))).toMatchObject([{ code: 'overloaded', id: 1 }])
    expect(stage.runtime.refusals.requests).toEqual({ overloaded: 1 })
  })

  it('[RATE-5] of whom several are checked at once become no more of a user’s connections than there may be', async () => {
    const checks: (() => void)[] = []
    const authenticate = ({ token = '' }): Promise<{ id: string }> =>
      new Promise((resolve) => checks.push(() => resolve({ id: token })))
    const stage = new Stage({ authenticate, guest: () => ({ id: `guest-${++guests}` }), connectionsPerUser: 1 })
    const all = [await stage.connect(), await stage.connect(), await stage.connect()]
    for (const each of all) each.send(auth('ada', 1))
    await stage.clock.settle()
    for (const check of checks) check()
    await stage.clock.settle()
    expect(all.map((each) => each.received.at(-1))).toMatchObject([
      { type: 'authenticated', user: 'ada' },
      { code: 'overloaded', id: 1 },
      { code: 'overloaded', id: 1 },
    ])
    expect(stage.runtime.user('ada').connections).toHaveLength(1)
  })

  it('[AUTH-2] is told nothing of what an application throws at its token', async () => {
    const authenticate = (): never => {
      throw new RequestError('overloaded', 'The database of the third floor is full.')
    }
    const stage = new Stage({ authenticate, guest: () => ({ id: 'guest' }) })
    const ada = await stage.connect()
    const [error] = await ask(stage, ada, auth('ada', 1))
    expect(error).toMatchObject({ code: 'not-authenticated', id: 1 })
    expect(JSON.stringify(error)).not.toContain('floor')
  })

  it('[AUTH-3] becomes the user also when that has the id that the guest had', async () => {
    const stage = new Stage({
      ...byName,
      guest: () => ({ id: 'ada' }),
      rooms: { staff: defineRoom({ guests: false }) },
    })
    const ada = await stage.connect()
    await ask(stage, ada, auth('ada'))
    expect(stage.runtime.connections[0]?.guest).toBe(false)
    expect(await ask(stage, ada, { type: 'join', room: 'staff' })).toMatchObject([{ type: 'joined' }])
  })

  it('[AUTH-3] [PRESENCE] who comes into a room that opens slowly has come as the user', async () => {
    const history = new LaggingHistory()
    const stage = new Stage({ ...open, history })
    history.opens.lag = true
    const ada = await stage.connect()
    await ask(stage, ada, { type: 'join', room: 'main' }, auth('ada'))
    expect(ada.last('authenticated')).toMatchObject({ user: 'ada' })
    history.opens.answer()
    await stage.clock.settle()
    expect(ada.last('joined')).toMatchObject({ members: [{ user: 'ada' }] })
    expect(ada.of('presence')).toEqual([])
  })

  it('[AUTH-3] [PERMIT-2] says and joins nothing by what the guest was allowed while a schema took its time', async () => {
    const schemas: (() => void)[] = []
    const slow = z.any().refine(() => new Promise((resolve) => schemas.push(() => resolve(true))))
    const asked: string[] = []
    const stage = new Stage({
      ...open,
      rooms: { '*': defineRoom({ messageSchema: slow, presenceSchema: slow }) },
      authorize: ({ guest, action, room }) => {
        asked.push(`${guest ? 'guest' : 'ada'} ${action} ${room}`)
        return guest || room === 'main' ? action === 'join' || guest : false
      },
    })
    const ada = await stage.member('main')
    await ask(stage, ada, say('as a guest', 1), { type: 'join', room: 'other', presence: 1, id: 2 }, auth('ada', 3))
    while (schemas.length > 0) {
      for (const answer of schemas.splice(0)) answer()
      await stage.clock.settle()
    }
    expect(ada.of('error')).toMatchObject([
      { code: 'forbidden', id: 1 },
      { code: 'forbidden', id: 2 },
    ])
    expect(heard(ada)).toEqual([])
    expect(stage.runtime.connections[0]?.rooms).toEqual(['main'])
  })

  it('[AUTH-3] [ORDER] is a room’s member until the room is told, and what it has said before is its own', async () => {
    const history = new LaggingHistory()
    const stage = new Stage({ ...open, history })
    const bob = await stage.connect({ token: 'bob' })
    const ada = await stage.connect()
    for (const client of [bob, ada]) await ask(stage, client, { type: 'join', room: 'main' })
    const { user: guest } = ada.last('welcome')
    const before = bob.received.length
    await ask(stage, ada, say(1), { type: 'presence', room: 'main', state: 'late' }, auth('ada', 2))
    await ask(stage, ada, say(3))
    expect(ada.last('authenticated')).toMatchObject({ user: 'ada' })
    expect(bob.received.slice(before)).toEqual([])
    for (let i = 0; i < 2; i++) {
      history.settle()
      await stage.clock.settle()
    }
    expect(bob.received.slice(before)).toMatchObject([
      { type: 'message', data: 1, from: { user: guest } },
      { type: 'presence', updated: [{ user: guest, state: 'late' }] },
      { type: 'presence', joined: [{ user: 'ada', state: 'late' }], left: [guest] },
      { type: 'message', data: 3, from: { user: 'ada' } },
    ])
  })

  it.each(['leave', 'cut'])(
    '[AUTH-3] [PRESENCE] is not left behind in a room that it goes from meanwhile: %s',
    async (how) => {
      const history = new LaggingHistory()
      const stage = new Stage({ ...open, history, resumeWindowMs: 0 })
      const bob = await stage.connect({ token: 'bob' })
      const ada = await stage.connect()
      for (const client of [bob, ada]) await ask(stage, client, { type: 'join', room: 'main' })
      const { user: guest } = ada.last('welcome')
      await ask(stage, ada, say(1), ...(how === 'leave' ? [{ type: 'leave', room: 'main' }] : []), auth('ada', 2))
      if (how === 'cut') ada.socket.cut()
      history.settle()
      await stage.clock.advance(1_000)
      expect(bob.last('presence')).toMatchObject({ left: [how === 'leave' ? guest : 'ada'] })
      const cyd = await stage.member('main', { token: 'cyd' })
      expect(cyd.last('joined')['members']).toEqual([{ user: 'bob' }, { user: 'cyd' }])
    },
  )

  it('[AUTH-3] [PERMIT-2] is given nothing that was allowed to the guest, however late the answer', async () => {
    const asked: string[] = []
    const answers: (() => void)[] = []
    const stage = new Stage({
      ...open,
      authorize: ({ user, guest, action }) => {
        asked.push(`${guest ? 'guest' : user.id} ${action}`)
        return action === 'join' || new Promise((resolve) => answers.push(() => resolve(guest)))
      },
    })
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await stage.member('main')
    await ask(stage, ada, say('as a guest', 1), auth('ada'))
    expect(ada.last('authenticated')).toMatchObject({ user: 'ada' })
    answers[0]?.()
    await stage.clock.settle()
    expect(asked).toEqual(['bob join', 'guest join', 'guest publish', 'ada join', 'ada publish'])
    answers[1]?.()
    await stage.clock.settle()
    expect(ada.last('error')).toMatchObject({ code: 'forbidden', id: 1 })
    expect(heard(bob)).toEqual([])
  })

  it('[AUTH-3] [TYPING] is said to have stopped typing when it becomes somebody', async () => {
    const stage = new Stage(open)
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await stage.member('main')
    const { user: guest } = ada.last('welcome')
    await ask(stage, ada, { type: 'typing', room: 'main', typing: true }, auth('ada'))
    await stage.clock.advance(10_000)
    expect(bob.of('typing').map(({ user, typing }) => [user, typing])).toEqual([
      [guest, true],
      [guest, false],
    ])
  })

  it('[AUTH-3] [PERMIT-2] is asked about again, as the user', async () => {
    const asked: string[] = []
    const stage = new Stage({
      ...open,
      authorize: ({ user, action, room }) => {
        asked.push(`${user.id.replace(/-.*/, '')} ${action} ${room}`)
        return user.id !== 'ada' || room !== 'guests'
      },
    })
    const ada = await stage.connect()
    await ask(stage, ada, { type: 'join', room: 'main' }, { type: 'join', room: 'guests' }, auth('ada'))
    expect(ada.last('error')).toMatchObject({ code: 'expelled', room: 'guests' })
    expect(asked).toEqual(['guest join main', 'guest join guests', 'ada join main', 'ada join guests'])
  })

  it('[GUEST-1] is not let into rooms, nor answered by handlers, that are not for guests', async () => {
    const stage = new Stage({
      ...open,
      rooms: { 'staff:*': defineRoom({ guests: false }) },
      handlers: { whoami: defineHandler({ guests: false, handle: (_, { connection }) => connection.user.id }) },
    })
    const ada = await stage.connect()
    const join = { type: 'join', room: 'staff:1', id: 1 }
    const refused = await ask(stage, ada, join, { type: 'whoami', id: 2 })
    expect(refused).toMatchObject([
      { code: 'not-authenticated', id: 1, room: 'staff:1' },
      { code: 'not-authenticated', id: 2 },
    ])
    expect(stage.runtime.census.rooms).toBe(0)
    await ask(stage, ada, auth('ada'))
    const answered = await ask(stage, ada, join, { type: 'whoami', id: 2 })
    expect(answered.at(-2)).toMatchObject({ type: 'joined', id: 1 })
    expect(answered.at(-1)).toMatchObject({ type: 'reply', id: 2, data: 'ada' })
  })

  it('[AUTH-3] is in an application’s hands who it has become', async () => {
    const stage = new Stage(open)
    const ada = await stage.connect()
    const [kept] = stage.runtime.connections
    expect([kept?.user.id.startsWith('guest-'), kept?.guest]).toEqual([true, true])
    await ask(stage, ada, auth('ada'))
    expect([kept?.user, kept?.guest]).toEqual([{ id: 'ada' }, false])
  })

  it('[GUEST-1] by options that say neither yes nor no there is no runtime', () => {
    expect(() => createRuntime({ rooms: { main: { guests: 'no' as never } } })).toThrow(RangeError)
    expect(() => defineHandler({ guests: 1 as never, handle: () => {} })).toThrow(RangeError)
  })

  it('[PRESENCE] [AUTH-3] is shown as who it is in the end, whatever comes when, and speaks as nobody else', async () => {
    const steps = fc.array(fc.constantFrom('join', 'say', 'auth', 'bad', 'leave', 'cut', 'return', 'wait', 'type'), {
      minLength: 1,
      maxLength: 14,
    })
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (script, slow) => {
        const stage: Stage = new Stage({
          ...open,
          authenticate: ({ token = '' }) => {
            if (token === 'bad') throw new Error('Who is this?')
            if (!slow) return { id: token }
            return new Promise((resolve) => void stage.clock.setTimeout(() => resolve({ id: token }), 30))
          },
        })
        const bob = await greet(stage, { token: 'bob' })
        await stage.clock.advance(50)
        await ask(stage, bob, { type: 'join', room: 'main' })
        let ada = await greet(stage)
        let isUser = false
        let isIn = false
        for (const step of script) {
          if (step === 'join') ada.send({ type: 'join', room: 'main' })
          if (step === 'leave') ada.send({ type: 'leave', room: 'main' })
          if (step === 'say') ada.send(say(1))
          if (step === 'type') ada.send({ type: 'typing', room: 'main', typing: true })
          if (step === 'auth') ada.send(auth('ada'))
          if (step === 'bad') ada.send(auth('bad'))
          if (step === 'wait') await stage.clock.advance(100)
          if (step === 'cut') ada.socket.cut()
          if (step === 'cut' || step === 'return') {
            await stage.clock.advance(100)
            isUser ||= ada.of('authenticated').length > 0
            const claim = claimOf(ada)
            ada = await greet(stage, { ...(isUser ? { token: 'ada' } : {}), resume: claim })
            await stage.clock.advance(100)
            expect(ada.last('welcome')).toMatchObject({ resumed: true })
          }
        }
        await stage.clock.advance(20_000)
        isUser ||= ada.of('authenticated').length > 0
        isIn = stage.runtime.connections.some(({ user, rooms }) => user.id !== 'bob' && rooms.includes('main'))
        const present = new Set<string>()
        for (const { joined = [], left = [] } of bob.of('presence') as {
          joined?: { user: string }[]
          left?: string[]
        }[]) {
          for (const user of left) expect(present.delete(user)).toBe(true)
          for (const { user } of joined) present.add(user)
        }
        const name = isUser ? 'ada' : String(ada.last('welcome')['user'])
        expect([...present]).toEqual(isIn ? [name] : [])
        const speakers = bob.of('message').map(({ from }) => (from as { user: string }).user)
        const first = speakers.indexOf('ada')
        if (first >= 0) expect(new Set(speakers.slice(first))).toEqual(new Set(['ada']))
        const typing = new Map(bob.of('typing').map(({ user, typing }) => [user, typing]))
        expect([...typing.values()].every((each) => each === false)).toBe(true)
      }),
      { numRuns: 120 },
    )
  })
})

describe('a guess', () => {
  it('[RESUME-2] at a session’s secret is counted, and a connection that goes on with it is closed', async () => {
    const stage = new Stage(byName)
    const ada = await greet(stage, { token: 'ada' })
    const eve = await stage.connect({ token: 'eve' })
    const { session } = claimOf(ada)
    const guess = (i: number): object => ({ type: 'hello', resume: { session, secret: `guess ${i}` } })
    for (let i = 0; i < 3; i++) {
      await ask(stage, eve, guess(i))
      expect(eve.last('welcome')).toMatchObject({ resumed: false, user: 'eve' })
    }
    expect(eve.closed).toEqual([])
    await ask(stage, eve, guess(3))
    expect(eve.closed).toMatchObject([{ code: 4213, reason: 'limit-reached' }])
    expect(stage.runtime.refusals.resumes).toEqual({ unknown: 4 })
    expect(ada.closed).toEqual([])
  })
})

describe('what a user may send', () => {
  it('[RATE-1] is no more for having reconnected', async () => {
    const stage = new Stage({ ...byName, messageBurst: 10, messagesPerSecond: 1 })
    let taken = 0
    for (let round = 0; round < 5; round++) {
      const ada = await greet(stage, { token: 'ada' })
      await ask(stage, ada, { type: 'join', room: 'main' })
      const before = heard(ada).length
      for (let i = 0; i < 10; i++) await ask(stage, ada, say(i))
      taken += heard(ada).length - before
      ada.socket.close()
      await stage.clock.settle()
    }
    expect(taken).toBeLessThanOrEqual(10)
    await stage.clock.advance(10_000)
    const ada = await stage.member('main', { token: 'ada' })
    expect(await ask(stage, ada, say(1, 1))).toMatchObject([{ type: 'message' }, { type: 'ack' }])
  })
})
