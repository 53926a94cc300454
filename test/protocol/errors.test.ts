import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { lobbyConnection } from '../../examples/lobby/lobby-connection.ts'
import { errorCodes } from '../../src/protocol/index.ts'
import type { History } from '../../src/runtime/ports/history.ts'
import { memoryHistory } from '../../src/runtime/room/memory-history.ts'
import { Stage } from '../stage.ts'
import { ask, brittleHistory, byName, greet, heard } from './cast.ts'

const deep = JSON.parse('['.repeat(40) + ']'.repeat(40)) as unknown

/** For each code that a client alone can provoke, what provokes it in a room `main` that has been joined. */
const provocations: { readonly [code: string]: object | string } = {
  'bad-json': '{"type":"ping",',
  'bad-message': { type: 'typing', room: 'main', id: 7 },
  'unknown-type': { type: 'jump', room: 'main', id: 7 },
  'bad-room-name': { type: 'join', room: '', id: 7 },
  'not-a-member': { type: 'history', room: 'other', id: 7 },
  'too-many-rooms': { type: 'join', room: 'other', id: 7 },
  'presence-too-large': { type: 'presence', room: 'main', state: 'x'.repeat(3_000), id: 7 },
  'bad-data': { type: 'message', room: 'main', data: deep, id: 7 },
  'bad-meta': { type: 'message', room: 'main', data: 1, meta: { values: [['regexp']] }, id: 7 },
  'invalid-data': { type: 'message', room: 'main', data: 'the room expects something else', id: 7 },
  'not-authenticated': { type: 'auth', token: 'bad', id: 7 },
  internal: { type: 'message', room: 'main', data: 'the log fails at this', id: 7 },
}

describe('error', () => {
  it.each(Object.entries(provocations))('[ERROR-1] %s carries code, text, id and room', async (code, provocation) => {
    const { history, faults } = brittleHistory()
    const messageSchema = z.string().refine((text) => text !== 'the room expects something else')
    const stage = new Stage({ ...byName, roomsPerSession: 1, history, rooms: { main: { messageSchema } } })
    const ada = await stage.member('main', { token: 'ada' })
    faults.appends = 1
    const [error, ...more] = await ask(stage, ada, provocation)
    expect(error).toMatchObject({ type: 'error', code, message: errorCodes[code as keyof typeof errorCodes] })
    if (typeof provocation === 'object') expect(error).toMatchObject({ id: 7 })
    expect(more).toEqual([])
    expect(await ask(stage, ada, { type: 'ping' })).toEqual([{ type: 'pong' }])
    expect(ada.closed).toEqual([])
  })

  it('[ERROR-1] has codes that take an application or a store', async () => {
    const memory = memoryHistory(() => 'epoch')
    const history: History = {
      open: async (room, limits) => {
        if (room === 'locked') throw new Error('The log does not open.')
        const log = await memory.open(room, limits)
        log.append = () => Promise.reject(new Error('The disk is full.'))
        return log
      },
    }
    const handlers = { ponder: () => new Promise(() => {}) }
    const stage = new Stage({ connection: lobbyConnection, history, handlers, handlerTimeoutMs: 10 })
    const ada = await stage.connect()
    expect(await ask(stage, ada, { type: 'move', data: { square: 1 }, id: 7 })).toMatchObject([
      { type: 'error', code: 'not-allowed', id: 7 },
    ])
    expect(await ask(stage, ada, { type: 'join', room: 'locked' })).toEqual([
      { type: 'error', code: 'room-unavailable', message: errorCodes['room-unavailable'], room: 'locked' },
    ])
    expect(
      await ask(stage, ada, { type: 'join', room: 'main' }, { type: 'message', room: 'main', data: 'x', id: 8 }),
    ).toContainEqual({
      type: 'error',
      code: 'storage-failed',
      message: errorCodes['storage-failed'],
      id: 8,
      room: 'main',
    })
    ada.send({ type: 'ponder', id: 9 })
    await stage.clock.advance(10)
    expect(ada.last('error')).toEqual({ type: 'error', code: 'timeout', message: errorCodes.timeout, id: 9 })
    const others = [
      'expelled',
      'forbidden',
      'not-allowed',
      'overloaded',
      'rate-limited',
      'room-unavailable',
      'storage-failed',
      'timeout',
    ]
    const all = [...Object.keys(provocations), ...others]
    expect(all.toSorted()).toEqual(Object.keys(errorCodes).toSorted())
  })

  it('[ERROR-1] stands in the table of PROTOCOL.md under every code, and under no other', () => {
    const document = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8')
    const section = document.slice(document.indexOf('### `error`'), document.indexOf('## Data'))
    const codes = [...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code)
    expect(codes).toEqual(Object.keys(errorCodes))
  })

  it('[ERROR-2] of a failing room is internal, and the room is back with its members and its log', async () => {
    const { history, faults } = brittleHistory()
    const stage = new Stage({ ...byName, history })
    const [ada, bob] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'bob' })]
    await ask(stage, ada, { type: 'message', room: 'main', data: 'before' })
    faults.appends = 1
    const replies = await ask(
      stage,
      ada,
      { type: 'message', room: 'main', data: 'fails', id: 1 },
      { type: 'message', room: 'main', data: 'behind', id: 2 },
    )
    expect(replies.filter(({ id }) => id !== undefined)).toMatchObject([
      { type: 'error', code: 'internal', id: 1 },
      { type: 'ack', id: 2, offset: 2 },
    ])
    expect(heard(bob)).toEqual([
      [1, 'before'],
      [2, 'behind'],
    ])
    const [joined] = await ask(stage, await greet(stage, { token: 'eve' }), { type: 'join', room: 'main' })
    expect(joined).toMatchObject({ offset: 2, members: [{ user: 'ada' }, { user: 'bob' }, { user: 'eve' }] })
    expect(bob.of('presence')).toMatchObject([{ joined: [{ user: 'eve' }] }])
  })

  it('[ERROR-2] that a room fails the fourth time in 10 s puts all members out of it', async () => {
    const { history, faults } = brittleHistory()
    const stage = new Stage({ ...byName, history })
    const [ada, bob] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'bob' })]
    const fail = { type: 'message', room: 'main', data: 'fails', id: 1 }
    faults.appends = 7
    await ask(stage, ada, fail, fail, fail)
    await stage.clock.advance(10_000)
    await ask(stage, ada, fail, fail, fail)
    expect(bob.of('error')).toEqual([])
    await ask(stage, ada, fail)
    const unavailable = {
      type: 'error',
      code: 'room-unavailable',
      message: errorCodes['room-unavailable'],
      room: 'main',
    }
    expect(bob.of('error')).toEqual([unavailable])
    expect(ada.of('error')).toContainEqual(unavailable)
    expect(await ask(stage, bob, { type: 'message', room: 'main', data: 'x' })).toMatchObject([
      { code: 'not-a-member' },
    ])
    expect(await ask(stage, bob, { type: 'join', room: 'main' })).toMatchObject([{ type: 'joined', offset: 0 }])
    expect([ada, bob].flatMap(({ closed }) => closed)).toEqual([])
  })

  it('[ERROR-2] that a room does not open answers every request that waits, with its id', async () => {
    const stage = new Stage({ history: { open: () => new Promise(() => {}) } })
    const ada = await stage.connect()
    const asked = [
      { type: 'join', room: 'main', id: 1 },
      { type: 'message', room: 'main', data: 'x', id: 2 },
      { type: 'history', room: 'main', id: 3 },
    ]
    expect(await ask(stage, ada, ...asked)).toEqual([])
    await stage.clock.advance(9_999)
    expect(ada.of('error')).toEqual([])
    await stage.clock.advance(1)
    expect(ada.of('error').map(({ code, id, room }) => [code, id, room])).toEqual(
      [1, 2, 3].map((id) => ['room-unavailable', id, 'main']),
    )
    expect(stage.runtime.census.rooms).toBe(0)
  })

  it('[ERROR-2] that a room cannot be opened leaves nobody in it, and the name is free to try again', async () => {
    const { history, faults } = brittleHistory()
    faults.closed = 'locked'
    const stage = new Stage({ history, roomsPerSession: 1 })
    const ada = await stage.connect()
    await ask(stage, ada, { type: 'join', room: 'locked' })
    expect(stage.runtime.census.rooms).toBe(0)
    expect(await ask(stage, ada, { type: 'leave', room: 'locked' })).toMatchObject([{ code: 'not-a-member' }])
    expect(await ask(stage, ada, { type: 'join', room: 'main' })).toMatchObject([{ type: 'joined' }])
  })
})
