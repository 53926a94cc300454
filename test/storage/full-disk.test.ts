import type * as FileSystem from 'node:fs'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Appended } from '../../src/runtime/ports/history.ts'
import { lmdb } from '../../src/storage/lmdb.ts'
import { all, append, limits } from './history-harness.ts'
import { harness, temporaryFolder } from './lmdb-harness.ts'
import { sessionOf } from './session-contract.ts'

const disk = vi.hoisted(() => ({ isFull: false }))

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof FileSystem>()
  return { ...fs, statfsSync: (path: string) => ({ ...fs.statfsSync(path), bsize: disk.isFull ? 0 : 4_096 }) }
})

const failed = { code: 'store-write-failed', cause: { code: 28 } }

describe('lmdb on a disk that is full', () => {
  beforeEach(() => {
    disk.isFull = false
  })

  it('says so when it is opened', () => {
    disk.isFull = true
    expect(() => lmdb({ path: temporaryFolder() })).toThrow('would be left on its disk')
  })

  it('promises nothing that it does not keep, until a log is opened again', async () => {
    const { store } = harness()
    const log = await store.open('room', limits)
    const quiet = await store.open('quiet', limits)
    await append(log, 0, { session: 's', id: 1 })
    await append(quiet)
    disk.isFull = true
    const outcomes = [1, 2, 1, 2, 3].map((id) => append(log, 0, { session: 's', id }))
    // What was kept before is kept, whatever happens to what was asked for in between.
    expect(await outcomes[0]).toEqual({ offset: 1, duplicate: true })
    await expect(outcomes[1]).rejects.toMatchObject(failed)
    const first = await outcomes[1]?.catch((error: unknown) => error)
    for (const outcome of [outcomes[3], outcomes[4], append(log), append(quiet)] as Promise<Appended>[]) {
      await expect(outcome).rejects.toBe(first)
    }
    expect(await outcomes[2]).toEqual({ offset: 1, duplicate: true })
    expect(log.offset).toBe(1)
    await expect(store.open('room', limits)).rejects.toMatchObject(failed)

    disk.isFull = false
    await expect(append(log)).rejects.toBe(first)
    const reopened = await store.open('room', limits)
    expect(reopened).toMatchObject({ epoch: log.epoch, offset: 1 })
    expect(await append(reopened, 0, { session: 's', id: 2 })).toEqual({ offset: 2, duplicate: false })
    expect(await append(reopened, 0, { session: 's', id: 1 })).toEqual({ offset: 1, duplicate: true })
    const { entries } = await reopened.before(Infinity, all())
    expect(entries.map(({ offset }) => offset)).toEqual([1, 2])
  })

  it('finds out once for all who ask whether it can write again', async () => {
    const { store } = harness()
    const rooms = ['a', 'b', 'c']
    const logs = await Promise.all(rooms.map(async (room) => store.open(room, limits)))
    disk.isFull = true
    await Promise.all(logs.map((log) => expect(append(log)).rejects.toMatchObject(failed)))
    disk.isFull = false
    const opened = rooms.map(async (room) => store.open(room, limits))
    // By now it is finding out.
    await new Promise(setImmediate)
    opened.push((async () => store.open('d', limits))())
    for (const log of await Promise.all(opened)) expect(await append(log)).toEqual({ offset: 1, duplicate: false })
  })

  it('refuses sessions, and writes what became of others when it can', async () => {
    const made = harness()
    await made.store.create(sessionOf('s'), 'secret')
    await made.store.create(sessionOf('t'), 'secret')
    disk.isFull = true
    made.store.put(sessionOf('s', { guest: true }))
    made.store.delete('t')
    await expect(made.store.create(sessionOf('u'), 'secret')).rejects.toMatchObject(failed)
    await expect(made.store.create(sessionOf('u'), 'secret')).rejects.toMatchObject(failed)
    expect(await made.store.claim('u', 'secret')).toBeUndefined()
    expect(await made.store.claim('s', 'secret')).toMatchObject({ record: { guest: true } })
    disk.isFull = false
    await made.store.create(sessionOf('v'), 'secret')
    await made.restart()
    expect(await made.store.restore()).toEqual([sessionOf('s', { guest: true }), sessionOf('v')])
  })

  it('says so when it is closed, and is closed for good', async () => {
    const path = temporaryFolder()
    const store = lmdb({ path })
    await store.create(sessionOf('s'), 'secret')
    disk.isFull = true
    store.put(sessionOf('s', { guest: true }))
    await expect(store.close()).rejects.toMatchObject(failed)
    await expect(store.close()).rejects.toMatchObject(failed)
    expect(() => lmdb({ path })).toThrow('This process has')
  })

  it('writes what was left when it can again before it is closed', async () => {
    const made = harness()
    const log = await made.store.open('room', limits)
    await made.store.create(sessionOf('s'), 'secret')
    disk.isFull = true
    made.store.put(sessionOf('s', { guest: true }))
    await expect(append(log)).rejects.toMatchObject(failed)
    disk.isFull = false
    await made.restart()
    expect(await made.store.restore()).toEqual([sessionOf('s', { guest: true })])
  })
})
