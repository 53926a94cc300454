import { describe, expect, it } from 'vitest'
import type { Client, ClientRoom } from '../../src/client/index.ts'
import { holdJoins, member, replay } from './scripted-member.ts'
import { joined, message, ScriptedServer, volatile, type Wire } from './scripted-server.ts'

function expectHeals(client: Client, room: ClientRoom, count: number): void {
  expect([client.heals, room.heals]).toEqual([count, count])
}

describe('a room from which a message is missing', () => {
  it('[GAP-1] asks for it before it shows what came after it', async () => {
    const { server, client, room, heard } = await member()
    const joins = holdJoins(server)
    await server.say(message(1), message(2), message(5))
    expect(heard).toEqual([1, 2])
    expect(server.of('join').at(-1)).toMatchObject({ room: 'main', since: { epoch: 'e1', offset: 2 } })
    expect(room.actor.getSnapshot().value).toBe('recovering')
    expect(room.status).toBe('joined')
    await server.say(message(6))
    await joins.answer(replay(3, 4, 5, 6))
    await server.say(message(7))
    expect(heard).toEqual([1, 2, 3, 4, 5, 6, { joined: { recovered: true, healed: true } }, 7])
    expectHeals(client, room, 1)
  })

  it('asks once, however much comes meanwhile, and again when there is no answer', async () => {
    const { server, client, room, heard } = await member()
    const joins = holdJoins(server)
    await server.say(message(2), message(3), message(9))
    expect(server.of('join')).toHaveLength(2)
    await server.clock.advance(30_000)
    expect(server.of('join')).toHaveLength(3)
    await joins.answer(replay(1, 2, 3))
    expect(heard).toEqual([1, 2, 3, { joined: { recovered: true, healed: true } }])
    expectHeals(client, room, 1)
  })

  it('takes the first answer, and passes over the others', async () => {
    const { server, heard } = await member()
    const joins = holdJoins(server)
    await server.say(message(2))
    const [, first] = server.of('join') as [Wire, Wire]
    await server.clock.advance(30_000)
    await server.say(joined(first, replay(1, 2)), message(3))
    await joins.answer(replay(1, 2))
    expect(heard).toEqual([1, 2, { joined: { recovered: true, healed: true } }, 3])
  })

  it('says what may be missing when the server cannot give it any more', async () => {
    const { server, client, room, heard } = await member()
    const joins = holdJoins(server)
    await server.say(message(1), message(400))
    await joins.answer({ offset: 400 })
    await server.say(message(401))
    expect(heard).toEqual([
      1,
      { gap: { from: { epoch: 'e1', offset: 1 }, to: { epoch: 'e1', offset: 400 } } },
      { joined: { recovered: false, healed: true } },
      401,
    ])
    expectHeals(client, room, 1)
  })

  it('[GAP-1] goes over to another log when that one speaks', async () => {
    const { server, client, room, heard } = await member()
    const joins = holdJoins(server)
    await server.say(message(1), message(2))
    await server.say(message(1, { epoch: 'e2' }))
    await joins.answer({ epoch: 'e2', offset: 1 })
    await server.say(message(2, { epoch: 'e2' }))
    expect(heard).toEqual([
      1,
      2,
      { gap: { from: { epoch: 'e1', offset: 2 }, to: { epoch: 'e2', offset: 1 } } },
      { joined: { recovered: false, healed: true } },
      2,
    ])
    expectHeals(client, room, 1)
  })

  it('is asked for anew on the next connection when the present one ends meanwhile', async () => {
    const { server, client, room, heard } = await member()
    holdJoins(server)
    await server.say(message(1), message(3))
    server.answer('join', (join, socket) => socket.say(joined(join, replay(2, 3))))
    server.socket.end()
    await server.clock.advance(1_000)
    expect(heard).toEqual([1, 2, 3, { joined: { recovered: true, healed: false } }])
    expectHeals(client, room, 1)
  })

  it('is left when the server will not have us any more', async () => {
    const { server, client, room, heard } = await member()
    server.answer('join', ({ id }, socket) => socket.say({ type: 'error', id, code: 'room-unavailable', message: '' }))
    await server.say(message(2))
    expect(heard).toEqual([{ error: 'room-unavailable' }])
    expect(room.status).toBe('left')
    expectHeals(client, room, 1)
  })

  it('keeps the requests that are under way: they are not sent twice', async () => {
    const { server, room } = await member()
    const sent = room.send('hi')
    await server.say(message(2))
    const [{ id }] = server.of('message') as [Wire]
    await server.say({ type: 'ack', id, room: 'main', epoch: 'e1', offset: 1 })
    expect(await sent).toEqual({ epoch: 'e1', offset: 1 })
    expect(server.of('message')).toHaveLength(1)
  })
})

describe('a room from which nothing is missing', () => {
  it('heals nothing: not at its first message, nor at repetitions, replays and volatile ones', async () => {
    const { server, client, room, heard } = await member()
    server.answer('join', (join, socket) => socket.say(joined(join, replay(3, 4))))
    await server.say(message(1), message(1), volatile('v'), message(2), message(1), message(2))
    server.socket.end()
    await server.clock.advance(1_000)
    await server.say(message(4), message(5), volatile('w'))
    expect(heard).toEqual([1, 'v', 2, 3, 4, { joined: { recovered: true, healed: false } }, 5, 'w'])
    expectHeals(client, room, 0)
  })

  it('heals nothing when it enters a room in the midst of its log', async () => {
    const server = new ScriptedServer()
    server.answer('join', (join, socket) => {
      socket.say(joined(join, { offset: 70 }))
      socket.say(message(71))
    })
    const client = server.client()
    const room = client.join('main')
    const heard: unknown[] = []
    room.on('message', ({ offset }) => heard.push(offset))
    room.on('gap', (gap) => heard.push(gap))
    await server.clock.advance(100)
    expect(heard).toEqual([71])
    expectHeals(client, room, 0)
  })

  it('is not interrupted by a joined that it has not asked for', async () => {
    const { server, client, room, heard } = await member()
    await server.say(message(1), message(2))
    await server.say(joined({ type: 'join', room: 'main' }, { offset: 2 }), message(3))
    expect(heard).toEqual([1, 2, 3])
    expectHeals(client, room, 0)
  })

  it('asks from its position when it comes back, also when its machine has let it in before', async () => {
    const { server, heard } = await member()
    server.answer('join', (join, socket) => {
      socket.say(joined({ type: 'join', room: 'main' }, { offset: 2 }))
      socket.say(joined(join, replay(2)))
    })
    await server.say(message(1))
    server.socket.end()
    await server.clock.advance(1_000)
    expect(heard).toEqual([1, 2, { joined: { recovered: true, healed: false } }])
  })
})

describe('a room that spares slow readers', () => {
  const skipped = (offset: number, count: number, epoch = 'e1') => ({
    type: 'skipped',
    room: 'main',
    epoch,
    offset,
    count,
  })

  it('[SKIPPED-1] says how many messages were left out, and goes on', async () => {
    const { server, client, room, heard } = await member()
    await server.say(message(1), skipped(6, 5), message(7))
    expect(heard).toEqual([1, { skipped: { count: 5 } }, 7])
    expectHeals(client, room, 0)
  })

  it('[SKIPPED-2] gives what stands for others after the notice, under older offsets', async () => {
    const { server, client, room, heard } = await member()
    await server.say(message(1), skipped(9, 5), message(4), message(7), message(7), message(9), message(10))
    expect(heard).toEqual([1, { skipped: { count: 5 } }, 4, 7, 9, 10])
    expectHeals(client, room, 0)
  })

  it('still misses what nobody has left out', async () => {
    const { server, client, room, heard } = await member()
    const joins = holdJoins(server)
    await server.say(message(1), skipped(5, 3), message(4), message(7))
    expect(server.of('join').at(-1)).toMatchObject({ since: { offset: 4 } })
    await joins.answer(replay(5, 6, 7))
    expect(heard).toEqual([1, { skipped: { count: 3 } }, 4, 5, 6, 7, { joined: { recovered: true, healed: true } }])
    expectHeals(client, room, 1)
  })

  it('loses nothing that it has announced when the connection ends behind the notice', async () => {
    const { server, client, room, heard } = await member()
    server.answer('join', (join, socket) => socket.say(joined(join, replay(2, 3, 4))))
    await server.say(message(1), skipped(4, 2))
    server.socket.end()
    await server.clock.advance(1_000)
    expect(server.of('join').at(-1)).toMatchObject({ since: { offset: 1 } })
    expect(heard).toEqual([1, { skipped: { count: 2 } }, 2, 3, 4, { joined: { recovered: true, healed: false } }])
    expectHeals(client, room, 0)
  })

  it('has nothing to say of what a joined has accounted for', async () => {
    const { server, client, room, heard } = await member()
    const joins = holdJoins(server)
    await server.say(message(2), skipped(4, 1), message(4))
    await joins.answer(replay(1, 2, 3, 4))
    await server.say(skipped(4, 1), message(4), message(5))
    expect(heard).toEqual([1, 2, 3, 4, { joined: { recovered: true, healed: true } }, 5])
    expectHeals(client, room, 1)
  })
})
