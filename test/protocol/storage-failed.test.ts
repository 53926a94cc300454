import { describe, expect, it } from 'vitest'
import { decodeBinary, encodeBinary } from '../../src/protocol/index.ts'
import { LaggingHistory } from '../lagging-store.ts'
import { Stage } from '../stage.ts'
import { ask, byName, claimOf, heard, replayed } from './cast.ts'

const main = { room: 'main' }
const say = (id: number | string, fields: object = {}): object => ({
  type: 'message',
  ...main,
  data: id,
  id,
  ...fields,
})
const failed = (id: number): object => ({ type: 'error', code: 'storage-failed', id, room: 'main' })
const historyOf = { type: 'history', ...main, id: 'history' }

/** Two members of a room whose log fails when the test says. */
async function brittleRoom(options = {}) {
  const history = new LaggingHistory()
  const stage = new Stage({ ...byName, history, ...options })
  const ada = await stage.member('main', { token: 'ada' })
  const bob = await stage.member('main', { token: 'bob' })
  const turn = (): Promise<void> => stage.clock.settle()
  return { history, stage, ada, bob, turn }
}

describe('a log that fails', () => {
  it('[STORED-1] has its messages answered storage-failed, and sent to nobody', async () => {
    const { history, stage, ada, bob, turn } = await brittleRoom()
    await ask(stage, ada, say(1), say(2))
    history.settle('lost')
    await turn()
    expect(ada.received.slice(-2)).toMatchObject([failed(1), failed(2)])
    expect([heard(ada), heard(bob), ada.closed]).toEqual([[], [], []])
    expect(stage.telemetry.filter(({ type }) => type === 'storage.failed')).toMatchObject([
      { room: 'main' },
      { room: 'main' },
    ])
    // It is open again, and whoever sends again has it once.
    await ask(stage, ada, say(2), say(1))
    history.settle()
    await turn()
    const expected = [
      [1, 2],
      [2, 1],
    ]
    expect([heard(ada), heard(bob)]).toEqual([expected, expected])
  })

  it('is let go of before it is opened anew when the room gives up, also while it is read for what was missed', async () => {
    const { history, stage, ada, turn } = await brittleRoom()
    history.opens.lag = history.reads.lag = true
    await ask(stage, ada, say(1))
    history.settle('hushed')
    await turn()
    history.opens.answer()
    await turn()
    expect(history.reads.size).toBe(1)
    await stage.clock.advance(10_000)
    expect(ada.last('error')).toMatchObject({ code: 'room-unavailable' })
    ada.send({ type: 'join', ...main })
    await turn()
    history.opens.answer()
    await turn()
    expect(history.breaches).toEqual([])
    history.reads.answerAll()
    await turn()
    expect(history.breaches).toEqual([])
    expect(ada.last('joined')).toMatchObject({ offset: 1 })
    history.prompt = true
    expect(await ask(stage, ada, say(2))).toMatchObject([{ offset: 2 }, { type: 'ack', offset: 2 }])
  })

  it('[ONCE] has a message once that was kept without a word, and everybody hears it', async () => {
    const { history, stage, ada, bob, turn } = await brittleRoom()
    await ask(stage, ada, say(1))
    history.settle('hushed')
    await turn()
    expect(ada.of('error')).toMatchObject([failed(1)])
    const [copy] = await Promise.all([bob.last('message'), turn()])
    expect(copy).toMatchObject({ offset: 1, data: 1, from: { user: 'ada', session: claimOf(ada).session } })
    await ask(stage, ada, say(1))
    history.settle()
    await turn()
    expect(ada.last('ack')).toMatchObject({ id: 1, offset: 1, duplicate: true })
    expect([heard(ada), heard(bob)]).toEqual([[[1, 1]], [[1, 1]]])
    expect(replayed((await ask(stage, bob, historyOf))[0])).toMatchObject([{ data: 1 }])
  })

  it('[ORDER] keeps the order of what it had kept and what it still keeps, and skips nothing', async () => {
    const { history, stage, ada, bob, turn } = await brittleRoom()
    await ask(stage, ada, say(1), say(2))
    await ask(stage, bob, say(3))
    await ask(stage, ada, say(4))
    // What follows a failure may be kept all the same: those who hear it must have heard what came before.
    for (const fate of ['hushed', 'kept', 'lost', 'kept'] as const) {
      history.settle(fate, 1)
      await turn()
    }
    const expected = [
      [1, 1],
      [2, 2],
      [3, 4],
    ]
    expect([heard(ada), heard(bob)]).toEqual([expected, expected])
    expect([ada.of('error'), bob.of('error')]).toMatchObject([[failed(1)], [failed(3)]])
    expect(ada.of('ack')).toMatchObject([
      { id: 2, offset: 2 },
      { id: 4, offset: 3 },
    ])
    // The acknowledgement after the copy, here as well.
    expect(ada.received.slice(-4).map(({ type }) => type)).toEqual(['message', 'message', 'ack', 'ack'])
  })

  it('[MESSAGE-3] brings everybody what it kept after its failure, also what it does not keep any more', async () => {
    const { history, ada, bob, stage, turn } = await brittleRoom({ rooms: { main: { history: 1 } } })
    await ask(stage, ada, say(1), say(2), say(3), say(4))
    history.settle('lost', 1)
    history.settle('kept')
    await turn()
    const expected = [
      [1, 2],
      [2, 3],
      [3, 4],
    ]
    expect([heard(ada), heard(bob)]).toEqual([expected, expected])
    expect(ada.of('ack').map(({ offset }) => offset)).toEqual([1, 2, 3])
  })

  it('[REQUEST-2] answers what was sent behind what failed, when it is open again, and in order', async () => {
    const { history, stage, ada, bob, turn } = await brittleRoom()
    history.opens.lag = true
    await ask(stage, ada, say(1), { type: 'typing', ...main, typing: true, id: 2 }, { ...historyOf, id: 3 }, say(4))
    await ask(stage, bob, say(5))
    history.settle('hushed', 1)
    await turn()
    // The one that failed is answered; nothing else before the log is open.
    expect(ada.received.at(-1)).toMatchObject(failed(1))
    history.settle('lost', 1)
    await turn()
    const late = [say(6), { type: 'join', ...main, id: 7 }]
    expect(await ask(stage, bob, ...late)).toEqual([])
    history.opens.answer()
    history.prompt = true
    history.settle()
    await turn()
    const answers = [ada, bob].map((client) => client.received.filter(({ id }) => id !== undefined))
    expect(answers.map((all) => all.map(({ id, type }) => [id, type]))).toEqual([
      [
        [1, 'error'],
        [2, 'ack'],
        [3, 'history'],
        [4, 'ack'],
      ],
      [
        [5, 'error'],
        [6, 'ack'],
        [7, 'joined'],
      ],
    ])
    expect(heard(bob).map(([offset]) => offset)).toEqual([1, 2, 3])
  })

  it('[BINARY-3] brings bytes that it had kept without a word as bytes', async () => {
    const { history, stage, ada, bob, turn } = await brittleRoom()
    const frames: unknown[] = []
    bob.socket.onmessage = ({ data }) => frames.push(data)
    const bytes = new Uint8Array([1, 2, 3])
    ada.socket.onmessage = null
    ada.socket.send(encodeBinary(JSON.stringify({ type: 'message', ...main, id: 1 }), bytes))
    await turn()
    history.settle('hushed')
    await turn()
    await stage.clock.settle()
    expect(frames).toHaveLength(1)
    const { header, bytes: received } = decodeBinary(frames[0] as Uint8Array) ?? {}
    expect([JSON.parse(header ?? ''), received]).toMatchObject([{ type: 'message', offset: 1 }, bytes])
  })

  it('[TYPING] leaves nobody typing while it is opened again', async () => {
    const { history, stage, ada, bob, turn } = await brittleRoom()
    history.opens.lag = true
    await ask(stage, ada, say(1))
    await ask(stage, bob, { type: 'typing', ...main, typing: true })
    expect(ada.last('typing')).toMatchObject({ typing: true })
    history.settle('lost')
    await turn()
    await stage.clock.advance(3_000)
    expect(ada.last('typing')).toMatchObject({ typing: false })
    history.opens.answer()
    await turn()
  })

  it('[TYPING-2] ends the indicator of a sender whose message is kept after the failure, before the message comes', async () => {
    const { history, stage, ada, bob, turn } = await brittleRoom()
    await ask(stage, bob, { type: 'typing', ...main, typing: true })
    await ask(stage, ada, say(1))
    await ask(stage, bob, say(2))
    history.settle('lost', 1)
    history.settle('kept', 1)
    await turn()
    expect(ada.received.slice(-3)).toMatchObject([
      failed(1),
      { type: 'typing', user: 'bob', typing: false },
      { type: 'message', data: 2 },
    ])
  })

  it('[ERROR-2] that cannot be opened again is given up: everybody is told, and whoever waits', async () => {
    for (const end of ['fails', 'does not answer'] as const) {
      const { history, stage, ada, bob, turn } = await brittleRoom()
      history.opens.lag = true
      await ask(stage, ada, say(1), say(2), { ...historyOf, id: 3 })
      history.settle('lost', 1)
      await turn()
      await ask(stage, bob, say(4), { type: 'leave', ...main, id: 5 })
      history.settle('kept')
      await turn()
      if (end === 'fails') history.opens.fail()
      else await stage.clock.advance(10_000)
      await turn()
      const unavailable = (id?: number): object => ({
        type: 'error',
        code: 'room-unavailable',
        room: 'main',
        ...(id === undefined ? {} : { id }),
      })
      // The second message was kept, but nobody could be told: its sender asks again elsewhere, or later.
      expect(ada.of('error')).toMatchObject([failed(1), unavailable(2), unavailable(3), unavailable()])
      expect(bob.of('error')).toMatchObject([unavailable(4), unavailable(5), unavailable()])
      expect(stage.runtime.census).toEqual({ connections: 2, sessions: 2, rooms: 0 })
      expect(await ask(stage, ada, say(6))).toMatchObject([{ code: 'not-a-member' }])
      history.opens.lag = false
      history.opens.answerAll()
      await turn()
      const { epoch } = ada.last('joined')
      const [joined] = await ask(stage, ada, { type: 'join', ...main, since: { epoch, offset: 0 } })
      expect([joined, replayed(joined)]).toMatchObject([{ recovered: true, offset: 1 }, [{ data: 2 }]])
      await stage.close()
    }
  })

  it('[GAPLESS] that comes back under another epoch is said to recover nothing, and goes on', async () => {
    const { history, stage, ada, bob, turn } = await brittleRoom()
    await ask(stage, ada, say(1))
    history.settle()
    await turn()
    await ask(stage, ada, say(2), say(3))
    history.settle('lost', 1)
    history.lose('main')
    history.settle('kept')
    await turn()
    // What the lost log had kept is not acknowledged.
    expect(ada.of('error')).toMatchObject([failed(2), failed(3)])
    await ask(stage, ada, say(2))
    history.settle()
    await turn()
    const { epoch } = ada.last('joined')
    expect(bob.last('message')).toMatchObject({ offset: 1, data: 2 })
    expect(bob.last('message')['epoch']).not.toBe(epoch)
    const [joined] = await ask(stage, bob, { type: 'join', ...main, since: { epoch, offset: 1 } })
    expect(joined).toMatchObject({ recovered: false, offset: 1 })
  })
})
