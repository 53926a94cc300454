import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lmdb, type LmdbOptions } from '../../src/storage/lmdb.ts'
import { refuseBrokenFile } from '../../src/storage/lmdb/file.ts'
import { append, limits } from './history-harness.ts'
import { openRaw, temporaryFolder } from './lmdb-harness.ts'
import { sessionOf } from './session-contract.ts'

const unusable = {
  code: 'store-unusable',
  message: expect.stringContaining('a part of its file is missing') as unknown,
}
const failed = { code: 'store-write-failed', message: expect.stringContaining('has been deleted') as unknown }

function refusal(path: string): unknown {
  try {
    return lmdb({ path })
  } catch (error) {
    return error
  }
}

/** A store's file of a megabyte or more. */
async function filled(): Promise<string> {
  const path = temporaryFolder()
  const store = lmdb({ path })
  const log = await store.open('room', { ...limits, count: 1_000 })
  for (let i = 0; i < 60; i++) await log.append({ at: 0, from: '{}', content: 'x'.repeat(20_000) })
  for (let i = 0; i < 50; i++) {
    await store.create(sessionOf(`${i}`, { rooms: [{ name: 'room', state: 'x'.repeat(3_000) }] }), 'secret')
  }
  await store.close()
  expect(statSync(join(path, 'data.mdb')).size).toBeGreaterThan(1_000_000)
  return path
}

describe('the file of lmdb', () => {
  it('is refused when a part of it is missing', async () => {
    const path = await filled()
    const { size } = statSync(join(path, 'data.mdb'))
    for (const length of [100, 4_096, 9_000, 65_536, size >> 1, size - 300_000]) {
      const copy = join(path, String(length))
      mkdirSync(copy)
      copyFileSync(join(path, 'data.mdb'), join(copy, 'data.mdb'))
      truncateSync(join(copy, 'data.mdb'), length)
      expect(refusal(copy)).toMatchObject(unusable)
      expect(statSync(join(copy, 'data.mdb')).size).toBe(length)
    }
    await lmdb({ path }).close()
  })

  it('is refused when another format of lmdb is in it, or nonsense', async () => {
    const path = await filled()
    const whole = readFileSync(join(path, 'data.mdb'))
    for (const [at, value] of [
      [28, 1],
      [48, 0],
      [48, 100_000],
    ] as const) {
      const bytes = Buffer.from(whole)
      bytes.writeUInt32LE(value, at)
      writeFileSync(join(path, 'data.mdb'), bytes)
      expect(refusal(path)).toMatchObject({ code: 'store-unusable' })
    }
    const older = Buffer.from(whole)
    older.copyWithin(16, 24, 200)
    older.writeUInt32LE(1, 20)
    writeFileSync(join(path, 'data.mdb'), older)
    expect(refusal(path)).toMatchObject({ message: expect.stringContaining('format 1') as unknown })
  })

  it('may be shorter than its last page, if what is missing is free', async () => {
    const path = temporaryFolder()
    const raw = openRaw(path)
    let isShort = 0
    for (let i = 0; i < 100; i++) {
      await raw.batch(() => {
        const key = Buffer.from(`e${i % 7}`)
        void raw.put(key, Buffer.alloc((i * 7_919) % 50_000))
        void raw.put(key, Buffer.alloc((i * 104_729) % 50_000))
        if (i % 3 === 0) void raw.remove(key)
      })
      await raw.flushed
      const { lastPageNumber, pageSize } = raw.getStats() as { lastPageNumber: number; pageSize: number }
      if (statSync(join(path, 'data.mdb')).size < (lastPageNumber + 1) * pageSize) isShort++
      expect(() => refuseBrokenFile(join(path, 'data.mdb'))).not.toThrow()
    }
    expect(isShort).toBeGreaterThan(0)
    await raw.close()
  })

  for (const durability of ['flushed', 'committed'] as NonNullable<LmdbOptions['durability']>[]) {
    it(`promises nothing any more when it is gone (${durability})`, async () => {
      const path = join(temporaryFolder(), 'store')
      const store = lmdb({ path, durability })
      const log = await store.open('room', limits)
      await append(log)
      const other = await store.open('other', limits)
      await append(other)
      rmSync(path, { recursive: true })
      await expect(append(log)).rejects.toMatchObject(failed)
      await expect(append(other)).rejects.toMatchObject(failed)
      await expect(store.create(sessionOf('s'), 'secret')).rejects.toMatchObject(failed)
      await expect(Promise.resolve(store.open('room', limits))).rejects.toMatchObject(failed)
      await expect(store.close()).rejects.toMatchObject(failed)
    })
  }

  it('is not the file that somebody else has put in its place', async () => {
    const path = join(temporaryFolder(), 'store')
    const store = lmdb({ path })
    const log = await store.open('room', limits)
    await append(log)
    renameSync(path, `${path}.old`)
    await openRaw(path).close()
    await expect(append(log)).rejects.toMatchObject(failed)
    await expect(store.close()).rejects.toMatchObject(failed)
  })
})
