import { describe, expect } from 'vitest'
import { AbuseStage } from './abuse-stage.ts'

describe('rooms', () => {
  const stage = new AbuseStage({ roomsPerSession: 20, typingMs: 150 })

  stage.abuse('room.name', async () => {
    const attacker = await stage.enter()
    for (const room of ['', 'x'.repeat(256), '€'.repeat(86), 'a\nb', '\u0000', '\u007f', '\ud800', 7, null]) {
      expect(await attacker.ask({ type: 'join', room })).toMatchObject({ type: 'error', code: 'bad-room-name' })
    }
    const odd = ['*', '{}', ':', 'constructor', '__proto__', 'toString', 'x'.repeat(255), ' ', '../..', "';--", '😀']
    for (const room of odd) {
      expect(await attacker.ask({ type: 'join', room })).toMatchObject({
        type: 'joined',
        room,
        offset: expect.any(Number) as number,
      })
      expect(await attacker.ask({ type: 'message', room, data: 1 })).toMatchObject({ type: 'ack', room })
      expect(await attacker.ask({ type: 'leave', room })).toMatchObject({ type: 'left', room })
    }
    await attacker.leave()
  })

  stage.abuse('room.forbidden', async () => {
    const attacker = await stage.enter()
    const ask = async (room: string): Promise<unknown[]> => {
      const replies = [
        await attacker.ask({ type: 'join', room }),
        await attacker.ask({ type: 'history', room }),
        await attacker.ask({ type: 'message', room, data: 1 }),
      ]
      // But for the name that it asked for itself, and the number of the question.
      return replies.map(({ id: _, room: named, ...rest }) => ({ ...rest, named: named === room }))
    }
    const [one, other] = [await ask('forbidden, and there'), await ask('forbidden, and nowhere')]
    expect(one).toEqual(other)
    expect(one[0]).toMatchObject({ type: 'error', code: 'forbidden' })
    await attacker.leave()
  })

  stage.abuse('room.many', async () => {
    const attacker = await stage.enter()
    for (let i = 0; i < 20; i++) await attacker.ask({ type: 'join', room: `pit ${i}` })
    for (let i = 20; i < 25; i++) {
      const reply = await attacker.ask({ type: 'join', room: `pit ${i}` })
      expect(reply).toMatchObject({ type: 'error', code: 'too-many-rooms' })
    }
    expect(await attacker.ask({ type: 'message', room: 'pit 19', data: 0 })).toMatchObject({ type: 'ack' })
    await attacker.leave()
  })

  stage.abuse('room.twice', async () => {
    const room = stage.room()
    const watcher = await stage.enter({ token: 'watcher' })
    const attacker = await stage.enter({ token: 'eve' })
    await watcher.ask({ type: 'join', room })
    for (let i = 0; i < 5; i++) {
      const joined = await attacker.ask({ type: 'join', room })
      expect(joined['members']).toEqual([{ user: 'watcher' }, { user: 'eve' }])
    }
    await attacker.ask({ type: 'message', room, data: 1 })
    await watcher.heard('message')
    expect(watcher.bytes.messages.filter(({ type }) => type === 'presence')).toMatchObject([
      { joined: [{ user: 'eve' }] },
    ])
    expect(watcher.bytes.messages.filter(({ type }) => type === 'message')).toHaveLength(1)
    await attacker.leave()
    await watcher.leave()
  })

  stage.abuse('room.outside', async () => {
    const room = stage.room()
    const [member, attacker] = [await stage.enter(), await stage.enter()]
    await member.ask({ type: 'join', room })
    for (const message of [
      { type: 'message', data: 1 },
      { type: 'presence', state: 1 },
      { type: 'typing', typing: true },
      { type: 'history' },
      { type: 'leave' },
    ]) {
      const reply = await attacker.ask({ ...message, room })
      expect(reply).toMatchObject({ type: 'error', code: 'not-a-member', room })
    }
    expect(await member.ask({ type: 'history', room })).toMatchObject({ messages: [] })
    await attacker.leave()
    await member.leave()
  })

  stage.abuse('presence.large', async () => {
    const room = stage.room()
    const watcher = await stage.enter({ token: 'watcher' })
    const attacker = await stage.enter({ token: 'eve' })
    const state = 'x'.repeat(3_000)
    const tooLarge = { type: 'error', code: 'presence-too-large' }
    expect(await attacker.ask({ type: 'join', room, presence: state })).toMatchObject(tooLarge)
    await watcher.ask({ type: 'join', room })
    await attacker.ask({ type: 'join', room, presence: 'here' })
    expect(await attacker.ask({ type: 'presence', room, state })).toMatchObject(tooLarge)
    const { members } = await watcher.ask({ type: 'join', room })
    expect(members).toEqual([{ user: 'watcher' }, { user: 'eve', state: 'here' }])
    await attacker.leave()
    await watcher.leave()
  })

  stage.abuse('typing.endless', async () => {
    const room = stage.room()
    const watcher = await stage.enter({ token: 'watcher' })
    const attacker = await stage.enter({ token: 'eve' })
    for (const each of [watcher, attacker]) await each.ask({ type: 'join', room })
    attacker.say({ type: 'typing', room, typing: true })
    const [begun, over] = await watcher.heardAll('typing', 2)
    expect([begun, over]).toMatchObject([
      { user: 'eve', typing: true },
      { user: 'eve', typing: false },
    ])
    await attacker.leave()
    await watcher.leave()
  })

  stage.abuse('history.absurd', async () => {
    const room = stage.room()
    const attacker = await stage.enter()
    await attacker.ask({ type: 'join', room })
    await attacker.ask({ type: 'message', room, data: 0 })
    for (const limit of [0, -1, 1.5, '9', null, {}]) {
      expect(await attacker.ask({ type: 'history', room, limit })).toMatchObject({ code: 'bad-message' })
    }
    for (const range of [{ limit: Number.MAX_SAFE_INTEGER }, { before: Number.MAX_SAFE_INTEGER }, { limit: 301 }]) {
      const { messages } = await attacker.ask({ type: 'history', room, ...range })
      expect(messages).toHaveLength(1)
    }
    expect(await attacker.ask({ type: 'history', room, before: -9 })).toMatchObject({ messages: [] })
    await attacker.leave()
  })

  stage.abuse('recovery.unknown', async () => {
    const room = stage.room()
    const attacker = await stage.enter()
    const { epoch } = await attacker.ask({ type: 'join', room })
    await attacker.ask({ type: 'message', room, data: 0 })
    const unknown = [
      { epoch, offset: 2 },
      { epoch, offset: Number.MAX_SAFE_INTEGER },
      { epoch, offset: -1 },
      { epoch: '__proto__', offset: 0 },
      { epoch: 'x'.repeat(64), offset: 1 },
    ]
    for (const since of unknown) {
      const joined = await attacker.ask({ type: 'join', room, since })
      expect(joined).toMatchObject({ recovered: false, messages: [] })
    }
    await attacker.leave()
  })
})
