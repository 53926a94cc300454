import { describe, expect, it } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import { RuntimeTrunk } from '../../src/runtime/runtime.ts'
import { memoryTransport } from '../../src/transports/memory.ts'
import { Stage } from '../stage.ts'

describe('client', () => {
  it('joins a room, sends, and resolves with the offset', async () => {
    const stage = new Stage()
    const client = stage.client()
    const room = client.join('main', { presence: { name: 'Ada' } })
    const heard: unknown[] = []
    room.on('message', ({ data, offset }) => heard.push([data, offset]))
    const sent = room.send({ at: new Date(0), tags: new Set(['a']) })
    await stage.clock.advance(100)
    expect(client.status).toBe('open')
    expect(await sent).toMatchObject({ offset: 1 })
    expect(heard).toEqual([[{ at: new Date(0), tags: new Set(['a']) }, 1]])
    expect(room.presence.get()).toEqual([{ user: client.user, state: { name: 'Ada' } }])
  })

  it('refuses what is no address, and events that there are not', () => {
    const stage = new Stage()
    const { WebSocket } = stage.transport
    for (const url of ['localhost:8080', '/ws', 'ftp://localhost/ws']) {
      expect(() => createClient(url, { WebSocket }), url).toThrow(TypeError)
    }
    const client = stage.client()
    // @ts-expect-error: a word that nobody says
    client.on('erorr', () => {})
    // @ts-expect-error: likewise
    client.join('main').on('mesage', () => {})
  })

  it('sends and receives bytes as they are, live and replayed', async () => {
    const stage = new Stage()
    const room = stage.client().join('main')
    const heard: unknown[] = []
    room.on('message', ({ data }) => heard.push(data))
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i)
    const sent = room.send(bytes)
    await stage.clock.advance(100)
    expect(await sent).toMatchObject({ offset: 1 })
    expect(heard).toEqual([bytes])
    const page = room.history()
    await stage.clock.settle()
    expect((await page).messages.map(({ data }) => data)).toEqual([bytes])
  })

  it('comes back after its server was restarted, in its rooms', async () => {
    const stage = new Stage()
    let acceptor = stage.runtime
    const network = memoryTransport(
      { accept: (socket, request) => acceptor.accept(socket, request) },
      { clock: stage.clock },
    )
    const client = stage.client({ WebSocket: network.WebSocket })
    const room = client.join('main')
    const states: string[] = []
    client.on('status', (status) => states.push(status))
    await stage.clock.advance(100)
    const closing = stage.runtime.close()
    await stage.clock.settle()
    await closing
    expect(client.status).toBe('waiting')
    expect(client.retryAt).toBeGreaterThanOrEqual(stage.clock.now())
    expect(room.status).toBe('joining')
    const sent = room.send('while away')

    acceptor = new RuntimeTrunk({ environment: stage.environment })
    await stage.clock.advance(1_000)
    expect(states).toEqual(['authenticating', 'open', 'waiting', 'connecting', 'authenticating', 'open'])
    expect(room.status).toBe('joined')
    expect(await sent).toMatchObject({ offset: 1 })
    const closed = acceptor.close()
    await stage.clock.settle()
    await closed
  })
})
