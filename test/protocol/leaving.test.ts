import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'
import { ask, byName } from './cast.ts'

const join = (room: string): object => ({ type: 'join', room })

describe('leave', () => {
  it('[LEAVE-1] is answered by left, after which the room is silent', async () => {
    const stage = new Stage(byName)
    const [ada, bob] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'bob' })]
    expect(await ask(stage, ada, { type: 'leave', room: 'main', id: 1 })).toEqual([
      { type: 'left', id: 1, room: 'main' },
    ])
    await ask(stage, bob, { type: 'message', room: 'main', data: 1 }, { type: 'typing', room: 'main', typing: true })
    await ask(stage, bob, { type: 'presence', room: 'main', state: 1 })
    expect(ada.received.at(-1)).toMatchObject({ type: 'left' })
    expect(bob.of('presence')).toContainEqual({ type: 'presence', room: 'main', left: ['ada'] })
  })

  it('[LEAVE-1] is not shown while the user is here by another session', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const tabs = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'ada' })]
    for (const tab of tabs) await ask(stage, tab, { type: 'leave', room: 'main' })
    expect(bob.of('presence')).toMatchObject([{ joined: [{ user: 'ada' }] }, { left: ['ada'] }])
  })

  it('[LEAVE-2] from a room not joined is answered not-a-member, whether it exists or not', async () => {
    const stage = new Stage()
    await stage.member('main')
    const eve = await stage.connect()
    for (const room of ['main', 'nowhere']) {
      expect(await ask(stage, eve, { type: 'leave', room, id: 1 })).toEqual([
        { type: 'error', code: 'not-a-member', message: expect.any(String) as string, id: 1, room },
      ])
    }
  })

  it('[LEFT-1] makes a stranger of the session: what it sent is not recognised', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    const say = { type: 'message', room: 'main', data: 'x', id: 1 }
    await ask(stage, ada, say, { type: 'leave', room: 'main' }, join('main'), say)
    expect(ada.of('ack').map(({ offset, duplicate }) => [offset, duplicate])).toEqual([
      [1, undefined],
      [2, undefined],
    ])
  })
})
