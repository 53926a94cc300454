import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createRuntime, type Runtime, type RuntimeOptions } from 'greenroom'
import { wsTransport } from 'greenroom/ws'
import { createClient, type Client, type ClientOptions } from 'greenroom/client'

function run(options: RuntimeOptions = {}): Runtime {
  const runtime = createRuntime(options)
  onTestFinished(() => runtime.close())
  return runtime
}

function connect(port: number, options: ClientOptions = {}): Client {
  const client = createClient(`ws://127.0.0.1:${port}/ws`, { WebSocket, ...options })
  onTestFinished(() => client.close())
  return client
}

describe('a runtime on a port', () => {
  it('serves clients in Node: rooms, presence, rich data', async () => {
    const runtime = run({ authenticate: ({ token = '' }) => ({ id: token }) })
    const port = await runtime.listen(0, { host: '127.0.0.1' })
    const [ada, bob] = [connect(port, { token: 'ada' }), connect(port, { token: async () => 'bob' })]
    const heard = new Promise((resolve) => void bob.join('main').on('message', resolve))
    const both = new Promise<void>((resolve) => {
      ada.join('main', { presence: { name: 'Ada' } }).presence.subscribe((people) => {
        if (people.length === 2) resolve()
      })
    })
    await both
    const receipt = await ada.join('main').send({ at: new Date(0), seen: new Map([['bob', 1n]]) })
    expect(receipt.offset).toBe(1)
    expect(await heard).toMatchObject({
      data: { at: new Date(0), seen: new Map([['bob', 1n]]) },
      from: { user: 'ada' },
      replayed: false,
    })
    expect(bob.user).toBe('bob')
  })

  it('carries bytes', async () => {
    const port = await run().listen(0, { host: '127.0.0.1' })
    const room = connect(port).join('files')
    const heard = new Promise<{ data: unknown }>((resolve) => void room.on('message', resolve))
    await room.send(new Uint8Array([0, 255, 128]))
    expect((await heard).data).toEqual(new Uint8Array([0, 255, 128]))
  })

  it('turns away whom it does not know with 4001, and the client stays away', async () => {
    const port = await run({
      authenticate: () => {
        throw new Error('nobody')
      },
    }).listen(0, { host: '127.0.0.1' })
    const client = connect(port, { token: 'x' })
    const room = client.join('main')
    await expect(room.send('let me in')).rejects.toMatchObject({ code: 'closed' })
    expect(client.status).toBe('closed')
    expect(client.actor.getSnapshot().context.lastClose).toEqual({ code: 4001, reason: 'not-authenticated' })
  })

  it('[BOUND] holds few TCP connections that ask for nothing: the longest silent one makes place for another', async () => {
    const runtime = run({ unauthenticatedConnections: 2 })
    const port = await runtime.listen(0, { host: '127.0.0.1' })
    const talking = connect(port).join('main')
    await talking.send('before')
    const ends: number[] = []
    const mute: Socket[] = []
    for (let i = 0; i < 5; i++) {
      const socket = connectTcp({ port, host: '127.0.0.1' })
      socket.on('error', () => {})
      socket.on('close', () => ends.push(i))
      mute.push(socket)
      await once(socket, 'connect')
      if (i >= 2) await once(mute[i - 2] as Socket, 'close')
    }
    expect(ends).toEqual([0, 1, 2])
    expect(runtime.refusals.connections).toEqual({ unauthenticated: 3 })
    // Whoever asks for something is nobody's victim, then or later.
    await connect(port).join('main').send('hi')
    await talking.send('after')
    for (const socket of mute) socket.destroy()
  })

  it('[CLOSED] ends no silent connection of a server that it has been detached from', async () => {
    const server = createServer()
    const transport = wsTransport(createRuntime(), server, { silentConnections: 0 })
    expect(server.listenerCount('connection')).toBe(2)
    transport.detach()
    expect([server.listenerCount('connection'), server.listenerCount('upgrade')]).toEqual([1, 0])
  })

  it('says that a port is taken', async () => {
    const port = await run().listen(0, { host: '127.0.0.1' })
    await expect(run().listen(port, { host: '127.0.0.1' })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it('comes back on the same port, and its clients with it', async () => {
    const first = createRuntime()
    const port = await first.listen(0, { host: '127.0.0.1' })
    const client = connect(port, { backoffMs: 20 })
    const room = client.join('main')
    await room.send('one')
    await first.close()
    const rejoined = new Promise<{ recovered: boolean }>((resolve) => void room.on('joined', resolve))
    const sent = room.send('two, while nobody was there')
    await run().listen(port, { host: '127.0.0.1' })
    expect(await rejoined).toMatchObject({ recovered: false })
    expect((await sent).offset).toBe(1)
  })
})

describe('a runtime on somebody’s server', () => {
  it('shares it, and leaves it open when it closes', async () => {
    const server = createServer((_request, response) => void response.end('page'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())))
    const { port } = server.address() as AddressInfo
    const runtime = run()
    runtime.attach(server, { path: '/live' })
    const client = createClient(`ws://127.0.0.1:${port}/live`, { WebSocket })
    await client.join('main').send('hi')
    client.close()
    await runtime.close()
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('page')
  })

  it('shares it with another, each at a path of its own, and outlives it', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())))
    const { port } = server.address() as AddressInfo
    const [one, other] = [run(), run()]
    one.attach(server, { path: '/one' })
    other.attach(server, { path: '/other' })
    expect(() => other.attach(server, { path: '/one' })).toThrow(/at '\/one'/)
    const clients = ['one', 'other'].map((path) => createClient(`ws://127.0.0.1:${port}/${path}`, { WebSocket }))
    await Promise.all(clients.map((client) => client.join('main').send('hi')))
    expect([one.census.connections, other.census.connections]).toEqual([1, 1])
    clients[0]?.close()
    await one.close()
    await clients[1]?.join('main').send('still here')
    other.attach(server, { path: '/one' })
    clients[1]?.close()
  })
})

describe('close()', () => {
  it('[CLOSED] leaves nothing: the process ends by itself', async () => {
    const path = fileURLToPath(new URL('closing-process.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', path], { timeout: 20_000 })
    const { resources, ...census } = JSON.parse(stdout) as { resources: string[] }
    expect(census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
    expect(resources.filter((name) => /TCP|Timeout|Immediate/.test(name))).toEqual([])
  })
})
