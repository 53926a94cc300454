import { describe, expect, it } from 'vitest'
import { member } from './scripted-member.ts'
import { joined, message, ScriptedServer, type Wire } from './scripted-server.ts'

/** What no client should ever be told as a duration. */
const odd = ['x', {}, null, true, -1, 0, '1e9']

/** A server whose welcome says more than is its due. */
function welcoming(more: object): ScriptedServer {
  const server = new ScriptedServer()
  server.answer('hello', (_hello, socket) => {
    socket.say({ type: 'welcome', session: 's', secret: 'x', user: 'ada', resumed: false, ...more })
  })
  return server
}

describe('a goodbye', () => {
  it.each(odd)('that names no time, but %j, is followed by the client’s own patience', async (reconnectAfter) => {
    const server = new ScriptedServer()
    const client = server.client({ environment: { ...server.environment, random: () => 0.5 } })
    await server.clock.advance(10_000)
    await server.say({ type: 'goodbye', reconnectAfter })
    expect(client.retryAt).toBe(server.clock.now() + 250)
  })

  it('keeps nobody away for longer than five minutes, nor for ever', async () => {
    for (const [named, waitMs] of [
      ['1e15', 300_000],
      ['300001', 300_000],
      ['1e999', 0],
    ] as const) {
      const server = new ScriptedServer()
      const client = server.client({ environment: { ...server.environment, random: () => 0 } })
      await server.clock.advance(100)
      server.socket.say(`{"type":"goodbye","reconnectAfter":${named}}`)
      await server.clock.settle()
      if (waitMs > 0) expect(client.retryAt).toBe(server.clock.now() + waitMs)
      await server.clock.advance(waitMs + 1)
      expect(client.status).toBe('open')
    }
  })

  it('said right after every welcome is answered by ever fewer attempts', async () => {
    const server = new ScriptedServer()
    server.answer('join', (_join, socket) => socket.say({ type: 'goodbye', reason: 'draining', reconnectAfter: 1 }))
    server.client({ environment: { ...server.environment, random: () => 1 } }).join('main')
    await server.clock.advance(60_000)
    expect(server.sockets.length).toBeLessThan(10)
  })
})

describe('the end of a room', () => {
  const end = { type: 'error', code: 'room-unavailable', message: 'It failed too often.', room: 'main' }

  it('that crosses a request to be let in is not the answer to it', async () => {
    const server = new ScriptedServer()
    const room = server.client().join('main')
    await server.clock.advance(100)
    let asked: Wire | undefined
    server.answer('join', (join) => (asked = join))
    server.socket.end()
    await server.clock.advance(1_000)
    await server.say(end)
    expect(room.status).toBe('joining')
    await server.say(joined(asked as Wire))
    expect(room.status).toBe('joined')
    await server.say(end)
    expect(room.status).toBe('left')
  })
})

describe('a heartbeat', () => {
  it.each([...odd, 0.001])('of %j is none: pings stay rare', async (value) => {
    const server = welcoming({ heartbeat: { intervalMs: value, timeoutMs: value } })
    const client = server.client()
    await server.clock.advance(60_000)
    expect(client.status).toBe('open')
    expect(server.of('ping').length).toBeLessThanOrEqual(60)
    expect(server.sockets).toHaveLength(1)
  })
})

describe('a server that contradicts itself', () => {
  it('is asked at once, and then ever more rarely', async () => {
    const { server, client, room } = await member()
    server.answer('join', (join, socket) => {
      socket.say(joined(join))
      socket.say(message(1, { epoch: 'e2' }))
    })
    server.received.length = 0
    await server.say(message(1, { epoch: 'e2' }))
    expect(server.of('join')).toHaveLength(1)
    await server.clock.advance(1_200)
    expect(server.of('join').length).toBeLessThanOrEqual(5)
    expect(room.status).toBe('joined')
    await server.clock.advance(100_000)
    expect(server.of('join').length).toBeLessThan(16)
    expect(client.status).toBe('open')
  })
})

describe('an answer to something else', () => {
  const wrong = [
    { type: 'ack' },
    { type: 'ack', offset: 1 },
    { type: 'ack', epoch: 'e1', offset: '1' },
    { type: 'reply' },
  ]

  it.each([...wrong, { type: 'ack', epoch: 1, offset: 1 }])('is no receipt: %j', async (answer) => {
    const { server, room } = await member()
    const refused = expect(room.send('x')).rejects.toMatchObject({ name: 'ClientError', code: 'bad-message' })
    await server.clock.settle()
    await server.say({ ...answer, id: server.of('message')[0]?.['id'] })
    await refused
  })

  it.each([...wrong, { type: 'history', messages: {} }])('is no page of history: %j', async (answer) => {
    const { server, room } = await member()
    const refused = expect(room.history()).rejects.toMatchObject({ name: 'ClientError', code: 'bad-message' })
    await server.clock.settle()
    await server.say({ ...answer, id: server.of('history')[0]?.['id'] })
    await refused
  })

  it('is an error of any shape, and settles the request', async () => {
    const { server, client } = await member()
    const refused = expect(client.request('x')).rejects.toMatchObject({ name: 'ClientError', code: 'odd' })
    await server.clock.settle()
    const odd = { toString: 1, valueOf: 1 }
    await server.say({ type: 'error', id: server.of('x')[0]?.['id'], code: 'odd', message: odd })
    await refused
  })

  it('does not break a page of history by one message that is none', async () => {
    const { server, room, heard } = await member()
    server.answer('history', ({ id }, socket) => {
      socket.say({ type: 'history', id, messages: [null, message(1, { bytes: '?' }), message(2)], complete: true })
    })
    const page = room.history()
    await server.clock.settle()
    expect((await page).messages).toMatchObject([{ offset: 2 }])
    expect(heard).toEqual([{ error: 'bad-message' }, { error: 'bad-message' }])
  })
})

describe('an error about a room', () => {
  const about = { type: 'error', message: '', room: 'main' }

  it('[ERROR-2] without an id ends it only when it is the last word', async () => {
    const { server, client, room } = await member()
    const errors: string[] = []
    client.on('error', ({ code }) => errors.push(code))
    const codes = ['storage-failed', 'internal', 'timeout', 'not-a-member', 'bad-data', 'odd']
    await server.say(...codes.map((code) => ({ ...about, code })))
    expect([room.status, errors]).toEqual(['joined', codes])
    await server.say({ ...about, code: 'room-unavailable' })
    expect(room.status).toBe('left')
  })

  it('[ERROR-2] that answers a request which nobody waits for any more does not end it', async () => {
    const { server, room } = await member()
    const late = expect(room.send('x', { timeoutMs: 10 })).rejects.toMatchObject({ code: 'timeout' })
    await server.clock.advance(10)
    await late
    await server.say({ ...about, id: server.of('message')[0]?.['id'], code: 'room-unavailable' })
    expect(room.status).toBe('joined')
  })

  it('[ERROR-2] which says that its log cannot be read leaves its member in, who asks again', async () => {
    const { server, room } = await member()
    server.answer('join', ({ id }, socket) => socket.say({ ...about, id, code: 'storage-failed' }))
    server.socket.end()
    await server.clock.advance(2_000)
    expect(room.status).toBe('joining')
    server.answer('join', (join: Wire, socket) => socket.say(joined(join)))
    await server.clock.advance(30_000)
    expect(room.status).toBe('joined')
  })
})
