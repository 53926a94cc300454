import { describe, expect, it } from 'vitest'
import type { HistoryLimits, RoomLog } from '../../src/runtime/ports/history.ts'
import { metaKey } from '../../src/storage/lmdb/codec.ts'
import { all, append, limits } from './history-harness.ts'
import { harness, type LmdbHarness } from './lmdb-harness.ts'
import { sessionOf } from './session-contract.ts'

const offsets = async (log: RoomLog, now = 0): Promise<number[]> =>
  (await log.before(Infinity, all({ now }))).entries.map(({ offset }) => offset)

let lastId = 0

/** Speaks in a room, and leaves it. */
async function speak(
  { store }: LmdbHarness,
  room: string,
  {
    at = 0,
    times = 1,
    size = 1,
    keep = limits,
  }: { at?: number; times?: number; size?: number; keep?: HistoryLimits } = {},
): Promise<string> {
  const log = await store.open(room, keep)
  const record = { at, from: '{}', content: 'x'.repeat(size) }
  await Promise.all(Array.from({ length: times }, () => log.append(record, { session: 's', id: ++lastId })))
  log.close()
  return log.epoch
}

/** What of a room is on the disk. */
async function keysOf(made: LmdbHarness, room: string): Promise<number> {
  let count = 0
  await made.restart({}, (raw) => {
    for (const key of raw.getKeys({})) if (key.includes(JSON.stringify(room))) count++
  })
  return count
}

/** Makes it look as if the last process had been killed, on a machine that has been started anew since. */
function crash(durability: 'flushed' | 'committed', boot = 'another boot') {
  return (raw: { get(key: Buffer): Buffer | undefined; put(key: Buffer, value: Buffer): unknown }): void => {
    const meta = JSON.parse(String(raw.get(metaKey))) as object
    const owner = { pid: 4_194_305, began: '1', boot, durability }
    raw.put(metaKey, Buffer.from(JSON.stringify({ ...meta, owner })))
  }
}

describe('lmdb rooms', () => {
  it('go on where they were, under the same epoch', async () => {
    const made = harness()
    const epoch = await speak(made, 'room', { times: 3 })
    const reopened = await made.store.open('room', limits)
    expect(reopened).toMatchObject({ epoch, offset: 3 })
    reopened.close()
    await made.restart()
    const log = await made.store.open('room', limits)
    expect(log).toMatchObject({ epoch, offset: 3 })
    expect(await append(log)).toEqual({ offset: 4, duplicate: false })
    expect(await offsets(log)).toEqual([1, 2, 3, 4])
  })

  it('have epochs that cannot be guessed, each its own', async () => {
    const { store } = harness()
    const epochs = await Promise.all(['a', 'b', 'c'].map(async (room) => (await store.open(room, limits)).epoch))
    expect(new Set(epochs).size).toBe(3)
    for (const epoch of epochs) expect(Buffer.from(epoch, 'base64url').length).toBeGreaterThanOrEqual(16)
  })

  it('[ONCE] remember requests over a restart, as far back as before', async () => {
    const made = harness()
    const log = await made.store.open('room', limits)
    const ids = [1, '1', 2, '\ud800', '__proto__', 6]
    for (const id of ids) await append(log, 0, { session: '__proto__', id })
    await append(log, 0, { session: 's', id: 1 })
    log.forget('s')
    await made.restart()
    const reopened = await made.store.open('room', limits)
    expect(await append(reopened, 0, { session: '__proto__', id: '\ud801' })).toEqual({ offset: 8, duplicate: false })
    for (const [id, offset] of [
      ['\ud800', 4],
      ['__proto__', 5],
      [6, 6],
    ] as const) {
      expect(await append(reopened, 0, { session: '__proto__', id })).toEqual({ offset, duplicate: true })
    }
    expect(await append(reopened, 0, { session: '__proto__', id: 2 })).toMatchObject({ duplicate: false })
    expect(await append(reopened, 0, { session: 's', id: 1 })).toMatchObject({ duplicate: false })
  })

  it('[ONCE] take the requests of sessions that have fallen silent off the disk', async () => {
    const made = harness()
    const log = await made.store.open('room', limits)
    for (let i = 0; i < 20; i++) await append(log, i, { session: `s${i}`, id: 1 })
    for (let i = 0; i < 20; i++) await append(log, 5_000, { session: 't', id: i })
    log.close()
    expect(await keysOf(made, 'room')).toBe(1 + 1 + limits.count + limits.idempotencyCount)
  })

  it('keep as much as they are told to when they are opened', async () => {
    const made = harness()
    await speak(made, 'room', { times: 5 })
    const fewer = await made.store.open('room', { ...limits, count: 2 })
    expect(await offsets(fewer)).toEqual([4, 5])
    await append(fewer)
    expect(await offsets(fewer)).toEqual([5, 6])
    fewer.close()
    const more = await made.store.open('room', limits)
    expect(await offsets(more)).toEqual([5, 6])
    more.close()
    const none = await made.store.open('room', { ...limits, count: 0 })
    expect(await offsets(none)).toEqual([])
    expect(none.offset).toBe(6)
  })

  it('are opened again when all is settled that they were promised, and the log from before takes nothing', async () => {
    const { store } = harness()
    const log = await store.open('room', limits)
    const underWay = [append(log), append(log)]
    const opened = store.open('room', limits)
    await expect(append(log)).rejects.toMatchObject({ code: 'store-closed' })
    const reopened = await opened
    expect(reopened).toMatchObject({ epoch: log.epoch, offset: 2 })
    expect(await Promise.all(underWay)).toHaveLength(2)
    expect(await append(reopened)).toEqual({ offset: 3, duplicate: false })
  })

  it('show nothing beyond what may be shown', async () => {
    const { store } = harness()
    const log = await store.open('room', limits)
    for (let i = 0; i < 4; i++) await append(log)
    const { epoch } = log
    expect(await log.before(Infinity, all({ until: 2 }))).toMatchObject({ entries: [{ offset: 1 }, { offset: 2 }] })
    expect(await log.since({ epoch, offset: 1 }, all({ until: 2 }))).toMatchObject({
      recovered: true,
      entries: [{ offset: 2 }],
    })
    expect(await log.since({ epoch, offset: 3 }, all({ until: 2 }))).toEqual({ recovered: false, entries: [] })
    const pending = append(log)
    expect(log.offset).toBe(4)
    expect(await log.since({ epoch, offset: 4 }, all())).toEqual({ recovered: true, entries: [] })
    await pending
    expect(log.offset).toBe(5)
  })
})

describe('lmdb epochs', () => {
  const begin = async (durability: 'flushed' | 'committed') => {
    const made = harness({ durability })
    const epoch = await speak(made, 'room', { times: 3 })
    return { made, epoch }
  }

  it('[GAPLESS] change when the machine may have taken back what was only committed', async () => {
    const { made, epoch } = await begin('committed')
    await made.restart({}, crash('committed'))
    const log = await made.store.open('room', limits)
    expect(log.epoch).not.toBe(epoch)
    expect(log.offset).toBe(3)
    expect(await offsets(log)).toEqual([1, 2, 3])
    expect(await log.since({ epoch, offset: 3 }, all())).toEqual({ recovered: false, entries: [] })
    expect(await append(log)).toEqual({ offset: 4, duplicate: false })
    await made.restart()
    expect((await made.store.open('room', limits)).epoch).toBe(log.epoch)
  })

  it('change once, though the log is opened later', async () => {
    const { made, epoch } = await begin('committed')
    await made.restart({}, crash('committed', ''))
    await made.restart()
    const log = await made.store.open('room', limits)
    expect(log.epoch).not.toBe(epoch)
    await made.restart()
    expect((await made.store.open('room', limits)).epoch).toBe(log.epoch)
  })

  it('stay when all that was promised had been flushed', async () => {
    const { made, epoch } = await begin('flushed')
    await made.restart({ durability: 'committed' }, crash('flushed'))
    expect((await made.store.open('room', limits)).epoch).toBe(epoch)
  })
})

describe('lmdb sweep', () => {
  it('removes rooms at once that have expired while nobody had the folder open', async () => {
    const made = harness()
    await speak(made, 'old', { at: 1_000, times: 7 })
    await speak(made, 'young', { at: 2_000 })
    await speak(made, 'kept', { at: 1_000, keep: { ...limits, ageMs: Infinity } })
    await made.restart({ now: () => 3_500 })
    // Whatever is written is written after what is due.
    await made.store.create(sessionOf('s'), 'secret')
    expect(await keysOf(made, 'old')).toBe(0)
    expect(await keysOf(made, 'young')).toBeGreaterThan(0)
    expect(await keysOf(made, 'kept')).toBeGreaterThan(0)
    expect((await made.store.open('old', limits)).offset).toBe(0)
    expect((await made.store.open('young', limits)).offset).toBe(1)
  })

  it('removes rooms that expire later on, as long as anything is written', async () => {
    let now = 0
    const made = harness({ now: () => now })
    for (let i = 0; i < 200; i++) await speak(made, `room ${i}`, { at: i })
    now = 10_000
    for (let i = 0; i < 5; i++) await speak(made, 'main', { at: now })
    now = 0
    for (const i of [0, 99, 199]) expect(await keysOf(made, `room ${i}`)).toBe(0)
    expect(await keysOf(made, 'main')).toBeGreaterThan(0)
  })

  it('leaves rooms alone that are open, and those in which somebody has spoken since', async () => {
    let now = 0
    const made = harness({ now: () => now })
    const open = await made.store.open('open', limits)
    await append(open)
    const epoch = await speak(made, 'spoken in', { at: 0 })
    now = 1_999
    await speak(made, 'spoken in', { at: now })
    now = 3_000
    await speak(made, 'other', { at: now })
    await speak(made, 'other', { at: now })
    expect(open.offset).toBe(1)
    expect(await append(open, now)).toEqual({ offset: 2, duplicate: false })
    now = 0
    await made.restart()
    expect(await made.store.open('spoken in', limits)).toMatchObject({ epoch, offset: 2 })
    expect((await made.store.open('open', limits)).offset).toBe(2)
  })

  it('lets a room that is on its way out go before it is opened again', async () => {
    let now = 0
    const made = harness({ now: () => now })
    const epoch = await speak(made, 'room', { times: 3 })
    now = 10_000
    const other = await made.store.open('other', limits)
    const underWay = append(other, now)
    // The turn in which it is written.
    await new Promise(setImmediate)
    const log = await made.store.open('room', limits)
    expect(log.offset).toBe(0)
    expect(log.epoch).not.toBe(epoch)
    expect(await append(log, now)).toEqual({ offset: 1, duplicate: false })
    await underWay
    await made.restart()
    expect(await made.store.open('room', limits)).toMatchObject({ offset: 1, epoch: log.epoch })
  })

  it('bounds what is on the disk: those rooms go first that would be forgotten soonest', async () => {
    const made = harness({ totalBytes: 2_000_000 })
    const quiet = await made.store.open('quiet', limits)
    const { epoch } = quiet
    await quiet.append({ at: 0, from: '{}', content: 'x'.repeat(10_000) })
    for (let i = 1; i <= 400; i++) await speak(made, `room ${i}`, { at: i, size: 20_000 })
    expect(await offsets(quiet)).toEqual([])
    expect(await quiet.since({ epoch, offset: 0 }, all())).toEqual({ recovered: false, entries: [] })
    expect(await append(quiet)).toEqual({ offset: 2, duplicate: false })
    expect((await made.store.open('room 1', limits)).offset).toBe(0)
    expect((await made.store.open('room 400', limits)).offset).toBe(1)
    let bytes = 0
    await made.restart({}, (raw) => {
      for (const { value } of raw.getRange({})) bytes += value.length
    })
    expect(bytes).toBeLessThan(2_000_000 + 64 * 20_000)
  })
})
