import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { metaKey, nameKey, offsetKey } from '../../src/storage/lmdb/codec.ts'
import { lmdb, type LmdbOptions } from '../../src/storage/lmdb.ts'
import { append, limits } from './history-harness.ts'
import { harness, openRaw, temporaryFolder } from './lmdb-harness.ts'
import { sessionOf } from './session-contract.ts'

const refusal = (options: object): unknown => {
  try {
    return lmdb(options as LmdbOptions)
  } catch (error) {
    return error
  }
}

describe('lmdb', () => {
  it('refuses options that it does not know, and values that cannot be', () => {
    const path = join(temporaryFolder(), 'never made')
    for (const options of [
      { sync: true },
      { durability: 'none' },
      { totalBytes: 0 },
      { totalBytes: '1' },
      { sessionsBytes: -1 },
    ]) {
      expect(refusal({ path, ...options })).toBeInstanceOf(RangeError)
    }
    for (const options of [{ path, now: 1 }, { path: '' }, {}]) expect(refusal(options)).toBeInstanceOf(TypeError)
    expect(existsSync(path)).toBe(false)
  })

  it('makes its folder, though its name looks like that of a file', async () => {
    const path = join(temporaryFolder(), 'a', 'store.v1')
    const store = lmdb({ path })
    expect(existsSync(join(path, 'data.mdb'))).toBe(true)
    await store.close()
  })

  it('refuses what is no folder, and what is not its own', async () => {
    const path = temporaryFolder()
    const unusable = { code: 'store-unusable' }
    writeFileSync(join(path, 'file'), '')
    expect(refusal({ path: join(path, 'file') })).toMatchObject(unusable)
    mkdirSync(join(path, 'garbage'))
    writeFileSync(join(path, 'garbage', 'data.mdb'), 'x'.repeat(10_000))
    expect(refusal({ path: join(path, 'garbage') })).toMatchObject(unusable)
    const written = [
      ['key', 'value', 'it holds data of another program'],
      [metaKey, '{"format":2}', 'its format is 2'],
      [metaKey, 'not JSON', 'JSON'],
    ] as const
    for (const [index, [key, value, reason]] of written.entries()) {
      const foreign = openRaw(join(path, `foreign ${index}`))
      foreign.putSync(Buffer.from(key), Buffer.from(value))
      await foreign.close()
      const error = refusal({ path: join(path, `foreign ${index}`) })
      expect(error).toMatchObject({ ...unusable, message: expect.stringContaining(reason) as unknown })
    }
  })

  it('refuses a folder that this process has open, and takes it when it is closed', async () => {
    const path = temporaryFolder()
    const store = lmdb({ path })
    expect(refusal({ path: join(path, '..', basename(path)) })).toMatchObject({ code: 'store-in-use' })
    await store.close()
    await lmdb({ path }).close()
  })

  it('closes when all is written, once, however often it is told to', async () => {
    const made = harness()
    const log = await made.store.open('room', limits)
    const appended = append(log)
    const created = made.store.create(sessionOf('s'), 'secret')
    made.store.put(sessionOf('s', { guest: true }))
    await Promise.all([made.store.close(), made.store.close()])
    expect(await appended).toEqual({ offset: 1, duplicate: false })
    await created
    await made.restart()
    expect((await made.store.open('room', limits)).offset).toBe(1)
    expect(await made.store.restore()).toEqual([sessionOf('s', { guest: true })])
  })

  it('takes nothing once it is closed', async () => {
    const { store } = harness()
    const log = await store.open('room', limits)
    await append(log)
    await store.close()
    const closed = { code: 'store-closed' }
    await expect(append(log)).rejects.toMatchObject(closed)
    await expect(store.create(sessionOf('s'), 'secret')).rejects.toMatchObject(closed)
    await expect(store.open('room', limits)).rejects.toMatchObject(closed)
    expect(() => log.forget('s')).not.toThrow()
    expect(() => store.delete('s')).not.toThrow()
  })

  it('writes no secret', async () => {
    const made = harness()
    await made.store.create(sessionOf('s'), 'for nobody to read')
    let values = 0
    await made.restart({}, (raw, sessions) => {
      for (const { value } of [...raw.getRange({}), ...sessions.getRange({})]) {
        values++
        expect(value.toString('latin1')).not.toContain('for nobody')
      }
    })
    expect(values).toBeGreaterThan(2)
  })

  it('drops what is not a session, and says nothing', async () => {
    const made = harness()
    await made.store.create(sessionOf('s'), 'secret')
    const whole = { id: 'x', user: { id: 'u' }, guest: true, rooms: [] }
    const broken = [
      '',
      '{',
      'null',
      '[]',
      ...[
        { id: 1 },
        { user: null },
        { user: {} },
        { guest: 0 },
        { rooms: {} },
        { rooms: [{}] },
        { rooms: [{ name: 'a' }] },
        { detachedAt: 'now' },
      ].map((part) => JSON.stringify({ ...whole, ...part })),
    ]
    await made.restart({}, (_raw, sessions) => {
      for (const [index, text] of broken.entries()) {
        sessions.putSync(nameKey('s', `broken ${index}`), Buffer.from(text === '' ? 'x' : `${'h'.repeat(32)}${text}`))
      }
      sessions.putSync(offsetKey(nameKey('t', 's'), 99), Buffer.from('"of no room"'))
    })
    expect(await made.store.restore()).toEqual([sessionOf('s')])
    let left = 0
    await made.restart({}, (_raw, sessions) => {
      left = sessions.getKeysCount({})
    })
    expect(left).toBe(1)
    expect(await made.store.claim('s', 'secret')).toBeDefined()
  })

  it('refuses names that are too long for it', async () => {
    const { store } = harness()
    expect(() => store.open('x'.repeat(2_000), limits)).toThrow(RangeError)
    await expect(store.create(sessionOf('x'.repeat(2_000)), 'secret')).rejects.toThrow(RangeError)
  })
})
