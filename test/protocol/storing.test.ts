import { describe, expect, it } from 'vitest'
import type { Appended } from '../../src/runtime/ports/history.ts'
import { LaggingHistory } from '../lagging-store.ts'
import { Stage } from '../stage.ts'
import { ask, byName, claimOf, greet, heard, replayed } from './cast.ts'

const main = { room: 'main' }
const say = (id: number | string, fields: object = {}): object => ({
  type: 'message',
  ...main,
  data: id,
  id,
  ...fields,
})

/** Two members of a room whose log takes its time. */
async function slowRoom(options = {}) {
  const history = new LaggingHistory()
  const stage = new Stage({ ...byName, history, ...options })
  const ada = await stage.member('main', { token: 'ada' })
  const bob = await stage.member('main', { token: 'bob' })
  const turn = (): Promise<void> => stage.clock.settle()
  return { history, stage, ada, bob, turn }
}

describe('a message on its way into a log that takes its time', () => {
  it('[STORED-1] is neither sent to anybody nor acknowledged before it is kept', async () => {
    const { history, stage, ada, bob, turn } = await slowRoom()
    expect(await ask(stage, ada, say(1))).toEqual([])
    await stage.clock.advance(1_000)
    expect([heard(ada), heard(bob), history.size]).toEqual([[], [], 1])
    history.settle()
    await turn()
    expect(ada.received.slice(-2)).toMatchObject([
      { type: 'message', offset: 1, data: 1 },
      { type: 'ack', id: 1, offset: 1 },
    ])
    expect(heard(bob)).toEqual([[1, 1]])
  })

  it('[ORDER] comes in the order of offsets among those of all members, each acknowledged after its own copy', async () => {
    const { history, stage, ada, bob, turn } = await slowRoom()
    for (let i = 1; i <= 4; i++) await ask(stage, i % 2 === 0 ? bob : ada, say(i))
    // Nobody has to wait for an answer before the next message is on its way.
    expect(history.size).toBe(4)
    for (let i = 1; i <= 4; i++) {
      history.settle('kept', 1)
      await turn()
      expect(heard(ada)).toHaveLength(i)
    }
    const expected = [1, 2, 3, 4].map((i) => [i, i])
    expect([heard(ada), heard(bob)]).toEqual([expected, expected])
    for (const client of [ada, bob]) {
      for (const { id } of client.of('ack')) {
        const [copy, ack] = ['message', 'ack'].map((type) =>
          client.received.findIndex((it) => it.type === type && (it['data'] ?? it['id']) === id),
        )
        expect(ack).toBeGreaterThan(Number(copy))
      }
      expect(client.of('ack')).toHaveLength(2)
    }
  })

  it('[REQUEST-4] is answered before what its sender asks of the room behind it', async () => {
    const { history, stage, ada, bob, turn } = await slowRoom()
    const behind = [
      { type: 'presence', ...main, state: 'here', id: 2 },
      { type: 'typing', ...main, typing: true, id: 3 },
      { type: 'history', ...main, id: 4 },
      { type: 'join', ...main, id: 5 },
      say(6),
      { type: 'leave', ...main, id: 7 },
      say(8),
      { type: 'join', ...main, id: 9 },
    ]
    expect(await ask(stage, ada, say(1), ...behind)).toEqual([])
    // What has nothing to do with the room does not wait, nor do the others.
    expect(await ask(stage, ada, { type: 'ping', id: 10 })).toMatchObject([{ type: 'pong', id: 10 }])
    expect(await ask(stage, bob, { type: 'history', ...main, id: 1 })).toMatchObject([{ type: 'history', id: 1 }])
    history.settle()
    await turn()
    // The second message has to be kept before its sender leaves.
    expect(ada.received.filter(({ id }) => id !== undefined).map(({ id }) => id)).toEqual([10, 1, 2, 3, 4, 5])
    history.settle()
    await turn()
    const answers = ada.received.filter(({ id }) => id !== undefined)
    expect(answers.map(({ id, type, code }) => [id, code ?? type])).toEqual([
      [10, 'pong'],
      [1, 'ack'],
      [2, 'ack'],
      [3, 'ack'],
      [4, 'history'],
      [5, 'joined'],
      [6, 'ack'],
      [7, 'left'],
      [8, 'not-a-member'],
      [9, 'joined'],
    ])
    expect(replayed(ada.last('history'))).toMatchObject([{ data: 1 }])
    expect(bob.received.slice(-6)).toMatchObject([
      { type: 'presence', updated: [{ user: 'ada', state: 'here' }] },
      { type: 'typing', typing: true },
      { type: 'typing', typing: false },
      { type: 'message', data: 6 },
      { type: 'presence', left: ['ada'] },
      { type: 'presence', joined: [{ user: 'ada' }] },
    ])
  })

  it('[ONCE] is heard once when its sender is cut off, comes back and sends it again', async () => {
    const { history, stage, ada, bob, turn } = await slowRoom()
    await ask(stage, ada, say(1))
    ada.socket.cut()
    await turn()
    const again = await greet(stage, { token: 'ada', resume: claimOf(ada) })
    const { epoch } = ada.last('joined')
    again.send({ type: 'join', ...main, id: 'join', since: { epoch, offset: 0 } })
    expect(await ask(stage, again, say(1))).toEqual([])
    history.settle()
    await turn()
    history.settle()
    await turn()
    const [joined] = again.of('joined')
    expect(joined).toMatchObject({ recovered: true })
    expect(replayed(joined)).toMatchObject([{ offset: 1, data: 1 }])
    expect(again.of('ack')).toMatchObject([{ id: 1, offset: 1, duplicate: true }])
    expect(heard(bob)).toEqual([[1, 1]])
  })

  it('[REQUEST-2] is answered to the connection that sent it: another one hears what it has asked itself, once', async () => {
    const { history, stage, ada, turn } = await slowRoom()
    const asked = [say(1), { type: 'history', ...main, id: 2 }, { type: 'presence', ...main, state: 1, id: 3 }]
    const rejoin = { type: 'join', ...main, id: 4, since: { epoch: ada.last('joined')['epoch'], offset: 0 } }
    await ask(stage, ada, ...asked, rejoin, say(5))
    ada.socket.cut()
    await turn()
    const again = await greet(stage, { token: 'ada', resume: claimOf(ada) })
    await ask(stage, again, ...asked, rejoin, say(5))
    for (let i = 0; i < 5; i++) {
      history.settle()
      await turn()
    }
    const answers = again.received.filter(({ id }) => id !== undefined).map(({ id, type }) => [id, type])
    expect(answers).toEqual([
      [1, 'ack'],
      [2, 'history'],
      [3, 'ack'],
      [4, 'joined'],
      [5, 'ack'],
    ])
  })

  it('[REQUEST-4] is answered before what the log answers at once, such as a retry that it knows', async () => {
    const { history, stage, ada, bob, turn } = await slowRoom()
    const append = { say: undefined as undefined | (() => Appended) }
    const open = history.open.bind(history)
    history.open = async (room, limits) => {
      const log = await open(room, limits)
      const slowly = log.append.bind(log)
      log.append = (...args) => append.say?.() ?? slowly(...args)
      return log
    }
    await ask(stage, ada, { type: 'join', room: 'other' })
    await ask(stage, ada, say(1, { room: 'other' }))
    append.say = () => ({ offset: 1, duplicate: true })
    expect(await ask(stage, ada, say(1, { room: 'other' }), { type: 'history', room: 'other', id: 2 })).toEqual([])
    history.settle()
    await turn()
    const answers = ada.received.slice(-4).map(({ type, duplicate }) => [type, duplicate])
    expect(answers).toEqual([
      ['message', undefined],
      ['ack', undefined],
      ['ack', true],
      ['history', undefined],
    ])
    expect(heard(bob)).toEqual([])
  })

  it('[PRESENCE] is told of before its sender is shown as gone, who left meanwhile', async () => {
    const { history, stage, ada, bob, turn } = await slowRoom()
    await ask(stage, ada, say(1))
    ada.socket.close(1000)
    await turn()
    expect(stage.runtime.census).toMatchObject({ connections: 1, sessions: 1, rooms: 1 })
    history.settle()
    await turn()
    expect(bob.received.slice(-2)).toMatchObject([
      { type: 'message', data: 1 },
      { type: 'presence', left: ['ada'] },
    ])
  })

  it('[CLOSED] keeps its room open: of a sender who is gone for good, and the last one to go', async () => {
    const { history, stage, ada, bob, turn } = await slowRoom()
    await ask(stage, ada, say(1))
    bob.socket.close(1000)
    ada.socket.cut()
    await stage.clock.advance(120_000)
    expect(stage.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 1 })
    await stage.clock.advance(400_000)
    expect(stage.runtime.census.rooms).toBe(1)
    history.settle()
    await turn()
    const eve = await stage.member('main', { token: 'eve' })
    expect(eve.last('joined')).toMatchObject({ offset: 1, members: [{ user: 'eve' }] })
    await ask(stage, eve, { type: 'leave', ...main })
    await stage.clock.advance(300_000)
    expect(stage.runtime.census.rooms).toBe(0)
  })

  it('[BOUND] is refused, as are other requests, when more waits than a room holds', async () => {
    const { history, stage, ada, bob, turn } = await slowRoom({ roomBacklogBytes: 1_000 })
    const data = 'x'.repeat(200)
    for (let id = 1; id <= 10; id++) await ask(stage, ada, say(id, { data }))
    // What a message costs beside its text is the server's business.
    const taken = history.size
    expect(taken).toBeGreaterThan(0)
    expect(taken).toBeLessThanOrEqual(5)
    const refused = (id: number): object => ({ type: 'error', code: 'storage-failed', id, room: 'main' })
    const ids = Array.from({ length: 10 - taken }, (_, i) => taken + 1 + i)
    expect(ada.of('error')).toMatchObject(ids.map(refused))
    expect(await ask(stage, ada, { type: 'history', ...main, id: 11 })).toMatchObject([refused(11)])
    // Whoever is here already stays, and its own end is not refused to anybody.
    expect(await ask(stage, ada, { type: 'join', ...main, id: 12 })).toMatchObject([refused(12)])
    history.settle()
    await turn()
    expect(heard(bob)).toHaveLength(taken)
    expect(await ask(stage, ada, { type: 'history', ...main, id: 13 })).toMatchObject([{ type: 'history', id: 13 }])
    for (const id of ids) ada.send(say(id, { data }))
    await ask(stage, ada, { type: 'leave', ...main, id: 14 })
    history.settle()
    await turn()
    expect(ada.last('left')).toMatchObject({ id: 14 })
    expect(bob.last('presence')).toMatchObject({ left: ['ada'] })
  })

  it('[CLOSED] does not hold up the end of the server', async () => {
    const { history, stage, ada, bob } = await slowRoom()
    await ask(stage, ada, say(1), { type: 'leave', ...main, id: 2 })
    await stage.close()
    history.settle()
    await stage.clock.settle()
    expect([heard(bob), ada.of('ack'), stage.clock.pending]).toEqual([[], [], 0])
  })
})
