import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineRoom, type Permission, type PermissionQuestion, type RuntimeOptions } from '../../src/index.ts'
import { Stage } from '../stage.ts'
import { ask, byName, claimOf, greet, serverEnds } from './cast.ts'

/** Who is what in every room; nobody else is anything. */
function court(options: RuntimeOptions = {}) {
  const roles = new Map([['ada', 'owner']])
  const asked: string[] = []
  const authorize = ({ user, action, role }: PermissionQuestion): Permission => {
    asked.push(`${user.id} ${action} as ${role ?? 'anybody'}`)
    const own = roles.get(user.id)
    return action === 'join' && own !== undefined ? { role: own } : true
  }
  return { stage: new Stage({ ...byName, authorize, ...options }), roles, asked }
}

const say = (data: unknown): object => ({ type: 'message', room: 'main', data })

describe('a role', () => {
  it('[PERMIT-3] is what the application lets somebody in as, and is shown to the others', async () => {
    const { stage, asked } = court()
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await greet(stage, { token: 'ada' })
    const join = { type: 'join', room: 'main', presence: { mood: 'fine' }, role: 'god' }
    const [joined] = await ask(stage, ada, join)
    const members = [{ user: 'bob' }, { user: 'ada', role: 'owner', state: { mood: 'fine' } }]
    expect(joined).toMatchObject({ type: 'joined', members })
    expect(bob.last('presence')).toMatchObject({ joined: [members[1]] })
    await ask(stage, ada, { type: 'presence', room: 'main', state: 1 }, say('hi'))
    expect(bob.last('presence')).toMatchObject({ updated: [{ user: 'ada', role: 'owner', state: 1 }] })
    expect(asked).toEqual([
      'bob join as anybody',
      'ada join as anybody',
      'ada presence as owner',
      'ada publish as owner',
    ])
  })

  it('[PERMIT-3] [PERMIT-2] that has changed is shown when permission is asked for again, and only then', async () => {
    const { stage, roles } = court()
    const bob = await stage.member('main', { token: 'bob' })
    const [ada, tab] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'ada' })]
    const before = bob.received.length
    stage.runtime.user('ada').reauthorize()
    await stage.clock.settle()
    expect(bob.received.slice(before)).toEqual([])
    roles.set('ada', 'member')
    stage.runtime.user('ada').reauthorize()
    await stage.clock.settle()
    roles.delete('ada')
    stage.runtime.user('ada').reauthorize()
    await stage.clock.settle()
    expect(bob.received.slice(before).map(({ updated }) => updated)).toEqual([
      [{ user: 'ada', role: 'member' }],
      [{ user: 'ada' }],
    ])
    for (const client of [ada, tab]) client.socket.close(1000)
    await stage.clock.settle()
    expect(bob.last('presence')).toMatchObject({ left: ['ada'] })
  })

  it('[PERMIT-3] is shown again after an absence, as it is then', async () => {
    const { stage, roles } = court()
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await greet(stage, { token: 'ada' })
    await ask(stage, ada, { type: 'join', room: 'main' })
    const claim = claimOf(ada)
    ada.socket.cut()
    await stage.clock.advance(20_000)
    expect(bob.last('presence')).toMatchObject({ left: ['ada'] })
    roles.set('ada', 'moderator')
    await greet(stage, { token: 'ada', resume: claim })
    await stage.clock.advance(1_000)
    const shown = bob.of('presence').flatMap(({ joined, updated }) => (joined ?? updated ?? []) as object[])
    expect(shown.at(-1)).toEqual({ user: 'ada', role: 'moderator' })
  })

  it.each([[''], ['x'.repeat(33)], [7], [null]])(
    '[PERMIT-3] that is none lets nobody in, and is reported: %j',
    async (role) => {
      const { stage } = court({ authorize: () => ({ role }) as never })
      const ada = await greet(stage, { token: 'ada' })
      expect(await ask(stage, ada, { type: 'join', room: 'main', id: 1 })).toMatchObject([{ code: 'internal', id: 1 }])
      expect(stage.telemetry).toContainEqual(expect.objectContaining({ type: 'callback.threw', callback: 'authorize' }))
    },
  )

  it('[PERMIT-3] is kept while a schema takes its time over what somebody is to be shown as', async () => {
    const presenceSchema = z.any().refine(async () => true)
    const { stage } = court({ rooms: { '*': defineRoom({ presenceSchema }) } })
    const ada = await greet(stage, { token: 'ada' })
    const [joined] = await ask(stage, ada, { type: 'join', room: 'main', presence: 1 })
    expect(joined).toMatchObject({ members: [{ user: 'ada', role: 'owner', state: 1 }] })
  })

  it('[PERMIT-3] of a guest is not that of the user whom it becomes, nor takes the user’s away', async () => {
    const { stage } = court({
      guest: () => ({ id: 'somebody' }),
      authorize: ({ guest }) => ({ role: guest ? 'guest' : 'owner' }),
    })
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await stage.member('main', { token: 'ada' })
    const guest = await stage.member('main')
    const before = bob.received.length
    await ask(stage, guest, { type: 'auth', token: 'ada' })
    expect(bob.received.slice(before)).toEqual([{ type: 'presence', room: 'main', left: ['somebody'] }])
    ada.socket.close(1000)
    await stage.clock.settle()
    expect(bob.received.slice(before + 1)).toEqual([])
  })

  it('[PERMIT-3] is that which one of several tabs was given last, and ends with the tab', async () => {
    const roles = ['owner', 'member', undefined, 'owner']
    let asked = 0
    const { stage } = court({
      authorize: ({ user }) => {
        const role = user.id === 'ada' ? roles[asked++] : undefined
        return role === undefined || { role }
      },
    })
    const bob = await stage.member('main', { token: 'bob' })
    const shown = (): unknown =>
      bob
        .of('presence')
        .flatMap(({ joined, updated }) => joined ?? updated ?? [])
        .at(-1)
    const first = await stage.member('main', { token: 'ada' })
    const second = await stage.member('main', { token: 'ada' })
    expect(shown()).toEqual({ user: 'ada', role: 'member' })
    await stage.member('main', { token: 'ada' })
    expect(shown()).toEqual({ user: 'ada', role: 'member' })
    await ask(stage, first, { type: 'auth', token: 'ada' })
    expect(shown()).toEqual({ user: 'ada', role: 'owner' })
    first.socket.close(1000)
    await stage.clock.settle()
    expect(shown()).toEqual({ user: 'ada', role: 'member' })
    second.socket.close(1000)
    await stage.clock.settle()
    expect(shown()).toEqual({ user: 'ada' })
  })

  it('[PERMIT-3] [BOUND] is not remembered of rooms that were not joined after all, but for the last', async () => {
    const { stage } = court({ roomsPerSession: 2, messagesPerSecond: Infinity })
    const ends = serverEnds(stage)
    const ada = await greet(stage, { token: 'ada' })
    for (let i = 0; i < 50; i++) ada.send({ type: 'join', room: `room ${i}` })
    await stage.clock.settle()
    expect(ada.of('error')).toHaveLength(48)
    expect([...(ends[0]?.link.session?.roles?.keys() ?? [])]).toEqual(['room 0', 'room 1', 'room 49'])
  })

  it('[PERMIT-3] reaches the client library’s list of who is here', async () => {
    const { stage } = court()
    const client = stage.client({ token: 'ada' })
    const room = client.join('main')
    await stage.clock.settle()
    expect(room.presence.get()).toEqual([{ user: 'ada', role: 'owner' }])
  })
})
