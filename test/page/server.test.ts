import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { ChatServer } from './chat-server.ts'

describe('chat server', () => {
  let server: ChatServer

  beforeAll(async () => {
    server = await ChatServer.start()
  })

  afterAll(async () => {
    await server.stop('SIGKILL')
  })

  function open(protocols: string[] = []): WebSocket {
    const socket = new WebSocket(`ws://localhost:${server.port}/ws`, protocols)
    onTestFinished(() => socket.terminate())
    return socket
  }

  it('serves the page with headers that let it talk to its own server and to nobody else', async () => {
    const page = await fetch(server.url)
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('<title>Greenroom</title>')
    const policy = page.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain(`connect-src 'self' ws://localhost:${server.port} wss://localhost:${server.port};`)
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
    expect((await fetch(`${server.url}/page.js`)).headers.get('content-type')).toContain('text/javascript')
    expect((await fetch(`${server.url}/style.css`)).headers.get('content-type')).toContain('text/css')
  })

  it('says that it is well, and has nothing else to say', async () => {
    const health = await fetch(`${server.url}/healthz`)
    expect([health.status, await health.text()]).toEqual([200, 'ok'])
    expect((await fetch(`${server.url}/constructor`)).status).toBe(404)
    expect((await fetch(`${server.url}/ws`)).status).toBe(404)
    expect((await fetch(server.url, { method: 'POST' })).status).toBe(405)
    const head = await fetch(server.url, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  it('lets a guest take part who has a WebSocket and nothing else', async () => {
    const heard: Record<string, unknown>[] = []
    const socket = open()
    socket.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()) as Record<string, unknown>))
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'join', room: 'lobby' }))
    socket.send(JSON.stringify({ type: 'message', room: 'lobby', data: 'hello by hand' }))
    await expect.poll(() => heard.map(({ type }) => type)).toEqual(['welcome', 'joined', 'message'])
    expect(heard[2]).toMatchObject({
      data: 'hello by hand',
      from: { user: expect.stringMatching(/^guest-[0-9a-f]{6}$/) },
    })
  })

  it.each([
    '',
    'null',
    '"ada"',
    '{"id":"","name":"Ada"}',
    '{"id":"a b","name":"Ada"}',
    '{"id":"ada"}',
    '{"id":7,"name":"Ada"}',
    JSON.stringify({ id: 'a'.repeat(41), name: 'Ada' }),
  ])('refuses %j as an identity', async (token) => {
    const socket = open(['greenroom.v1'])
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'hello', token }))
    const [code] = (await once(socket, 'close')) as [number]
    expect(code).toBe(4001)
  })

  it('does not take a port that is taken, and says so', async () => {
    const second = new ChatServer(server.port)
    await expect(second.start()).rejects.toThrow('EADDRINUSE')
  })

  it('[GOODBYE-1] hands its clients over when it is asked politely', async () => {
    const own = await ChatServer.start()
    const socket = new WebSocket(`${own.url.replace('http', 'ws')}/ws`)
    onTestFinished(() => socket.terminate())
    const heard: { type: string; reconnectAfter?: number }[] = []
    socket.on('message', (text: Buffer) => void heard.push(JSON.parse(text.toString()) as (typeof heard)[0]))
    await once(socket, 'message')
    const closed = once(socket, 'close') as Promise<[number]>
    expect(await own.stop('SIGTERM')).toBe(0)
    expect((await closed)[0]).toBe(1012)
    expect(heard.at(-1)).toEqual({ type: 'goodbye', reason: 'draining', reconnectAfter: expect.any(Number) as number })
  })

  it('goes when it is asked to, and tells its clients to come back', async () => {
    const own = await ChatServer.start()
    const socket = new WebSocket(`${own.url.replace('http', 'ws')}/ws`)
    onTestFinished(() => socket.terminate())
    await once(socket, 'message')
    const closed = once(socket, 'close') as Promise<[number]>
    expect(await own.stop('SIGINT')).toBe(0)
    expect((await closed)[0]).toBe(1012)
  })

  it('goes at once when it is asked twice', async () => {
    const own = await ChatServer.start()
    // A client that answers nothing, not even a close frame: the server would wait for it.
    const socket = connect(own.port, 'localhost')
    onTestFinished(() => void socket.destroy())
    socket.write('GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n')
    socket.write('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
    let heard = ''
    socket.setEncoding('latin1').on('data', (text: string) => (heard += text))
    await expect.poll(() => heard).toContain('welcome')
    own.signal('SIGTERM')
    // The first signal has been heard.
    await expect.poll(() => heard).toContain('goodbye')
    expect(await own.stop('SIGTERM')).toBe(1)
  })
})
