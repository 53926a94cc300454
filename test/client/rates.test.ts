import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'
import { joined, message, ScriptedServer, type Wire } from './scripted-server.ts'

/** Refuses joins, so many times, and says when to come again. */
function refusing(server: ScriptedServer, times: number, more: object = { retryAfterMs: 2_000 }): void {
  server.answer('join', (join: Wire, socket) => {
    const { id, room } = join
    if (times-- > 0) socket.say({ type: 'error', code: 'rate-limited', message: 'Slower.', id, room, ...more })
    else socket.say(joined(join))
  })
}

describe('a call that came too fast', () => {
  it('[RATE-1] fails with the time after which it would be taken', async () => {
    const server = new ScriptedServer()
    const client = server.client()
    const room = client.join('main')
    await server.clock.settle()
    const say = (more: object) => (wire: Wire, socket: typeof server.socket) =>
      socket.say({ type: 'error', code: 'rate-limited', message: '', id: wire['id'], ...more })
    server.answer('message', say({ retryAfterMs: 750 }))
    server.answer('ask', say({ retryAfterMs: 'soon' }))
    const sent = expect(room.send('x')).rejects.toMatchObject({ code: 'rate-limited', retryAfterMs: 750 })
    const asked = expect(client.request('ask')).rejects.toMatchObject({ code: 'rate-limited', retryAfterMs: undefined })
    await server.clock.settle()
    await Promise.all([sent, asked])
    const errors: unknown[] = []
    client.on('error', ({ retryAfterMs }) => errors.push(retryAfterMs))
    await server.say({ type: 'error', code: 'rate-limited', message: '', retryAfterMs: 10 })
    expect(errors).toEqual([10])
  })
})

describe('a join that came too fast', () => {
  it('[RATE-1] is made again after the time that the server named', async () => {
    const server = new ScriptedServer()
    refusing(server, 2)
    const room = server.client().join('main')
    await server.clock.settle()
    for (const asked of [1, 2]) {
      await server.clock.advance(1_999)
      expect([server.of('join').length, room.status]).toEqual([asked, 'joining'])
      await server.clock.advance(1)
    }
    expect([server.of('join').length, room.status]).toEqual([3, 'joined'])
  })

  it('[RATE-1] is made again so where something was missing, too', async () => {
    const server = new ScriptedServer()
    const room = server.client().join('main')
    await server.clock.settle()
    refusing(server, 1)
    await server.say(message(5))
    expect([server.of('join').length, room.status]).toEqual([2, 'joined'])
    await server.clock.advance(2_000)
    expect([server.of('join').length, room.status, room.heals]).toEqual([3, 'joined', 1])
    await server.say(message(1))
    expect(room.status).toBe('joined')
  })

  it.each([{}, { retryAfterMs: null }, { retryAfterMs: -1 }])(
    'is made again after 30 s where it named none (%j)',
    async (more) => {
      const server = new ScriptedServer()
      refusing(server, 1, more)
      const room = server.client().join('main')
      await server.clock.advance(29_999)
      expect(server.of('join')).toHaveLength(1)
      await server.clock.advance(1)
      expect(room.status).toBe('joined')
    },
  )

  it('is answered by whichever answer comes', async () => {
    const server = new ScriptedServer()
    server.answer('join', () => {})
    const room = server.client().join('main')
    await server.clock.advance(30_000)
    const [first, second] = server.of('join') as [Wire, Wire]
    const refusal = { type: 'error', code: 'rate-limited', message: '', room: 'main', retryAfterMs: 5_000 }
    await server.say({ ...refusal, id: second['id'] })
    await server.say(joined(first))
    expect(room.status).toBe('joined')
    await server.clock.advance(60_000)
    expect(server.of('join')).toHaveLength(2)
  })

  it('[RATE-3] keeps others waiting, so that many rooms come in at the pace of a slow server, and none is sent away', async () => {
    const stage = new Stage({ messagesPerSecond: 5, messageBurst: 10, refusalBurst: 20 })
    const client = stage.client()
    const rooms = Array.from({ length: 100 }, (_, i) => client.join(`room-${i}`))
    await stage.clock.advance(60_000)
    expect(rooms.filter(({ status }) => status !== 'joined')).toEqual([])
    expect(stage.telemetry.filter(({ type }) => type === 'connection.closed')).toEqual([])
  })

  it('is not made again when the room is left, or the client closed, meanwhile', async () => {
    const server = new ScriptedServer()
    refusing(server, 2)
    const client = server.client()
    const [room, other] = [client.join('main'), client.join('other')]
    await server.clock.settle()
    void room.leave()
    client.close()
    expect([room.status, other.status]).toEqual(['left', 'left'])
    await server.clock.advance(60_000)
    expect(server.of('join')).toHaveLength(2)
  })
})
