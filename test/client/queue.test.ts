import { describe, expect, it } from 'vitest'
import type { Client, ClientOptions, ClientRoom } from '../../src/client/index.ts'
import { ScriptedServer, type Wire } from './scripted-server.ts'

interface Cast {
  readonly server: ScriptedServer
  readonly client: Client
  readonly room: ClientRoom
}

async function member(options: ClientOptions = {}): Promise<Cast> {
  const server = new ScriptedServer()
  const client = server.client(options)
  const room = client.join('main')
  await server.clock.advance(100)
  return { server, client, room }
}

async function lost(server: ScriptedServer): Promise<void> {
  server.socket.end()
  await server.clock.settle()
}

describe('what waits for the connection', () => {
  it('goes out in the order in which it was asked, when the rooms that it concerns have been', async () => {
    const { server, client, room } = await member()
    await lost(server)
    for (const n of [1, 2, 3]) room.send(n).catch(() => {})
    client.send('poke').catch(() => {})
    room.history().catch(() => {})
    server.received.length = 0
    await server.clock.advance(1_000)
    expect(server.received.map(({ type, data }) => data ?? type)).toEqual(['hello', 'poke', 'join', 1, 2, 3, 'history'])
  })

  it('is bounded by its number, and nothing of it is dropped in silence', async () => {
    const { server, client, room } = await member({ callLimit: 2 })
    await lost(server)
    const first = [room.send(1), client.request('two')]
    await expect(room.send(3)).rejects.toMatchObject({ code: 'queue-full' })
    await expect(client.request('four')).rejects.toMatchObject({ code: 'queue-full' })
    const codes = Promise.allSettled(first)
    await server.clock.advance(1_000)
    expect(server.received.map(({ type }) => type).slice(-3)).toEqual(['two', 'join', 'message'])
    for (const { type, id } of server.received)
      if (type === 'two' || type === 'message') await server.say({ type: 'ack', id, epoch: 'e1', offset: 1 })
    expect(await codes).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }])
  })

  it('is bounded by its bytes, counted as they are sent, until they are answered', async () => {
    const { server, room } = await member({ queueBytes: 1_000 })
    const first = room.send('é'.repeat(400))
    await expect(room.send('x'.repeat(200))).rejects.toMatchObject({ code: 'queue-full' })
    await server.clock.settle()
    const [{ id }] = server.of('message') as [Wire]
    await server.say({ type: 'ack', id, epoch: 'e1', offset: 1 })
    await first
    const second = room.send('x'.repeat(200), { timeoutMs: 10 })
    await expect(room.send(new Uint8Array(1_000))).rejects.toMatchObject({ code: 'queue-full' })
    const late = expect(second).rejects.toMatchObject({ code: 'timeout' })
    await server.clock.advance(10)
    await late
    room.send('x'.repeat(800)).catch(() => {})
    await server.clock.settle()
    expect(server.of('message')).toHaveLength(3)
  })

  it('is never sent once its time was up', async () => {
    const { server, room } = await member()
    const sent = room.send('sent', { timeoutMs: 500 })
    await lost(server)
    server.reachable = false
    const unsent = room.send('unsent', { timeoutMs: 500 })
    const codes = Promise.allSettled([sent, unsent])
    await server.clock.advance(500)
    expect(await codes).toMatchObject([{ reason: { code: 'timeout' } }, { reason: { code: 'timeout' } }])
    server.received.length = 0
    server.reachable = true
    await server.clock.advance(60_000)
    expect(server.of('join')).toHaveLength(1)
    expect(server.of('message')).toEqual([])
  })
})

describe('what was sent and not answered', () => {
  it('[CALL-4] is sent again when the session is found, under the same ids and in order', async () => {
    const { server, client, room } = await member()
    const calls = [room.send('a'), client.request('b'), room.presence.update('c'), room.send('d')]
    await server.clock.settle()
    const before = server.received.filter(({ id }) => typeof id === 'number')
    expect(before).toHaveLength(4)
    await lost(server)
    server.received.length = 0
    await server.clock.advance(1_000)
    const again = server.received.filter(({ id }) => typeof id === 'number')
    expect(again.filter(({ room }) => room === 'main')).toEqual(before.filter(({ room }) => room === 'main'))
    expect(again.filter(({ type }) => type === 'b')).toEqual(before.filter(({ type }) => type === 'b'))
    for (const { id } of again) await server.say({ type: 'ack', id, epoch: 'e1', offset: 1 })
    await Promise.all(calls)
    await lost(server)
    server.received.length = 0
    await server.clock.advance(1_000)
    expect(server.received.map(({ type }) => type)).toEqual(['hello', 'join'])
  })

  it('is unconfirmed in another session, but for what may be repeated', async () => {
    const { server, client, room } = await member()
    const asked = [room.send('a'), client.request('b'), client.send('c')]
    const repeated = [room.history(), room.presence.update('here')]
    await server.clock.settle()
    await lost(server)
    const unsent = [room.send('d'), client.request('e')]
    const settled = Promise.allSettled(asked)
    server.remembers = false
    server.received.length = 0
    await server.clock.advance(1_000)
    expect((await settled).map((outcome) => (outcome as { reason?: { code: string } }).reason?.code)).toEqual([
      'unconfirmed',
      'unconfirmed',
      'unconfirmed',
    ])
    expect(server.received.map(({ type }) => type)).toEqual(['hello', 'e', 'join', 'history', 'presence', 'message'])
    for (const promise of [...repeated, ...unsent]) promise.catch(() => {})
  })
})

describe('what was sent to a server that was started anew', () => {
  /** Finds the session again, as another process or the same. */
  async function back(first: string | undefined, second: string | undefined) {
    const server = new ScriptedServer()
    let process = first
    server.answer('hello', ({ resume }, socket) => {
      const resumed = resume !== undefined
      socket.say({ type: 'welcome', session: 's', secret: 'x', user: 'ada', resumed, server: process })
    })
    const client = server.client()
    const room = client.join('main')
    await server.clock.advance(100)
    const outcomes = new Map<string, string>()
    const note = (name: string, call: Promise<unknown>): void => {
      call.catch((error: { code: string }) => outcomes.set(name, error.code))
    }
    note('message', room.send('a'))
    note('history', room.history())
    note('request', client.request('b'))
    note('send', client.send('c'))
    await server.clock.settle()
    await lost(server)
    note('unsent', client.request('d'))
    process = second
    server.received.length = 0
    await server.clock.advance(1_000)
    return { sent: server.received.map(({ type }) => type), outcomes: Object.fromEntries(outcomes) }
  }

  it('is unconfirmed, but for what is about a room: its log knows the messages', async () => {
    expect(await back('one', 'two')).toEqual({
      sent: ['hello', 'd', 'join', 'message', 'history'],
      outcomes: { request: 'unconfirmed', send: 'unconfirmed' },
    })
  })

  it.each([
    ['one', 'one'],
    [undefined, undefined],
    [undefined, 'two'],
    ['one', undefined],
  ])('is asked again when it is the same, or it is not told: %s, %s', async (first, second) => {
    expect(await back(first, second)).toEqual({
      sent: ['hello', 'b', 'c', 'd', 'join', 'message', 'history'],
      outcomes: {},
    })
  })
})

describe('a call', () => {
  it('settles once, whatever is said of it', async () => {
    const { server, client, room } = await member()
    const errors: unknown[] = []
    client.on('error', ({ code }) => errors.push(code))
    const sent = room.send('x')
    await server.clock.settle()
    const [{ id }] = server.of('message') as [Wire]
    const ack = { type: 'ack', id, epoch: 'e1', offset: 1 }
    await server.say(ack, { ...ack, offset: 2 }, { type: 'reply', id })
    expect(await sent).toEqual({ epoch: 'e1', offset: 1 })
    expect(errors).toEqual([])
  })

  it('fails when the client is over, and so does whatever is asked afterwards', async () => {
    const { server, client, room } = await member()
    const calls = [room.send(1), client.request('two'), room.history()]
    const settled = Promise.allSettled(calls)
    client.close()
    for (const outcome of await settled) expect(outcome).toMatchObject({ reason: { code: 'closed' } })
    expect(room.status).toBe('left')
    await expect(room.send(4)).rejects.toMatchObject({ code: 'closed' })
    await expect(client.request('five')).rejects.toMatchObject({ code: 'closed' })
    await expect(client.join('other').send(6)).rejects.toMatchObject({ code: 'closed' })
    await server.clock.settle()
    expect(server.closes).toEqual([1_000])
  })
})

describe('leaving a room', () => {
  it('is told until the server has taken it', async () => {
    const { server, client, room } = await member()
    server.answer('leave', () => {})
    const left = room.leave()
    await lost(server)
    await left
    server.received.length = 0
    await server.clock.advance(1_000)
    expect(server.received.map(({ type }) => type)).toEqual(['hello', 'leave'])
    const errors: unknown[] = []
    client.on('error', ({ code }) => errors.push(code))
    await server.say({ type: 'error', code: 'not-a-member', message: '', room: 'main' })
    await lost(server)
    server.received.length = 0
    await server.clock.advance(1_000)
    expect(server.received.map(({ type }) => type)).toEqual(['hello'])
    expect(errors).toEqual([])
  })

  it('is not told to a session that was in no room, nor once it has been joined again', async () => {
    const { server, client, room } = await member()
    await lost(server)
    void room.leave()
    client.join('main')
    const other = client.join('other')
    void other.leave()
    server.received.length = 0
    await server.clock.advance(1_000)
    expect(server.received.map(({ type, room: name }) => name ?? type)).toEqual(['hello', 'other', 'main'])
    await lost(server)
    void client.join('third').leave()
    server.remembers = false
    server.received.length = 0
    await server.clock.advance(1_000)
    expect(server.received.map(({ type }) => type)).toEqual(['hello', 'join'])
  })

  it('and joining again at once is told in that order', async () => {
    const { server, client, room } = await member()
    room.on('status', (status) => {
      if (status === 'left') client.join('main')
    })
    server.received.length = 0
    await room.leave()
    await server.clock.settle()
    expect(server.received.map(({ type }) => type)).toEqual(['leave', 'join'])
    expect(client.join('main').status).toBe('joined')
  })
})
