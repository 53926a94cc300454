import { describe, expect, it } from 'vitest'
import { connectionSetup } from 'greenroom'
import type { MemoryWebSocket } from '../../src/transports/memory.ts'
import { Stage } from '../stage.ts'

/** A stage whose client's sockets can be got at. */
function exposed(options = {}): { stage: Stage; sockets: MemoryWebSocket[]; Observed: typeof MemoryWebSocket } {
  const stage = new Stage(options)
  const sockets: MemoryWebSocket[] = []
  class Observed extends stage.transport.WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols)
      sockets.push(this)
    }
  }
  return { stage, sockets, Observed: Observed as never }
}

describe('a client', () => {
  it('[GAPLESS] misses nothing when messages arrive between its welcome and its joined', async () => {
    const { stage, sockets, Observed } = exposed()
    const client = stage.client({ WebSocket: Observed as never })
    const room = client.join('main')
    const offsets: unknown[] = []
    const recoveries: boolean[] = []
    room.on('message', ({ offset }) => offsets.push(offset))
    room.on('joined', ({ recovered }) => recoveries.push(recovered))
    await stage.clock.advance(100)
    const bob = await stage.member('main')
    for (let round = 0; round < 5; round++) {
      sockets.at(-1)?.cut()
      await stage.clock.settle()
      // One message in every turn of the event loop while the client comes back.
      client.actor.send({ type: 'client.wake' })
      for (let turn = 0; turn < 12; turn++) {
        stage.clock.setImmediate(() => bob.send({ type: 'message', room: 'main', data: turn }))
        await stage.clock.settle()
      }
    }
    await stage.clock.advance(1_000)
    expect(recoveries).toEqual([false, true, true, true, true, true])
    expect(offsets).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
    expect(client.heals).toBe(0)
  })

  it('[ONCE] keeps its session when it gives a socket up itself', async () => {
    const stage = new Stage()
    const client = stage.client()
    const room = client.join('main')
    await stage.clock.advance(100)
    const bob = await stage.member('main')
    const { session } = client
    const sent = room.send('pay 100')
    client.actor.send({ type: 'network.offline' })
    await stage.clock.advance(1_000)
    client.actor.send({ type: 'network.online' })
    await stage.clock.advance(1_000)
    expect(await sent).toMatchObject({ offset: 1 })
    expect(client.session).toBe(session)
    expect(bob.of('message').map(({ data }) => data)).toEqual(['pay 100'])
    expect(bob.of('presence')).toEqual([])
  })

  it('says so when it cannot know whether a message was taken', async () => {
    const { stage, sockets, Observed } = exposed({ resumeWindowMs: 1_000, presenceGraceMs: 500 })
    const client = stage.client({ WebSocket: Observed as never })
    const room = client.join('main')
    await stage.clock.advance(100)
    sockets[0]?.cut({ halfOpen: true })
    const sent = room.send('was it?', { timeoutMs: 120_000 })
    const outcome = expect(sent).rejects.toMatchObject({ code: 'unconfirmed' })
    client.actor.send({ type: 'network.offline' })
    await stage.clock.advance(60_000)
    client.actor.send({ type: 'network.online' })
    await stage.clock.advance(1_000)
    await outcome
  })

  it('leaves a room that it left while away', async () => {
    const { stage, sockets, Observed } = exposed()
    const client = stage.client({ WebSocket: Observed as never })
    const room = client.join('main')
    await stage.clock.advance(100)
    const bob = await stage.member('main')
    sockets[0]?.cut()
    await stage.clock.settle()
    await room.leave()
    await stage.clock.advance(2_000)
    expect(client.status).toBe('open')
    expect(bob.last('presence')).toMatchObject({ left: [client.user] })
  })

  it('loses a message that is too large, not its connection', async () => {
    const stage = new Stage()
    const client = stage.client()
    const room = client.join('main')
    const early = expect(room.send('x'.repeat(70_000))).rejects.toMatchObject({ code: 'too-large' })
    await stage.clock.advance(100)
    await early
    await expect(room.send('x'.repeat(70_000))).rejects.toMatchObject({ code: 'too-large' })
    const sent = room.send('small')
    await stage.clock.advance(100)
    expect(await sent).toMatchObject({ offset: 1 })
    expect(client.status).toBe('open')
  })

  it('survives whatever a server sends', async () => {
    const { stage, sockets, Observed } = exposed()
    const client = stage.client({ WebSocket: Observed as never })
    client.join('main')
    const errors: unknown[] = []
    client.on('error', (error) => errors.push(error.code))
    await stage.clock.advance(100)
    const { session } = client
    for (const text of [
      'null',
      '7',
      '{}',
      '{"type":5}',
      '{"type":"joined","room":"main"}',
      'x',
      '{"type":"welcome"}',
    ]) {
      sockets[0]?.onmessage?.({ data: text })
    }
    for (const type of ['reply', 'ack', 'left', 'history', 'error', 'authenticated', 'typing', 'skipped', 'message']) {
      sockets[0]?.onmessage?.({ data: JSON.stringify({ type }) })
    }
    sockets[0]?.onmessage?.({ data: '{"type":"presence","room":"main","joined":5}' })
    sockets[0]?.onmessage?.({ data: new ArrayBuffer(2) })
    expect(errors).toEqual([undefined, 'bad-message'])
    expect(client.session).toBe(session)
    expect(client.status).toBe('open')
  })

  it('comes back to more rooms than their answers fit at once', async () => {
    const { stage, sockets, Observed } = exposed({ outboxBytes: 20_000 })
    const client = stage.client({ WebSocket: Observed as never })
    const rooms = Array.from({ length: 30 }, (_, i) =>
      client.join(`room-${i}`, { presence: { bio: 'x'.repeat(1_500) } }),
    )
    await stage.clock.advance(1_000)
    sockets[0]?.cut()
    const sent = rooms.map((room) => room.send('hello'))
    await stage.clock.advance(3_000)
    expect(rooms.map(({ status }) => status)).toEqual(rooms.map(() => 'joined'))
    expect((await Promise.all(sent)).map(({ offset }) => offset)).toEqual(rooms.map(() => 1))
  })

  it('says why the server sent it away', async () => {
    const stage = new Stage({
      authenticate: () => {
        throw new Error('who?')
      },
    })
    const client = stage.client({ token: 'x' })
    const errors: string[] = []
    client.on('error', ({ message }) => errors.push(message))
    const sent = expect(client.join('main').send(1)).rejects.toThrow('4001 not-authenticated')
    await stage.clock.advance(1_000)
    await sent
    expect(errors).toEqual(['The client is closed. The server closed it: 4001 not-authenticated'])
    expect(client.lastClose).toEqual({ code: 4001, reason: 'not-authenticated' })
    expect(stage.telemetry).toContainEqual(expect.objectContaining({ type: 'authentication.refused' }))
  })
})

describe('a member', () => {
  it('[PRESENCE] leaves no ghost by joining, leaving and joining in one turn', async () => {
    const stage = new Stage()
    const ada = await stage.connect()
    ada.send({ type: 'join', room: 'main', id: 1 })
    ada.send({ type: 'leave', room: 'main', id: 2 })
    ada.send({ type: 'join', room: 'main', id: 3 })
    ada.send({ type: 'message', room: 'main', data: 'here', id: 4 })
    await stage.clock.settle()
    expect(ada.received.map(({ id }) => id).filter(Boolean)).toEqual([1, 2, 3, 4])
    expect(ada.of('error')).toEqual([])
    ada.socket.close(1000)
    await stage.clock.advance(400_000)
    expect(stage.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
  })

  it('joins and speaks in one step of its chart', async () => {
    const machine = connectionSetup<object, { type: 'client.greet' }>().createMachine({
      context: ({ input }) => ({ link: input.link, identity: { user: { id: 'ada' } }, reason: undefined }),
      initial: 'open',
      states: {
        open: {
          tags: 'open',
          entry: 'admit',
          on: {
            'socket.message': { actions: 'handleMessage' },
            'socket.closed': { target: 'closed' },
            'connection.close': { target: 'closing' },
            'client.greet': {
              actions: [
                { type: 'joinRoom', params: { room: 'hall' } },
                { type: 'publish', params: { room: 'hall', data: { at: new Date(0) } } },
              ],
            },
          },
        },
        closing: { entry: 'sendClose', on: { 'socket.closed': { target: 'closed' } } },
        closed: { type: 'final', entry: 'release' },
      },
    })
    const stage = new Stage({ connection: machine })
    const ada = await stage.connect()
    ada.send({ type: 'greet' })
    await stage.clock.settle()
    expect(ada.last('message')).toMatchObject({ offset: 1, meta: { values: { at: ['Date'] } } })
  })
})
