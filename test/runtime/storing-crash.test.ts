import { describe, expect, it } from 'vitest'
import type { History } from '../../src/runtime/ports/history.ts'
import { LaggingHistory } from '../lagging-store.ts'
import { ask, byName, claimOf, greet, heard, replayed, serverEnds } from '../protocol/cast.ts'
import { Stage, type RawClient } from '../stage.ts'

const main = { room: 'main' }
const say = (id: number | string): object => ({ type: 'message', ...main, data: id, id })

/** Logs that take their time, and crash their room at certain calls: when they are told, or at poison. */
async function crashingRoom(options = {}) {
  const disk = new LaggingHistory()
  const faults = { forget: 0 }
  const history: History = {
    open: async (room, limits) => {
      const log = await disk.open(room, limits)
      const [append, forget] = [log.append.bind(log), log.forget.bind(log)]
      log.append = (record, request) => {
        if (record.content.includes('poison')) throw new Error('the log is broken')
        return append(record, request)
      }
      log.forget = (session) => {
        if (faults.forget-- > 0) throw new Error('the log is broken')
        forget(session)
      }
      return log
    },
    close: () => disk.close(),
  }
  const stage = new Stage({ ...byName, history, ...options })
  const ends = serverEnds(stage)
  const ada = await stage.member('main', { token: 'ada' })
  const bob = await stage.member('main', { token: 'bob' })
  const turn = (): Promise<void> => stage.clock.settle()
  return { disk, faults, stage, ends, ada, bob, turn }
}

const answers = (client: RawClient): unknown[][] =>
  client.received.filter(({ id }) => id !== undefined).map(({ id, type, code }) => [id, code ?? type])

describe('a room that crashes while its log takes its time', () => {
  it('[ISOLATE] does the rest of what had waited behind a message, in order', async () => {
    const { disk, faults, stage, ada, bob, turn } = await crashingRoom()
    const behind = [
      { type: 'history', ...main, id: 2 },
      { type: 'leave', ...main, id: 3 },
      { type: 'typing', ...main, typing: true, id: 4 },
      say(5),
      { type: 'history', ...main, id: 6 },
    ]
    await ask(stage, ada, say(1), ...behind)
    faults.forget = 1
    disk.settle('kept', 1)
    await turn()
    disk.prompt = true
    disk.settle()
    await turn()
    expect(answers(ada)).toEqual([
      [1, 'ack'],
      [2, 'history'],
      [3, 'internal'],
      [4, 'not-a-member'],
      [5, 'not-a-member'],
      [6, 'not-a-member'],
    ])
    expect(bob.of('presence').at(-1)).toMatchObject({ left: ['ada'] })
    expect(stage.telemetry.filter(({ type }) => type === 'actor.crashed')).toHaveLength(1)
  })

  it('[ORDER] [ONCE] comes back with the messages that are under way, and tells of them in their order', async () => {
    const { disk, stage, ada, bob, turn } = await crashingRoom()
    await ask(stage, ada, say(1), { type: 'history', ...main, id: 2 })
    await ask(stage, bob, say('b'), say('poison'), say('c'))
    await ask(stage, ada, say(3))
    for (let i = 0; i < 4; i++) {
      disk.settle('kept', 1)
      await turn()
    }
    const expected = [
      [1, 1],
      [2, 'b'],
      [3, 'c'],
      [4, 3],
    ]
    expect([heard(ada), heard(bob)]).toEqual([expected, expected])
    expect(answers(ada)).toEqual([
      [1, 'ack'],
      [2, 'history'],
      [3, 'ack'],
    ])
    expect(answers(bob)).toEqual([
      ['poison', 'internal'],
      ['b', 'ack'],
      ['c', 'ack'],
    ])
  })

  it('[GAPLESS] comes back to those for whom the log is read, also when that never ends', async () => {
    for (const ends of [true, false]) {
      const { disk, stage, ada, bob, turn } = await crashingRoom()
      disk.prompt = true
      const { epoch } = ada.last('joined')
      await ask(stage, bob, say(1))
      disk.reads.lag = true
      const again = await greet(stage, { token: 'ada', resume: claimOf(ada) })
      const since = { epoch, offset: 0 }
      await ask(
        stage,
        again,
        { type: 'join', ...main, since, id: 'join' },
        { type: 'presence', ...main, state: 1, id: 2 },
      )
      await ask(stage, bob, say(2), say('poison'), say(3))
      if (ends) disk.reads.answer()
      else await stage.clock.advance(10_000)
      await turn()
      const [joined] = again.of('joined')
      expect(joined).toMatchObject({ id: 'join', recovered: ends, offset: 3 })
      expect(replayed(joined).map(({ data }) => data)).toEqual(ends ? [1, 2, 3] : [])
      expect(again.of('ack')).toMatchObject([{ id: 2 }])
      disk.reads.answerAll()
      await ask(stage, bob, say(4))
      expect(heard(again)).toEqual([[4, 4]])
      await stage.close()
    }
  })

  it('[ONCE] opens a log again that had failed just before it crashed', async () => {
    const { disk, stage, ends, ada, bob, turn } = await crashingRoom()
    await ask(stage, ada, say(1), { type: 'history', ...main, id: 2 })
    await ask(stage, bob, say('b'))
    const outbox = ends[0]?.link.outbox
    const push = outbox?.push.bind(outbox)
    // At the answer to the message that failed: the room dies before it can do anything about its log.
    if (outbox !== undefined)
      outbox.push = (frame) => {
        if (String(frame.payload).includes('storage-failed')) throw new Error('the outbox is broken')
        push?.(frame)
      }
    disk.settle('hushed', 1)
    await turn()
    await ask(stage, bob, say('c'))
    disk.settle('kept', 1)
    await turn()
    disk.prompt = true
    disk.settle()
    await turn()
    const expected = [
      [1, 1],
      [2, 'b'],
      [3, 'c'],
    ]
    expect([heard(ada), heard(bob)]).toEqual([expected, expected])
    expect(answers(ada)).toEqual([[2, 'history']])
    expect(answers(bob)).toEqual([
      ['b', 'ack'],
      ['c', 'ack'],
    ])
    expect(stage.telemetry.filter(({ type }) => type === 'actor.crashed')).toHaveLength(1)
    // And when nothing else is under way: here it is the only one.
    disk.prompt = false
    await ask(stage, ada, say(4))
    disk.settle('hushed')
    await turn()
    expect(heard(bob).at(-1)).toEqual([4, 4])
  })

  it('[ERROR-2] too often is given up, and its log closed when it has answered for all that it was given', async () => {
    const { disk, stage, ada, bob, turn } = await crashingRoom()
    await ask(stage, ada, say(1), { type: 'history', ...main, id: 2 })
    await ask(stage, bob, ...Array.from({ length: 4 }, () => say('poison')))
    expect(answers(ada)).toEqual([
      [1, 'room-unavailable'],
      [2, 'room-unavailable'],
    ])
    for (const client of [ada, bob])
      expect(client.last('error')).toMatchObject({ code: 'room-unavailable', room: 'main' })
    expect(stage.runtime.census).toEqual({ connections: 2, sessions: 2, rooms: 0 })
    disk.settle()
    await turn()
    // It was kept all the same: nobody was told so, and whoever sends it again is.
    await ask(stage, ada, { type: 'join', ...main }, say(1))
    disk.settle()
    await turn()
    expect(ada.last('ack')).toMatchObject({ id: 1, offset: 1, duplicate: true })
    expect(heard(bob)).toEqual([])
  })
})
