import { describe, expect, it } from 'vitest'
import type { SessionRecord } from '../../src/runtime/ports/session-store.ts'
import { all, append, limits } from './history-harness.ts'
import { harness, type LmdbHarness } from './lmdb-harness.ts'
import { sessionOf } from './session-contract.ts'

const rooms = (count: number, stateBytes?: number): SessionRecord['rooms'] =>
  Array.from({ length: count }, (_, i) => ({
    name: `room ${i}`,
    ...(stateBytes === undefined ? {} : { state: 'x'.repeat(stateBytes) }),
  }))

/** Resolves when all is written that was put until now. */
const written = async ({ store }: LmdbHarness): Promise<void> => {
  await store.create(sessionOf('witness'), 'secret')
  store.delete('witness')
}

/** How many keys and bytes about sessions are on the disk. */
async function kept(made: LmdbHarness, options = {}): Promise<{ keys: number; bytes: number }> {
  let [keys, bytes] = [0, 0]
  await made.restart(options, (_raw, sessions) => {
    for (const { key, value } of sessions.getRange({})) {
      keys++
      bytes += key.length + value.length
    }
  })
  return { keys, bytes }
}

describe('lmdb sessions', () => {
  it('take nothing away from rooms, however much they hold', async () => {
    const made = harness({ totalBytes: 500_000 })
    const victim = await made.store.open('victim', limits)
    for (let i = 0; i < 5; i++) await append(victim)
    victim.close()
    for (let i = 0; i < 20; i++) {
      await made.store.create(sessionOf(`guest ${i}`), 'secret')
      made.store.put(sessionOf(`guest ${i}`, { rooms: rooms(100, 2_000) }))
    }
    const other = await made.store.open('other', limits)
    for (let i = 0; i < 200; i++) await append(other)
    const log = await made.store.open('victim', limits)
    expect((await log.before(Infinity, all())).entries).toHaveLength(5)
    expect((await kept(made)).bytes).toBeGreaterThan(20 * 100 * 2_000)
  })

  it('are written as far as they have changed', async () => {
    const made = harness()
    await made.store.create(sessionOf('s'), 'secret')
    let session = sessionOf('s', { rooms: rooms(100, 2_000) })
    made.store.put(session)
    await made.restart()
    ;[session] = (await made.store.restore()) as [SessionRecord]
    // What of it were written again would be there again.
    await made.restart({}, (_raw, sessions) => {
      for (const { key } of sessions.getRange({ start: Buffer.from('t') })) void sessions.remove(key)
    })
    const [bare] = (await made.store.restore()) as [SessionRecord]
    expect(bare.rooms).toEqual(rooms(100))
    const changed = bare.rooms.map((room, i) => (i === 7 ? { ...room, state: 'new' } : room))
    made.store.put({ ...bare, rooms: changed })
    const { keys, bytes } = await kept(made)
    expect(keys).toBe(2)
    expect(bytes).toBeLessThan(10_000)
    expect(await made.store.restore()).toEqual([{ ...bare, rooms: changed }])
  })

  it('are restored with what they are shown as by then, and leave nothing behind', async () => {
    const made = harness()
    const states = [null, false, 0, '', { a: [1] }]
    const session = sessionOf('s', { rooms: states.map((state, i) => ({ name: `${i}`, state })), detachedAt: 1 })
    await made.store.create(session, 'secret')
    await written(made)
    expect((await kept(made)).keys).toBe(1 + states.length)
    expect(await made.store.restore()).toEqual([session])
    const last = sessionOf('s', { rooms: [{ name: '4', state: 4 }, { name: '1' }, { name: 'new', state: 'n' }] })
    made.store.put(last)
    expect((await kept(made)).keys).toBe(1 + 2)
    const [restored] = (await made.store.restore()) as [SessionRecord]
    expect(restored.rooms).toHaveLength(3)
    expect(restored).toMatchObject({ ...last, rooms: expect.arrayContaining([...last.rooms]) as unknown })
    made.store.delete('s')
    await made.store.create(sessionOf('s', { rooms: [{ name: '4' }] }), 'secret')
    expect(await made.store.restore()).toEqual([sessionOf('s', { rooms: [{ name: '4' }] })])
    expect((await kept(made)).keys).toBe(1)
  })

  it('are restored with what they were let in as by then', async () => {
    const made = harness()
    const session = sessionOf('s', { rooms: [{ name: 'a', role: 'owner', state: 1 }, { name: 'b' }], detachedAt: 1 })
    await made.store.create(session, 'secret')
    await made.restart()
    expect(await made.store.restore()).toEqual([session])
    const last = {
      ...session,
      rooms: [
        { name: 'a', state: 1 },
        { name: 'b', role: 'member' },
      ],
    }
    made.store.put(last)
    await made.restart()
    expect(await made.store.restore()).toEqual([last])
  })

  it('are kept without what they are shown as when there is too much of it, and all of them remain', async () => {
    const made = harness({ sessionsBytes: 100_000 })
    for (let i = 0; i < 20; i++) {
      await made.store.create(sessionOf(`${i}`), 'secret')
      made.store.put(sessionOf(`${i}`, { rooms: rooms(10, 2_000), ...(i % 2 === 0 ? {} : { detachedAt: i }) }))
      await written(made)
    }
    expect((await kept(made)).bytes).toBeLessThanOrEqual(100_000)
    const restored = await made.store.restore()
    expect(restored).toHaveLength(20)
    for (const session of restored) expect(session.rooms.map(({ name }) => name)).toEqual(rooms(10).map((r) => r.name))
    const shown = restored.flatMap((session) => session.rooms.filter(({ state }) => state !== undefined))
    expect(shown.length).toBeGreaterThan(20)
    // What becomes free is used.
    for (let i = 1; i < 20; i++) made.store.delete(`${i}`)
    made.store.put(sessionOf('0', { rooms: rooms(10, 2_001) }))
    await made.restart()
    expect(await made.store.restore()).toEqual([sessionOf('0', { rooms: rooms(10, 2_001) })])
  })

  it('go when even that is too much: those that were left first, and never one that is in use', async () => {
    const made = harness({ sessionsBytes: 20_000 })
    const names = Array.from({ length: 100 }, (_, i) => `${i}`)
    for (const id of names) await made.store.create(sessionOf(id), 'secret')
    const live = names.filter((_, i) => i % 10 === 0)
    const left = names.filter((id) => !live.includes(id)).toReversed()
    for (const [i, id] of left.entries()) made.store.put(sessionOf(id, { detachedAt: i }))
    // Its client is just coming back.
    await made.store.claim(left[0] ?? '', 'secret')
    for (let i = 0; i < 50; i++) await made.store.create(sessionOf(`new ${i}`, { rooms: rooms(10) }), 'secret')
    expect((await kept(made)).bytes).toBeLessThanOrEqual(20_000 + 50 * 400)
    const ids = (await made.store.restore()).map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(live))
    expect(ids.filter((id) => id.startsWith('new'))).toHaveLength(50)
    const stayed = left.filter((id) => ids.includes(id))
    expect(stayed.length).toBeLessThan(left.length / 2)
    if (stayed.length > 0)
      expect(stayed.toSorted()).toEqual([left[0], ...left.slice(1 - stayed.length || left.length)].toSorted())
  })

  it('are too many at once when the bound is lowered', async () => {
    const made = harness()
    for (let i = 0; i < 50; i++) await made.store.create(sessionOf(`${i}`, { detachedAt: 50 - i }), 'secret')
    await made.restart({ sessionsBytes: 1_000 })
    const ids = (await made.store.restore()).map(({ id }) => id)
    expect(ids.length).toBeGreaterThan(0)
    expect(ids.length).toBeLessThan(15)
    expect(ids.toSorted()).toEqual(Array.from(ids, (_, i) => `${i}`).toSorted())
    expect((await kept(made)).bytes).toBeLessThanOrEqual(1_000)
  })
})
