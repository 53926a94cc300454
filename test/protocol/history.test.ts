import { describe, expect, it } from 'vitest'
import { Stage, type RawClient } from '../stage.ts'
import { ask, replayed } from './cast.ts'

interface Page {
  readonly offsets: number[]
  readonly complete: unknown
}

async function page(stage: Stage, client: RawClient, fields: object = {}): Promise<Page> {
  const [reply] = await ask(stage, client, { type: 'history', room: 'main', ...fields })
  expect(reply).toMatchObject({ type: 'history', room: 'main' })
  const offsets = replayed(reply).map(({ offset }) => offset)
  return { offsets, complete: reply?.['complete'] }
}

async function spoken(count: number, history = 1_000): Promise<{ stage: Stage; ada: RawClient }> {
  const stage = new Stage({ rooms: { main: { history } } })
  const ada = await stage.member()
  await ask(stage, ada, ...Array.from({ length: count }, (_, data) => ({ type: 'message', room: 'main', data })))
  return { stage, ada }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('history', () => {
  it('[HISTORY-1] gives the newest before an offset, oldest first, and says when that is all', async () => {
    const { stage, ada } = await spoken(10)
    expect(await page(stage, ada, { limit: 4 })).toEqual({ offsets: [7, 8, 9, 10], complete: false })
    expect(await page(stage, ada, { before: 7, limit: 4 })).toEqual({ offsets: [3, 4, 5, 6], complete: false })
    expect(await page(stage, ada, { before: 3, limit: 4 })).toEqual({ offsets: [1, 2], complete: true })
    expect(await page(stage, ada, { before: 5, limit: 4 })).toEqual({ offsets: [1, 2, 3, 4], complete: true })
    expect(await page(stage, ada)).toEqual({ offsets: range(1, 10), complete: true })
  })

  it('[HISTORY-1] holds the messages as their members received them', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    const meta = { values: { at: ['Date'] }, v: 1 }
    await ask(stage, ada, { type: 'message', room: 'main', data: { at: '2000-01-01T00:00:00.000Z' }, meta, id: 1 })
    const { epoch } = ada.last('joined')
    expect(await ask(stage, ada, { type: 'history', room: 'main', id: 'h' })).toEqual([
      { type: 'history', id: 'h', room: 'main', epoch, messages: ada.of('message'), complete: true },
    ])
  })

  it('[HISTORY-2] gives 300 at most, whatever is asked for, and takes a before beyond the log', async () => {
    const { stage, ada } = await spoken(310)
    for (const fields of [{}, { limit: 301 }, { limit: 2 ** 53 - 1 }, { before: 2 ** 53 - 1 }]) {
      expect(await page(stage, ada, fields)).toEqual({ offsets: range(11, 310), complete: false })
    }
    expect(await page(stage, ada, { before: 11 })).toEqual({ offsets: range(1, 10), complete: true })
    for (const before of [1, 0, -5, -(2 ** 53) + 1]) {
      expect(await page(stage, ada, { before })).toEqual({ offsets: [], complete: true })
    }
  })

  it('[HISTORY-2] leaves the oldest out when they have more data than one answer holds, but never the last', async () => {
    const stage = new Stage({ replayBytes: 10_000 })
    const ada = await stage.member()
    const sizes = [1, 4_000, 4_000, 4_000, 20_000]
    await ask(stage, ada, ...sizes.map((size) => ({ type: 'message', room: 'main', data: 'x'.repeat(size) })))
    expect(await page(stage, ada, {})).toEqual({ offsets: [5], complete: false })
    expect(await page(stage, ada, { before: 5 })).toEqual({ offsets: [3, 4], complete: false })
    expect(await page(stage, ada, { before: 3 })).toEqual({ offsets: [1, 2], complete: true })
  })

  it.each([
    '"limit":0',
    '"limit":-1',
    '"limit":1.5',
    '"limit":"10"',
    '"limit":null',
    '"limit":1e400',
    '"before":1.5',
    '"before":"1"',
    '"before":null',
    '"before":9007199254740992',
  ])('[HISTORY-3] with %s is answered bad-message', async (field) => {
    const { stage, ada } = await spoken(1)
    expect(await ask(stage, ada, `{"type":"history","room":"main","id":1,${field}}`)).toMatchObject([
      { type: 'error', code: 'bad-message', id: 1, room: 'main' },
    ])
  })

  it('[HISTORY-3] of a room not joined is answered not-a-member', async () => {
    const { stage } = await spoken(1)
    const eve = await stage.connect()
    for (const room of ['main', 'nowhere']) {
      expect(await ask(stage, eve, { type: 'history', room, id: 1 })).toMatchObject([{ code: 'not-a-member', id: 1 }])
    }
  })

  it('[HISTORY-4] reaches back 100 messages and 300 s', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    await ask(stage, ada, ...Array.from({ length: 150 }, (_, data) => ({ type: 'message', room: 'main', data })))
    expect(await page(stage, ada)).toEqual({ offsets: range(51, 150), complete: true })
    await stage.clock.advance(200_000)
    await ask(stage, ada, { type: 'message', room: 'main', data: 'later' })
    await stage.clock.advance(99_999)
    expect(await page(stage, ada)).toEqual({ offsets: range(52, 151), complete: true })
    await stage.clock.advance(1)
    expect(await page(stage, ada)).toEqual({ offsets: [151], complete: true })
    await stage.clock.advance(200_000)
    expect(await page(stage, ada)).toEqual({ offsets: [], complete: true })
  })

  it('[HISTORY-4] outlives the last member by 300 s, and then the room is closed', async () => {
    const { stage, ada } = await spoken(3)
    const { epoch } = ada.last('joined')
    await ask(stage, ada, { type: 'leave', room: 'main' })
    await stage.clock.advance(299_999)
    expect(stage.runtime.census.rooms).toBe(1)
    const [again] = await ask(stage, ada, { type: 'join', room: 'main', since: { epoch, offset: 3 } })
    expect(again).toMatchObject({ epoch, offset: 3, recovered: true })
    await ask(stage, ada, { type: 'leave', room: 'main' })
    await stage.clock.advance(300_000)
    expect(stage.runtime.census.rooms).toBe(0)
    const [anew] = await ask(stage, ada, { type: 'join', room: 'main', since: { epoch, offset: 3 } })
    expect(anew).toMatchObject({ offset: 0, recovered: false, messages: [] })
    expect(anew?.['epoch']).not.toBe(epoch)
  })

  it('[HISTORY-4] does not keep a room open in which nobody spoke', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    await ask(stage, ada, { type: 'leave', room: 'main' })
    expect(stage.runtime.census.rooms).toBe(0)
  })

  it('[HISTORY-4] of all rooms is bounded: the quietest log is emptied, and goes on', async () => {
    const stage = new Stage({ historyBytes: 45_000 })
    const ada = await stage.member()
    await ask(stage, ada, { type: 'join', room: 'quiet' }, { type: 'join', room: 'loud' })
    const spoken = ['main', 'quiet', 'main', 'loud', 'loud']
    for (const room of spoken) await ask(stage, ada, { type: 'message', room, data: 'x'.repeat(10_000) })
    expect(await page(stage, ada)).toEqual({ offsets: [1, 2], complete: true })
    expect(await ask(stage, ada, { type: 'history', room: 'quiet' })).toMatchObject([{ messages: [], complete: true }])
    const { epoch } = ada.of('joined').find(({ room }) => room === 'quiet') ?? ada.last('joined')
    const since = { epoch, offset: 0 }
    expect(await ask(stage, ada, { type: 'join', room: 'quiet', since })).toMatchObject([
      { epoch, offset: 1, recovered: false, messages: [] },
    ])
    await ask(stage, ada, { type: 'message', room: 'quiet', data: 'again' })
    expect(ada.last('message')).toMatchObject({ room: 'quiet', epoch, offset: 2 })
  })

  it('[HISTORY-4] of none at all still counts and recovers who missed nothing', async () => {
    const { stage, ada } = await spoken(3, 0)
    const { epoch } = ada.last('joined')
    expect(await page(stage, ada)).toEqual({ offsets: [], complete: true })
    const since = async (offset: number) =>
      (await ask(stage, ada, { type: 'join', room: 'main', since: { epoch, offset } }))[0]
    expect(await since(3)).toMatchObject({ offset: 3, recovered: true })
    expect(await since(2)).toMatchObject({ offset: 3, recovered: false })
  })
})
