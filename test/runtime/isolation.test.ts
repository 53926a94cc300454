import { describe, expect, it } from 'vitest'
import type { History } from '../../src/runtime/ports/history.ts'
import { memoryHistory } from '../../src/runtime/room/memory-history.ts'
import { Stage } from '../stage.ts'
import { unrulyConnection } from '../unruly-connection.ts'

/** A log that throws when it is to take a certain message, as a broken store would. */
function brittleHistory(newId: () => string, breaksOn: string): History {
  const history = memoryHistory(newId)
  return {
    open: async (room, limits) => {
      const log = await history.open(room, limits)
      const append = log.append.bind(log)
      log.append = (record, request) => {
        if (record.content.includes(breaksOn)) throw new Error('the log is broken')
        return append(record, request)
      }
      return log
    },
  }
}

const brittle = (options = {}): Stage => {
  let id = 0
  return new Stage({ history: brittleHistory(() => `epoch-${++id}`, 'poison'), ...options })
}

describe('a crash', () => {
  it('[ISOLATE] in a room closes nobody, and the room is back with its members, its log and its order', async () => {
    const stage = brittle()
    const ada = await stage.member('main')
    const bob = await stage.member('main')
    const bystander = await stage.member('other')
    ada.send({ type: 'message', room: 'main', data: 'before', id: 1 })
    ada.send({ type: 'message', room: 'main', data: 'poison', id: 2 })
    bob.send({ type: 'message', room: 'main', data: 'after', id: 1 })
    bystander.send({ type: 'message', room: 'other', data: 'untouched' })
    await stage.clock.settle()

    expect(ada.last('error')).toMatchObject({ code: 'internal', id: 2 })
    for (const member of [ada, bob]) {
      expect(member.closed).toEqual([])
      expect(member.of('message').map(({ data, offset }) => [data, offset])).toEqual([
        ['before', 1],
        ['after', 2],
      ])
    }
    expect(bob.last('ack')).toMatchObject({ id: 1, offset: 2 })
    expect(bystander.last('message')).toMatchObject({ data: 'untouched' })
    expect(stage.telemetry.filter(({ type }) => type === 'actor.crashed')).toMatchObject([
      { address: 'room:main', restarted: true },
    ])
  })

  it('[ISOLATE] [PRESENCE] in a session ends its connection, and leaves nobody behind in its rooms', async () => {
    const stage = new Stage()
    const ada = await stage.member('main')
    const bob = await stage.member('main')
    const { session, user } = ada.last('welcome') as unknown as { session: string; user: string }
    const broken = { type: 'session.detach' }
    Object.defineProperty(broken, 'at', {
      get: () => {
        throw new Error('the session broke')
      },
    })
    stage.runtime.actorAt(`session:${session}`)?.send(broken)
    await stage.clock.settle()
    expect(ada.closed).toEqual([{ code: 1011, reason: 'crashed' }])
    expect(bob.closed).toEqual([])
    expect(bob.last('presence')).toMatchObject({ room: 'main', left: [user] })
    expect(stage.runtime.census).toEqual({ connections: 1, sessions: 1, rooms: 1 })
  })

  it('[TYPING] in a room ends its indicators', async () => {
    const stage = brittle()
    const ada = await stage.member('main')
    const bob = await stage.member('main')
    ada.send({ type: 'typing', room: 'main', typing: true })
    await stage.clock.settle()
    bob.send({ type: 'message', room: 'main', data: 'poison' })
    await stage.clock.settle()
    expect(bob.of('typing').map(({ typing }) => typing)).toEqual([true, false])
  })

  it('[ISOLATE] that a room repeats ends that room, with an error to its members, and nothing else', async () => {
    const stage = brittle()
    const ada = await stage.member('main')
    const bystander = await stage.member('other')
    for (let i = 0; i < 4; i++) ada.send({ type: 'message', room: 'main', data: 'poison' })
    await stage.clock.settle()
    expect(ada.last('error')).toMatchObject({ code: 'room-unavailable', room: 'main' })
    expect(ada.closed).toEqual([])
    ada.send({ type: 'message', room: 'main', data: 'anybody?', id: 9 })
    bystander.send({ type: 'message', room: 'other', data: 'still here' })
    await stage.clock.settle()
    expect(ada.last('error')).toMatchObject({ code: 'not-a-member', id: 9 })
    expect(bystander.last('message')).toMatchObject({ data: 'still here' })
    ada.send({ type: 'join', room: 'main' })
    await stage.clock.settle()
    expect(ada.of('joined')).toHaveLength(2)
  })

  it('[ISOLATE] in a room that its last member is leaving leaves no room behind', async () => {
    const history = memoryHistory(() => 'epoch')
    const stage = new Stage({
      history: {
        open: async (room, limits) => {
          const log = await history.open(room, limits)
          log.forget = () => {
            throw new Error('the log is broken')
          }
          return log
        },
      },
    })
    const ada = await stage.member('main')
    ada.send({ type: 'leave', room: 'main', id: 1 })
    await stage.clock.settle()
    expect(ada.last('error')).toMatchObject({ code: 'internal', id: 1 })
    expect(stage.runtime.census).toMatchObject({ connections: 1, rooms: 0 })
  })

  it('[ISOLATE] in a connection closes that one with 1011, and its session can be resumed', async () => {
    const stage = new Stage({ connection: unrulyConnection })
    const ada = await stage.member('table')
    const bob = await stage.member('table')
    ada.send({ type: 'throw' })
    bob.send({ type: 'message', room: 'table', data: 'go on' })
    await stage.clock.settle()
    expect(ada.closed).toEqual([{ code: 1011, reason: 'crashed' }])
    expect(bob.closed).toEqual([])
    expect(bob.last('message')).toMatchObject({ data: 'go on' })
    expect(stage.telemetry).toContainEqual(
      expect.objectContaining({ type: 'actor.crashed', address: 'connection:1', restarted: false }),
    )
    expect(stage.runtime.census).toMatchObject({ connections: 1, sessions: 2 })
  })

  it('in too many rooms at once fails the runtime, which closes everything', async () => {
    const stage = brittle({ restartIntensity: 2 })
    const client = await stage.connect()
    for (const room of ['a', 'b', 'c']) {
      client.send({ type: 'join', room })
      client.send({ type: 'message', room, data: 'poison' })
    }
    await stage.clock.settle()
    expect(stage.telemetry).toContainEqual({ type: 'runtime.failed' })
    expect(client.closed).toEqual([{ code: 1012, reason: 'server-closing' }])
    await stage.clock.advance(6_000)
    expect(stage.runtime.census.connections).toBe(0)
  })
})
