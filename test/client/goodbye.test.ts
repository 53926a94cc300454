import { describe, expect, it } from 'vitest'
import type { Client, ClientRoom } from '../../src/client/index.ts'
import { ScriptedServer, type Wire } from './scripted-server.ts'

interface Cast {
  readonly server: ScriptedServer
  readonly client: Client
  readonly room: ClientRoom
}

async function member(): Promise<Cast> {
  const server = new ScriptedServer()
  const client = server.client()
  const room = client.join('main')
  await server.clock.advance(100)
  return { server, client, room }
}

const goodbye = { type: 'goodbye', reason: 'draining', reconnectAfter: 7_000 }

describe('a client whose server says goodbye', () => {
  it('[GOODBYE-1] goes at once when nothing is owed to it, and comes back when it was told to', async () => {
    const { server, client, room } = await member()
    const { session } = client
    await server.say(goodbye)
    expect(server.closes).toEqual([1_005])
    expect(client.status).toBe('waiting')
    expect(client.retryAt).toBe(server.clock.now() + 7_000)
    expect(room.status).toBe('joining')
    await server.clock.advance(6_999)
    expect(server.sockets).toHaveLength(1)
    await server.clock.advance(1)
    expect([client.status, room.status, client.session]).toEqual(['open', 'joined', session])
  })

  it('[GOODBYE-2] waits for what it has asked, and asks nothing new', async () => {
    const { server, client, room } = await member()
    const first = room.send('before')
    const asked = client.request('asked')
    await server.say(goodbye)
    expect(client.actor.getSnapshot().value).toMatchObject({ open: { server: 'leaving' } })
    const after = room.send('after')
    await room.send('lost', { volatile: true })
    client.join('other')
    await server.clock.advance(1_000)
    expect(server.of('message').map(({ data }) => data)).toEqual(['before'])
    expect(server.of('join')).toHaveLength(1)
    const [{ id }] = server.of('message') as [Wire]
    await server.say({ type: 'ack', id, epoch: 'e1', offset: 1 })
    expect(client.status).toBe('open')
    await server.say({ type: 'reply', id: server.of('asked')[0]?.['id'], data: 'here you are' })
    expect(await Promise.all([first, asked])).toEqual([{ epoch: 'e1', offset: 1 }, 'here you are'])
    expect(client.status).toBe('waiting')
    server.received.length = 0
    await server.clock.advance(7_000)
    expect(server.received.map(({ type, room: name, data }) => data ?? name ?? type)).toEqual([
      'hello',
      'main',
      'after',
      'other',
    ])
    const [sent] = server.of('message') as [Wire]
    await server.say({ type: 'ack', id: sent['id'], epoch: 'e1', offset: 2 })
    expect(await after).toMatchObject({ offset: 2 })
  })

  it('goes when the server closes before it has answered, and asks again when it is back', async () => {
    const { server, client, room } = await member()
    const sent = room.send('hi')
    await server.say(goodbye)
    server.socket.end(1012, 'server-closing')
    await server.clock.settle()
    expect(client.retryAt).toBe(server.clock.now() + 7_000)
    await server.clock.advance(7_000)
    const [first, again] = server.of('message')
    expect(again).toEqual(first)
    await server.say({ type: 'ack', id: again?.['id'], epoch: 'e1', offset: 1 })
    expect(await sent).toMatchObject({ offset: 1 })
  })

  it('goes when its call is given up, and at last without an answer', async () => {
    const { server, client, room } = await member()
    room.send('hi', { timeoutMs: 2_000 }).catch(() => {})
    await server.say(goodbye)
    await server.clock.advance(2_000)
    expect(client.status).toBe('waiting')
    await server.clock.advance(7_000)
    expect(client.status).toBe('open')
    room.send('hi', { timeoutMs: 120_000 }).catch(() => {})
    await server.say(goodbye)
    await server.clock.advance(29_999)
    expect(client.status).toBe('open')
    await server.clock.advance(1)
    expect(client.status).toBe('waiting')
  })

  it('waits with its own patience when the server does not say for how long', async () => {
    const { server, client } = await member()
    await server.say({ type: 'goodbye' })
    expect(client.status).toBe('waiting')
    await server.clock.advance(1_000)
    expect(client.status).toBe('open')
  })

  it('shows what still comes', async () => {
    const { server, room } = await member()
    const heard: unknown[] = []
    room.on('message', ({ data }) => heard.push(data))
    room.send('hi').catch(() => {})
    const from = { user: 'bob', session: 'b' }
    await server.say(goodbye, { type: 'message', room: 'main', epoch: 'e1', offset: 1, at: 0, from, data: 'still' })
    expect(heard).toEqual(['still'])
  })
})

describe('the patience of a client', () => {
  it('[CLOSE-5] grows from one attempt to the next until a connection has lasted', async () => {
    const server = new ScriptedServer()
    const client = server.client({ environment: { ...server.environment, random: () => 1 } })
    const waits: number[] = []
    client.on('status', (status) => {
      if (status === 'waiting') waits.push((client.retryAt ?? 0) - server.clock.now())
    })
    await server.clock.settle()
    for (const stayMs of [0, 9_999, 0, 10_000, 0]) {
      await server.clock.advance(stayMs)
      server.socket.end()
      await server.clock.settle()
      await server.clock.advance(waits.at(-1) ?? 0)
      expect(client.status).toBe('open')
    }
    expect(waits).toEqual([500, 1_000, 2_000, 500, 1_000])
  })
})
