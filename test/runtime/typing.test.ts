import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'

const users = { authenticate: ({ token = '' }) => ({ id: token }) }

describe('typing', () => {
  it('[TYPING] is shown by user: not to one’s own tabs, and as long as any of them types', async () => {
    const stage = new Stage(users)
    const one = await stage.member('main', { token: 'ada' })
    const two = await stage.member('main', { token: 'ada' })
    const bob = await stage.member('main', { token: 'bob' })
    const type = async (tab: typeof one, typing: boolean): Promise<void> => {
      tab.send({ type: 'typing', room: 'main', typing })
      await stage.clock.settle()
    }
    await type(one, true)
    await type(two, true)
    await type(one, false)
    expect(bob.of('typing').map(({ typing }) => typing)).toEqual([true])
    const eve = await stage.member('main', { token: 'eve' })
    expect(eve.of('typing')).toEqual([{ type: 'typing', room: 'main', user: 'ada', typing: true }])
    await stage.clock.advance(3_000)
    expect(bob.of('typing').map(({ typing }) => typing)).toEqual([true, false])
    expect([one, two].flatMap((tab) => tab.of('typing'))).toEqual([])
  })

  it('[TYPING] ends before the message that it was about', async () => {
    const stage = new Stage(users)
    const ada = await stage.member('main', { token: 'ada' })
    const bob = await stage.member('main', { token: 'bob' })
    ada.send({ type: 'typing', room: 'main', typing: true })
    ada.send({ type: 'message', room: 'main', data: 'there' })
    await stage.clock.advance(10_000)
    expect(bob.received.slice(-3).map(({ type, typing }) => typing ?? type)).toEqual([true, false, 'message'])
  })
})
