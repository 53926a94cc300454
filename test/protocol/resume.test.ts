import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'
import { ask, byName, claimOf, greet, heard, replayed } from './cast.ts'

const join = { type: 'join', room: 'main' }
const say = (data: unknown): object => ({ type: 'message', room: 'main', data })

describe('a session', () => {
  it('[RESUME-1] [PRESENCE] [TYPING] keeps rooms, presence and typing: the others see nothing of it', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await stage.member('main', { token: 'ada' })
    const typing = { type: 'typing', room: 'main', typing: true }
    await ask(stage, ada, { type: 'presence', room: 'main', state: { mood: 'fine' } }, typing)
    const before = bob.received.length
    ada.socket.cut()
    await stage.clock.advance(1_000)
    const back = await greet(stage, { token: 'ada', resume: claimOf(ada) })
    expect(back.last('welcome')['resumed']).toBe(true)
    await ask(stage, back, { type: 'join', room: 'main' }, typing)
    expect(back.last('joined')['members']).toContainEqual({ user: 'ada', state: { mood: 'fine' } })
    await stage.clock.advance(2_999)
    expect(bob.received.slice(before)).toEqual([])
    await stage.clock.advance(1)
    expect(bob.received.slice(before)).toEqual([{ type: 'typing', room: 'main', user: 'ada', typing: false }])
  })

  it('[RESUME-1] is given back with its rooms for 120 s after its connection ended', async () => {
    const stage = new Stage(byName)
    let ada = await stage.member('main', { token: 'ada' })
    const claim = claimOf(ada)
    for (const away of [0, 60_000, 119_999]) {
      ada.socket.cut()
      await stage.clock.advance(away)
      ada = await greet(stage, { token: 'ada', resume: claim, id: away })
      expect(ada.last('welcome')).toMatchObject({ id: away, resumed: true, user: 'ada', ...claim })
      // No join is needed to be in the room.
      await ask(stage, ada, say(away))
      expect(ada.of('message')).toMatchObject([{ data: away, from: { session: claim.session } }])
    }
    ada.socket.cut()
    await stage.clock.advance(120_000)
    expect(stage.runtime.census.sessions).toBe(0)
    const late = await greet(stage, { token: 'ada', resume: claim })
    expect(late.last('welcome')).toMatchObject({ resumed: false })
  })

  it.each([
    ['a wrong secret', { secret: 'x'.repeat(22) }],
    ['an empty secret', { secret: '' }],
    ['a secret that is too long', { secret: 'x'.repeat(10_000) }],
    ['an unknown session', { session: 'x'.repeat(22) }],
    ['a session called __proto__', { session: '__proto__' }],
    ['another user', { token: 'bob' }],
  ])('[RESUME-2] is not given to %s', async (_, wrong) => {
    const stage = new Stage(byName)
    const ada = await stage.member('main', { token: 'ada' })
    const { token = 'ada', ...claim } = { ...claimOf(ada), ...wrong } as { token?: string }
    const eve = await greet(stage, { token, resume: claim })
    expect(eve.last('welcome')).toMatchObject({ resumed: false, user: token })
    expect(eve.last('welcome')['session']).not.toBe(claimOf(ada).session)
    expect(eve.last('welcome')['secret']).not.toBe(claimOf(ada).secret)
    expect(await ask(stage, eve, say('in?'))).toMatchObject([{ code: 'not-a-member' }])
    // The owner notices nothing.
    await ask(stage, ada, say('still here'))
    expect([ada.closed, heard(ada)]).toEqual([[], [[1, 'still here']]])
  })

  it('[RESUME-2] of a guest is given to a guest with its secret, as the guest that it was', async () => {
    const stage = new Stage()
    const guest = await stage.member()
    const { user } = guest.last('welcome')
    guest.socket.cut()
    const again = await greet(stage, { resume: claimOf(guest) })
    expect(again.last('welcome')).toMatchObject({ resumed: true, user, ...claimOf(guest) })
    const eve = await greet(stage, { resume: { ...claimOf(guest), secret: 'guess' } })
    expect(eve.last('welcome')).toMatchObject({ resumed: false })
    expect(eve.last('welcome')['user']).not.toBe(user)
  })

  it('[RESUME-2] of a user is not given to a guest, nor a guest’s to a user', async () => {
    let guests = 0
    const stage = new Stage({ ...byName, guest: () => ({ id: `guest ${++guests}` }) })
    const [ada, guest] = [await stage.connect({ token: 'ada' }), await stage.connect()]
    expect((await greet(stage, { resume: claimOf(ada) })).last('welcome')).toMatchObject({ resumed: false })
    expect((await greet(stage, { token: 'bob', resume: claimOf(guest) })).last('welcome')).toMatchObject({
      resumed: false,
      user: 'bob',
    })
  })

  it.each([
    ['1000', 1000, 0],
    ['no code', undefined, 1],
    ['1001', 1001, 1],
    ['3000', 3000, 1],
    ['4001', 4001, 1],
  ])('[RESUME-3] ends at once by a close with 1000 and waits otherwise: %s', async (_, code, left) => {
    const stage = new Stage(byName)
    const ada = await stage.member('main', { token: 'ada' })
    ada.socket.close(code)
    await stage.clock.settle()
    expect(stage.runtime.census).toMatchObject({ connections: 0, sessions: left })
    const again = await greet(stage, { token: 'ada', resume: claimOf(ada) })
    expect(again.last('welcome')).toMatchObject({ resumed: left === 1 })
  })

  it('[RESUME-4] hears its rooms from the welcome on, and joined accounts for all of it', async () => {
    const stage = new Stage(byName)
    const ada = await stage.member('main', { token: 'ada' })
    const bob = await stage.member('main', { token: 'bob' })
    const { epoch } = ada.last('joined')
    ada.socket.cut()
    await ask(stage, bob, say('missed 1'), { type: 'presence', room: 'main', state: 'old' })
    const again = await greet(stage, { token: 'ada', resume: claimOf(ada) })
    await ask(stage, bob, say('early 2'), { type: 'presence', room: 'main', state: 'new' })
    expect(heard(again)).toEqual([[2, 'early 2']])
    const [joined] = await ask(stage, again, { ...join, since: { epoch, offset: 0 } })
    expect(joined).toMatchObject({
      recovered: true,
      offset: 2,
      members: [{ user: 'ada' }, { user: 'bob', state: 'new' }],
    })
    expect(replayed(joined).map(({ data }) => data)).toEqual(['missed 1', 'early 2'])
  })

  it('[RESUME-4] that was not resumed recovers all the same', async () => {
    const stage = new Stage(byName)
    const ada = await stage.member('main', { token: 'ada' })
    const bob = await stage.member('main', { token: 'bob' })
    const { epoch } = ada.last('joined')
    ada.socket.cut()
    await stage.clock.advance(121_000)
    await ask(stage, bob, say('missed'))
    const again = await greet(stage, { token: 'ada', resume: claimOf(ada) })
    expect(again.last('welcome')).toMatchObject({ resumed: false })
    expect(await ask(stage, again, { ...join, since: { epoch, offset: 0 } })).toMatchObject([
      { type: 'joined', recovered: true, messages: [{ offset: 1, data: 'missed' }] },
    ])
  })

  it('[RESUME-5] is taken over by a later hello of a client that was welcomed without one', async () => {
    const stage = new Stage(byName)
    const ada = await stage.member('main', { token: 'ada' })
    ada.socket.cut()
    const again = await stage.connect({ token: 'ada' })
    await ask(stage, again, { type: 'join', room: 'side' })
    const watcher = await stage.member('side', { token: 'bob' })
    expect(again.last('welcome')).toMatchObject({ resumed: false })
    const replies = await ask(stage, again, { type: 'hello', id: 1, resume: claimOf(ada) })
    expect(replies).toMatchObject([{ type: 'welcome', id: 1, resumed: true, ...claimOf(ada) }])
    expect(watcher.of('presence')).toMatchObject([{ left: ['ada'] }])
    expect(await ask(stage, again, say('back'))).toMatchObject([
      { data: 'back', from: { session: claimOf(ada).session } },
    ])
    expect(await ask(stage, again, { type: 'leave', room: 'side' })).toMatchObject([{ code: 'not-a-member' }])
    expect(stage.runtime.census.sessions).toBe(2)
  })

  it('[RESUME-5] is not taken over by a later hello with a wrong claim', async () => {
    const stage = new Stage(byName)
    const ada = await stage.member('main', { token: 'ada' })
    const eve = await stage.member('side', { token: 'eve' })
    for (const resume of [claimOf(ada), { ...claimOf(ada), secret: '' }]) {
      const [welcome] = await ask(stage, eve, { type: 'hello', resume })
      expect(welcome).toMatchObject({ resumed: false, user: 'eve', ...claimOf(eve) })
    }
    await ask(stage, eve, { type: 'message', room: 'side', data: 'still here' })
    expect(heard(eve)).toEqual([[1, 'still here']])
    expect(ada.closed).toEqual([])
  })
})
