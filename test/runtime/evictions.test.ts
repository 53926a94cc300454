import fc from 'fast-check'
import type { AnyActorRef } from 'xstate'
import { describe, expect, it } from 'vitest'
import { memoryHistory } from '../../src/runtime/room/memory-history.ts'
import type { History, RoomLog } from '../../src/runtime/ports/history.ts'
import { DetachedSessions } from '../../src/runtime/session/detached-sessions.ts'
import { Session } from '../../src/runtime/session/session.ts'
import { ask, byName, claimOf, greet } from '../protocol/cast.ts'
import { LaggingHistory } from '../lagging-store.ts'
import { Stage, type RawClient } from '../stage.ts'

describe('sessions that wait for their clients', () => {
  it('[BOUND] are never more than the limits allow, and the longest waiting go first', () => {
    const step = fc.record({ which: fc.nat(11), act: fc.constantFrom('detach', 'detach', 'attach') })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const sessions = Array.from({ length: 12 }, (_, i) => new Session(`s${i}`, '', { user: { id: `u${i % 4}` } }))
        const detached = new DetachedSessions({ total: 6, perUser: 2 })
        let waiting: Session[] = []
        for (const { which, act } of steps) {
          const session = sessions[which] as Session
          waiting = waiting.filter((other) => other !== session)
          if (act === 'attach') {
            detached.delete(session)
            continue
          }
          waiting.push(session)
          const own = waiting.filter(({ user }) => user.id === session.user.id)
          const [expected, reason] =
            own.length > 2 ? [own[0], 'user'] : waiting.length > 6 ? [waiting[0], 'total'] : [undefined, undefined]
          const evicted = detached.add(session)
          expect([evicted?.session.id, evicted?.reason]).toEqual([expected?.id, reason])
          waiting = waiting.filter((other) => other !== expected)
        }
      }),
    )
  })

  it('[BOUND] end before their time when there are too many, and their rooms see them go', async () => {
    const stage = new Stage({ ...byName, detachedSessions: 2 })
    const eve = await stage.member('main', { token: 'eve' })
    for (const token of ['ada', 'bob', 'cyd']) {
      const client = await stage.member('main', { token })
      client.socket.cut()
      await stage.clock.settle()
    }
    expect(stage.runtime.census.sessions).toBe(1 + 2)
    expect(eve.of('presence').flatMap(({ left = [] }) => left)).toEqual(['ada'])
    expect(stage.runtime.refusals.sessions).toEqual({ total: 1 })
  })

  it('[BOUND] of one user do not push out anybody else’s', async () => {
    const stage = new Stage({ ...byName, detachedSessions: 5, detachedSessionsPerUser: 2 })
    const ada = await greet(stage, { token: 'ada' })
    const claim = claimOf(ada)
    ada.socket.cut()
    for (let i = 0; i < 20; i++) {
      const eve = await greet(stage, { token: 'eve' })
      eve.socket.cut()
      await stage.clock.settle()
    }
    expect(stage.runtime.census.sessions).toBe(1 + 2)
    const again = await greet(stage, { token: 'ada', resume: claim })
    expect(again.last('welcome')).toMatchObject({ resumed: true })
    expect(stage.runtime.refusals.sessions).toEqual({ user: 18 })
  })
})

describe('rooms', () => {
  it('[BOUND] that nobody is in give way to others, the longest empty first', async () => {
    const stage = new Stage({ roomsTotal: 3 })
    const ada = await stage.connect()
    for (const room of ['a', 'b', 'c']) await visit(stage, ada, room)
    expect(stage.runtime.census.rooms).toBe(3)
    await ask(stage, ada, { type: 'join', room: 'a' }, { type: 'join', room: 'd' })
    expect(stage.runtime.census.rooms).toBe(3)
    const offsets = new Map(ada.of('joined').map(({ room, offset }) => [room, offset]))
    expect([offsets.get('a'), offsets.get('d')]).toEqual([1, 0])
    await ask(stage, ada, { type: 'join', room: 'c' })
    expect(ada.last('joined')).toMatchObject({ room: 'c', offset: 1 })
  })

  it('[BOUND] that somebody is in stay: one more is refused, for that join only', async () => {
    const stage = new Stage({ roomsTotal: 2 })
    const ada = await stage.member('a')
    await ask(stage, ada, { type: 'join', room: 'b' })
    const [error] = await ask(stage, ada, { type: 'join', room: 'c', id: 1 })
    expect(error).toMatchObject({ type: 'error', code: 'room-unavailable', id: 1, room: 'c' })
    expect(await ask(stage, ada, { type: 'message', room: 'c', data: 1 })).toMatchObject([{ code: 'not-a-member' }])
    const bob = await stage.member('b')
    expect(bob.last('joined')).toMatchObject({ room: 'b' })
    await ask(stage, ada, { type: 'leave', room: 'a' }, { type: 'join', room: 'c' })
    expect(ada.last('joined')).toMatchObject({ room: 'c' })
  })

  it('[BOUND] whose log has not answered yet stay, until it has', async () => {
    const disk = new LaggingHistory()
    const stage = new Stage({ roomsTotal: 1, history: disk })
    const ada = await stage.connect()
    await ask(stage, ada, { type: 'join', room: 'a' }, { type: 'message', room: 'a', data: 1 })
    await ask(stage, ada, { type: 'leave', room: 'a' })
    expect(await ask(stage, ada, { type: 'join', room: 'b', id: 1 })).toMatchObject([
      { code: 'room-unavailable', id: 1 },
    ])
    expect(stage.runtime.census.rooms).toBe(1)
    disk.settle()
    await ask(stage, ada, { type: 'join', room: 'b' })
    expect(ada.last('joined')).toMatchObject({ room: 'b' })
    expect(stage.runtime.census.rooms).toBe(1)
  })

  it('[BOUND] that do not go when they are to are passed over, and with none that goes the join is refused', async () => {
    const memory = memoryHistory(() => 'epoch')
    const stuck = new Set(['a', 'b'])
    const history: History = {
      open: (room, limits) => {
        const log = memory.open(room, limits) as RoomLog
        const close = log.close.bind(log)
        log.close = () => {
          if (stuck.has(room)) throw new Error('the log is broken')
          close()
        }
        return log
      },
    }
    const stage = new Stage({ roomsTotal: 3, history })
    const ada = await stage.connect()
    for (const room of ['a', 'b', 'c']) await visit(stage, ada, room)
    await ask(stage, ada, { type: 'join', room: 'd' })
    expect(ada.last('joined')).toMatchObject({ room: 'd' })
    expect(stage.runtime.census.rooms).toBe(3)
    expect(await ask(stage, ada, { type: 'join', room: 'e', id: 1 })).toMatchObject([
      { code: 'room-unavailable', id: 1 },
    ])
    expect(stage.runtime.census.rooms).toBe(3)
    await ask(stage, ada, { type: 'join', room: 'a' })
    expect(ada.last('joined')).toMatchObject({ room: 'a', offset: 1 })
  })

  it('[ISOLATE] that crash while nobody is in them are the last to go', async () => {
    const actors = new Map<string, AnyActorRef>()
    const inspect = (event: { type: string; actorRef: { id?: string } }): void => {
      const { id = '' } = event.actorRef
      if (event.type === '@xstate.actor') actors.set(id, event.actorRef as AnyActorRef)
    }
    const stage = new Stage({ roomsTotal: 2, inspect: inspect as never })
    const ada = await stage.connect()
    for (const room of ['a', 'b']) await visit(stage, ada, room)
    actors.get('room:a')?.send({ type: 'room.leave' })
    await ask(stage, ada, { type: 'join', room: 'c' })
    await ask(stage, ada, { type: 'join', room: 'a' })
    expect(ada.last('joined')).toMatchObject({ room: 'a', offset: 1 })
  })
})

/** Leaves something to keep in a room that nobody is in. */
async function visit(stage: Stage, client: RawClient, room: string): Promise<void> {
  await ask(stage, client, { type: 'join', room }, { type: 'message', room, data: 1 }, { type: 'leave', room })
}
