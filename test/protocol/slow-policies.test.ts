import { describe, expect, it } from 'vitest'
import { defineRoom, type RoomOptions } from 'greenroom'
import { Stage, type RawClient } from '../stage.ts'
import { ask, byName, claimOf, greet, heard, replayed, serverEnds } from './cast.ts'

const say = (data: unknown, fields: object = {}): object => ({ type: 'message', room: 'main', data, ...fields })
/** More than a socket takes that is not read. */
const plenty = 'x'.repeat(20_000)

/** A room with a speaker, a member who reads, and one who has stopped: the first message is in its socket. */
async function behind(options: RoomOptions, stage = new Stage({ ...byName, rooms: { '*': defineRoom(options) } })) {
  const ada = await stage.member('main', { token: 'ada' })
  const bob = await stage.member('main', { token: 'bob' })
  const slow = await stage.member('main', { token: 'slow' })
  slow.socket.pause()
  await ask(stage, ada, say(plenty))
  return { stage, ada, bob, slow, epoch: ada.last('joined')['epoch'] }
}

/** What a member was told of a room, in order: messages by their offsets, the rest by type. */
const told = (client: RawClient, room = 'main'): unknown[] =>
  client.received
    .slice(client.received.findLastIndex(({ type }) => type === 'welcome') + 1)
    .filter((message) => message['room'] === room && !['joined', 'presence'].includes(message.type))
    .map(({ type, offset, count }) => (type === 'message' ? offset : [type, offset, count]))

describe('a member who is too slow for a room that drops', () => {
  it('[SKIPPED-1] is told how many were left out once it reads again, then gets what follows', async () => {
    const { stage, ada, bob, slow, epoch } = await behind({ slow: 'drop' })
    for (let i = 2; i <= 5; i++) await ask(stage, ada, say(i))
    expect(slow.of('message')).toEqual([])
    slow.socket.resume()
    await stage.clock.settle()
    await ask(stage, ada, say(6), say(7))
    expect(told(slow)).toEqual([1, ['skipped', 5, 4], 6, 7])
    expect(slow.last('skipped')).toEqual({ type: 'skipped', room: 'main', epoch, offset: 5, count: 4 })
    expect(told(bob)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(told(ada)).toEqual(told(bob))
    // They are in the log like any others.
    const [history] = await ask(stage, slow, { type: 'history', room: 'main' })
    expect(replayed(history).map(({ offset }) => offset)).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('[SKIPPED-1] is told nothing when nothing was left out, and each time anew when something was', async () => {
    const { stage, ada, slow } = await behind({ slow: 'drop' })
    slow.socket.resume()
    await ask(stage, ada, say(2))
    for (let round = 0; round < 3; round++) {
      slow.socket.pause()
      await ask(stage, ada, say(plenty))
      await ask(stage, ada, say('left out'), say('left out'))
      slow.socket.resume()
      await ask(stage, ada, say('live'))
    }
    expect(told(slow)).toEqual([1, 2, 3, ['skipped', 5, 2], 6, 7, ['skipped', 9, 2], 10, 11, ['skipped', 13, 2], 14])
  })

  it('[BOUND] [SKIPPED-1] is never closed for it, however much is said', async () => {
    const { stage, ada, slow } = await behind({ slow: 'drop' })
    for (let i = 0; i < 100; i++) await ask(stage, ada, say('x'.repeat(60_000)), say(i))
    slow.socket.resume()
    await stage.clock.settle()
    expect([slow.closed, told(slow)]).toEqual([[], [1, ['skipped', 201, 200]]])
  })

  it('[SKIPPED-1] is acknowledged for what it says itself', async () => {
    const { stage, slow, bob } = await behind({ slow: 'drop' })
    await ask(stage, slow, say('mine', { id: 1 }))
    slow.socket.resume()
    await stage.clock.settle()
    expect(told(slow)).toEqual([1, ['ack', 2, undefined], ['skipped', 2, 1]])
    expect(heard(bob).at(-1)).toEqual([2, 'mine'])
  })

  it('[GAPLESS] recovers all of it on another connection', async () => {
    const { stage, ada, slow, epoch } = await behind({ slow: 'drop' })
    for (let i = 2; i <= 5; i++) await ask(stage, ada, say(i))
    slow.socket.cut()
    const back = await greet(stage, { token: 'slow', resume: claimOf(slow) })
    const [joined] = await ask(stage, back, { type: 'join', room: 'main', since: { epoch, offset: 1 } })
    expect(joined).toMatchObject({ recovered: true, offset: 5 })
    expect(replayed(joined).map(({ offset }) => offset)).toEqual([2, 3, 4, 5])
    await ask(stage, ada, say(6))
    expect(told(back)).toEqual([6])
  })
})

describe('a member who is too slow for a room that keeps the latest', () => {
  const keyed = (key: string, data: unknown) => say(data, { key })

  it('[SKIPPED-2] gets the last message of each key, in the order of their offsets', async () => {
    const { stage, ada, slow, bob } = await behind({ slow: 'latest' })
    await ask(stage, ada, keyed('a', 2), keyed('b', 3), keyed('a', 4), keyed('c', 5), keyed('a', 6))
    await ask(stage, ada, keyed('b', 7))
    slow.socket.resume()
    await stage.clock.settle()
    await ask(stage, ada, keyed('a', 8))
    expect(told(slow)).toEqual([1, ['skipped', 7, 3], 5, 6, 7, 8])
    expect(heard(slow).slice(1)).toEqual([5, 6, 7, 8].map((n) => [n, n]))
    expect(told(bob)).toHaveLength(8)
  })

  it('[SKIPPED-2] is told of no omission where no message stood for another', async () => {
    const { stage, ada, slow } = await behind({ slow: 'latest' })
    await ask(stage, ada, keyed('a', 2), keyed('b', 3))
    slow.socket.resume()
    await stage.clock.settle()
    expect(told(slow)).toEqual([1, 2, 3])
  })

  it('[SKIPPED-2] is spared no user’s message for another’s, whatever keys they choose', async () => {
    const { stage, ada, bob, slow } = await behind({ slow: 'latest' })
    for (const [client, name] of [
      [ada, 'ada'],
      [bob, 'bob'],
    ] as const) {
      await ask(stage, client, say(`${name} says`), keyed('', `${name} says more`), keyed('k', `${name} moves`))
      await ask(stage, client, keyed('k\nada', `${name} pretends`), keyed('k\nbob', `${name} pretends more`))
    }
    slow.socket.resume()
    await stage.clock.settle()
    const [, ...rest] = heard(slow).map(([, data]) => data)
    expect(rest).toEqual(
      ['ada', 'bob'].flatMap((name) => ['says more', 'moves', 'pretends', 'pretends more'].map((x) => `${name} ${x}`)),
    )
  })

  it('[SKIPPED-2] gets them by the key that the server makes of them', async () => {
    const key: RoomOptions['key'] = ({ data, from }) => `${from.session.length}:${(data as { piece: string }).piece}`
    const { stage, ada, bob, slow } = await behind({ slow: 'latest', key: (message) => key(message) })
    await ask(stage, ada, say({ piece: 'rook', at: 1 }), say({ piece: 'king', at: 2 }, { key: 'ignored' }))
    await ask(stage, bob, say({ piece: 'rook', at: 3 }))
    slow.socket.resume()
    await stage.clock.settle()
    expect(told(slow)).toEqual([1, ['skipped', 4, 1], 3, 4])
  })

  it('[SKIPPED-2] gets every message for which the server’s key fails, and the room goes on', async () => {
    const stage = new Stage({
      ...byName,
      rooms: {
        main: defineRoom({
          slow: 'latest',
          key: ({ data }) => {
            if (data === 'broken') throw new Error('What is this?')
            return 'same'
          },
        }),
      },
    })
    const { ada, slow, bob } = await behind({}, stage)
    await ask(stage, ada, say('broken'), say('fine'), say('broken'), say('fine'), say('broken'))
    slow.socket.resume()
    await stage.clock.settle()
    expect(told(slow)).toEqual([1, ['skipped', 6, 1], 2, 4, 5, 6])
    expect(told(bob)).toHaveLength(6)
    const threw = stage.telemetry.filter(({ type }) => type === 'callback.threw')
    expect(threw).toMatchObject([{ callback: 'key' }, { callback: 'key' }, { callback: 'key' }])
  })

  it('[BOUND] [SKIPPED-2] is closed with 4208 when even those are more than its outbox holds', async () => {
    const stage = new Stage({ ...byName, outboxBytes: 100_000, rooms: { main: defineRoom({ slow: 'latest' }) } })
    const ends = serverEnds(stage)
    const { ada, slow } = await behind({}, stage)
    for (let i = 0; i < 50; i++) await ask(stage, ada, keyed('same', 'x'.repeat(10_000)))
    expect(ends[2]?.link.outbox.bytes).toBeLessThan(40_000)
    for (let i = 0; i < 50; i++) {
      await ask(stage, ada, keyed(`${i}`, 'x'.repeat(10_000)))
      expect(ends[2]?.link.outbox.bytes).toBeLessThan(100_000)
    }
    expect(ends[2]?.closeFrames).toEqual([4208])
    slow.socket.resume()
    await stage.clock.settle()
    expect([slow.closed, told(slow)]).toEqual([[{ code: 4208, reason: 'slow-consumer' }], [1]])
  })
})

describe('a member who is behind', () => {
  it.each(['drop', 'latest'] as const)('[LEAVE-1] gets nothing of a room that it has left (%s)', async (slow) => {
    const scene = await behind({ slow })
    const { stage, ada } = scene
    await ask(stage, ada, say(2), say(3))
    await ask(stage, scene.slow, { type: 'leave', room: 'main', id: 1 })
    await ask(stage, ada, say(4))
    scene.slow.socket.resume()
    await stage.clock.settle()
    expect(told(scene.slow)).toEqual([1, ['left', undefined, undefined]])
  })

  it.each(['drop', 'latest'] as const)('[JOINED-3] is told all of it anew when it joins again (%s)', async (slow) => {
    const scene = await behind({ slow })
    const { stage, ada, epoch } = scene
    await ask(stage, ada, say(2), say(3))
    await ask(stage, scene.slow, { type: 'join', room: 'main', since: { epoch, offset: 1 } })
    await ask(stage, ada, say(4), say(5))
    scene.slow.socket.resume()
    await stage.clock.settle()
    const joined = scene.slow.of('joined').at(-1)
    expect(joined).toMatchObject({ recovered: true, offset: 3 })
    expect(replayed(joined).map(({ offset }) => offset)).toEqual([2, 3])
    expect(told(scene.slow)).toEqual(slow === 'drop' ? [1, ['skipped', 5, 2]] : [1, ['skipped', 5, 1], 5])
  })

  it('[SKIPPED-1] [SKIPPED-2] is told room by room, and of those that wait for it nothing is left out', async () => {
    const rooms = { drops: { slow: 'drop' }, latest: { slow: 'latest' }, waits: { slow: 'disconnect' } } as const
    const stage = new Stage({ ...byName, rooms: { main: { slow: 'drop' }, ...rooms } })
    const { ada, slow } = await behind({}, stage)
    const names = Object.keys(rooms)
    for (const client of [ada, slow]) await ask(stage, client, ...names.map((room) => ({ type: 'join', room })))
    for (let i = 1; i <= 3; i++) await ask(stage, ada, ...names.map((room) => ({ type: 'message', room, data: i })))
    slow.socket.resume()
    await stage.clock.settle()
    expect(names.map((room) => told(slow, room))).toEqual([[['skipped', 3, 3]], [['skipped', 3, 2], 3], [1, 2, 3]])
    expect(told(slow)).toEqual([1])
  })
})
