import { describe, expect, it } from 'vitest'
import { holdJoins, member, replay } from './scripted-member.ts'
import { message, volatile, type Wire } from './scripted-server.ts'

describe('a volatile message', () => {
  it('[VOLATILE-1] is shown as what it is', async () => {
    const { server, room } = await member()
    const heard: unknown[] = []
    room.on('message', (received) => heard.push(received))
    await server.say(volatile({ x: 1 }), message(1))
    const from = { user: 'bob', session: 'b' }
    expect(heard).toEqual([
      { data: { x: 1 }, from, at: new Date(0), volatile: true, replayed: false },
      { data: 1, from, at: new Date(0), volatile: false, replayed: false, epoch: 'e1', offset: 1 },
    ])
  })

  it('is passed over while others are missing', async () => {
    const { server, heard } = await member()
    const joins = holdJoins(server)
    await server.say(message(2), volatile('v'))
    await joins.answer(replay(1, 2))
    expect(heard).toEqual([1, 2, { joined: { recovered: true, healed: true } }])
  })

  it('is sent without an id, now or never', async () => {
    const { server, room } = await member()
    expect(await room.send(new Date(0), { volatile: true, key: 'clock' })).toBeUndefined()
    server.socket.end()
    await server.clock.settle()
    expect(await room.send('late', { volatile: true })).toBeUndefined()
    await server.clock.advance(2_000)
    expect(server.of('message')).toEqual([
      {
        type: 'message',
        room: 'main',
        data: '1970-01-01T00:00:00.000Z',
        meta: { values: ['Date'], v: 1 },
        key: 'clock',
        volatile: true,
      },
    ])
  })

  it('is dropped when it is too large, or the room or the client is over; only what cannot be said is refused', async () => {
    const { server, client, room } = await member()
    const volatile = true
    expect(await room.send('x'.repeat(70_000), { volatile })).toBeUndefined()
    await expect(room.send(() => {}, { volatile })).rejects.toThrow(TypeError)
    void room.leave()
    expect(await room.send('x', { volatile })).toBeUndefined()
    const other = client.join('other')
    expect(await other.send('x', { volatile })).toBeUndefined()
    client.close()
    expect(await other.send('x', { volatile })).toBeUndefined()
    await server.clock.settle()
    expect(server.of('message')).toEqual([])
  })

  it('that the server refuses does not cost the room', async () => {
    const { server, client, room } = await member()
    const errors: string[] = []
    client.on('error', ({ code }) => errors.push(code))
    server.answer('message', (_message, socket) => {
      socket.say({ type: 'error', code: 'bad-data', message: '', room: 'main' })
    })
    await room.send('x', { volatile: true })
    await server.clock.settle()
    expect(errors).toEqual(['bad-data'])
    expect(room.status).toBe('joined')
  })
})

describe('a message of a room', () => {
  it('has a key when it is given one', async () => {
    const { server, room } = await member()
    const sent = room.send('here', { key: 'cursor' })
    await server.clock.settle()
    const [{ id, ...rest }] = server.of('message') as [Wire]
    expect(rest).toEqual({ type: 'message', room: 'main', data: 'here', key: 'cursor' })
    await server.say({ type: 'ack', id, epoch: 'e1', offset: 1 })
    await sent
  })

  it('is sent as it was when it was handed over', async () => {
    const { server, room } = await member()
    server.socket.end()
    await server.clock.settle()
    const data = { text: 'before' }
    room.send(data).catch(() => {})
    data.text = 'after'
    await server.clock.advance(1_000)
    expect(server.of('message')).toMatchObject([{ data: { text: 'before' } }])
  })

  it('whose meta does not fit its data costs itself, live and among older ones', async () => {
    const { server, room, heard } = await member()
    const poisoned = message(1, { meta: { values: { a: ['Date'] } } })
    await server.say(poisoned, message(2))
    expect(heard).toEqual([{ error: 'bad-meta' }, 2])
    server.answer('history', ({ id }, socket) => {
      socket.say({ type: 'history', id, room: 'main', epoch: 'e1', messages: [poisoned, message(2)], complete: true })
    })
    const page = room.history()
    await server.clock.settle()
    expect((await page).messages).toMatchObject([{ offset: 2, replayed: true }])
  })
})
