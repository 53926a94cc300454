import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DiskFault } from '../../src/testing/index.ts'
import { all, append, limits } from '../storage/history-harness.ts'
import { sessionOf } from '../storage/session-contract.ts'
import { MountedDisk } from './disk-harness.ts'

const offsets = (entries: readonly { readonly offset: number }[]): number[] => entries.map(({ offset }) => offset)

describe('VirtualDisk', () => {
  it('takes as long as it may take, for each thing that it does', async () => {
    const made = new MountedDisk({ latencyMs: [3, 6] })
    const log = await made.soon(made.history.open('room', limits))
    await made.soon(made.sessions.create(sessionOf('s'), 'secret'))
    const timed = {
      open: () => made.history.open('other', limits),
      append: () => append(log),
      since: () => log.since({ epoch: log.epoch, offset: 0 }, all()),
      before: () => log.before(Infinity, all()),
      create: () => made.sessions.create(sessionOf('t'), 'secret'),
      claim: () => made.sessions.claim('s', 'secret'),
      restore: () => made.sessions.restore(),
    }
    for (const [name, act] of Object.entries(timed)) {
      const taken = new Set<number>()
      for (let i = 0; i < 50; i++) {
        const start = made.clock.now()
        await made.soon<unknown>(act())
        taken.add(made.clock.now() - start)
      }
      expect([name, ...[...taken].toSorted()]).toEqual([name, 3, 4, 5, 6])
    }
    made.disk.latencyMs = [50, 50]
    const start = made.clock.now()
    await made.soon(append(log))
    expect(made.clock.now() - start).toBe(50)
  })

  it('shows nothing beyond what it is asked for, and misses nothing there', async () => {
    const made = new MountedDisk()
    const log = await made.soon(made.history.open('room', limits))
    const appended = [append(log, 0), append(log, 500)]
    const since = log.since({ epoch: log.epoch, offset: 0 }, all({ until: 0, now: 1_000 }))
    expect(await made.soon(since)).toEqual({ recovered: true, entries: [] })
    await Promise.all(appended)
    const asked = [
      [0, 1, false],
      [1, 1, true],
      [1, 2, true],
      [2, 1, false],
    ] as const
    for (const [offset, until, recovered] of asked) {
      const answer = await made.soon(log.since({ epoch: log.epoch, offset }, all({ until, now: 1_000 })))
      expect([answer.recovered, ...offsets(answer.entries)]).toEqual(
        until > offset && recovered ? [true, 2] : [recovered],
      )
    }
  })

  it('answers nothing to a process that is stopped, until it goes on', async () => {
    const made = new MountedDisk({ latencyMs: [5, 5] })
    const settled: string[] = []
    void Promise.resolve(made.history.open('room', limits)).then(() => settled.push('open'))
    void Promise.resolve(made.sessions.create(sessionOf('s'), 'secret')).then(() => settled.push('create'))
    made.process.stop()
    await made.clock.advance(100)
    expect(settled).toEqual([])
    made.process.continue()
    await made.clock.settle()
    expect(settled.toSorted()).toEqual(['create', 'open'])
  })

  it('gives a log that was lost another identity, and keeps the others', async () => {
    const made = new MountedDisk()
    const open = (room: string) => made.soon(made.history.open(room, limits))
    const [lost, other] = [await open('lost'), await open('other')]
    for (const log of [lost, other]) await made.soon(append(log))
    expect(await open('lost')).toMatchObject({ epoch: lost.epoch, offset: 1 })
    made.disk.loseLog('lost')
    made.disk.loseLog('of no room')
    const found = await open('lost')
    expect(found.offset).toBe(0)
    expect(new Set([found.epoch, lost.epoch, other.epoch]).size).toBe(3)
    expect(await made.soon(found.since({ epoch: lost.epoch, offset: 1 }, all()))).toMatchObject({ recovered: false })
    expect(await open('other')).toMatchObject({ epoch: other.epoch, offset: 1 })
  })

  it('is the same with the same seed', async () => {
    const run = async (seed: number): Promise<unknown> => {
      const made = new MountedDisk({ seed, latencyMs: [0, 1_000] })
      const log = await made.soon(made.history.open('room', limits))
      await made.soon(append(log))
      return [log.epoch, made.clock.now()]
    }
    expect(await run(1)).toEqual(await run(1))
    expect(await run(1)).not.toEqual(await run(2))
  })
})

describe('a disk whose process is killed', () => {
  it('has kept all that it said it would, and of the rest the earlier before the later', async () => {
    const outcomes = new Set<'all' | 'some' | 'none'>()
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 8 }), fc.nat({ max: 40 }), async (seed, count, atMs) => {
        const made = new MountedDisk({ seed, latencyMs: [0, 30] })
        const kept = { ...limits, count: 100 }
        const log = await made.soon(made.history.open('room', kept))
        let [told, created] = [0, 0]
        for (let i = 0; i < count; i++) {
          void append(log).then(() => told++)
          void Promise.resolve(made.sessions.create(sessionOf(`${i}`), 'secret')).then(() => created++)
        }
        await made.clock.advance(atMs)
        const [toldBefore, createdBefore] = [told, created]
        made.kill()
        await made.clock.advance(1_000)
        expect([told, created]).toEqual([toldBefore, createdBefore])
        const found = await made.soon(made.history.open('room', kept))
        const { entries } = await made.soon(found.before(Infinity, all()))
        expect(offsets(entries)).toEqual(Array.from({ length: found.offset }, (_, i) => i + 1))
        expect(found.offset).toBeGreaterThanOrEqual(told)
        const ids = (await made.soon(made.sessions.restore())).map(({ id }) => id)
        expect(ids).toEqual(Array.from({ length: ids.length }, (_, i) => `${i}`))
        expect(ids.length).toBeGreaterThanOrEqual(created)
        if (told < count) outcomes.add(found.offset === count ? 'all' : found.offset > told ? 'some' : 'none')
      }),
      { seed: 1 },
    )
    expect(outcomes).toEqual(new Set(['all', 'some', 'none']))
  })

  it('takes nothing of it any more', async () => {
    const made = new MountedDisk()
    const log = await made.soon(made.history.open('room', limits))
    const { sessions } = made
    made.kill()
    void append(log)
    void sessions.create(sessionOf('s'), 'secret')
    sessions.delete('s')
    await made.clock.advance(1_000)
    expect((await made.soon(made.history.open('room', limits))).offset).toBe(0)
    expect(await made.soon(made.sessions.restore())).toEqual([])
  })
})

describe('a disk that is to fail', () => {
  it.each(['open', 'read', 'create', 'claim', 'restore'] as const)(
    'fails to %s once, and does it then',
    async (fault) => {
      const made = new MountedDisk({ latencyMs: [1, 9] })
      const log = await made.soon(made.history.open('room', limits))
      await made.soon(append(log))
      await made.soon(made.sessions.create(sessionOf('s'), 'secret'))
      const acts: Readonly<Record<typeof fault, () => Promise<unknown>>> = {
        open: async () => (await made.history.open('room', limits)).offset,
        read: async () => offsets((await log.before(Infinity, all())).entries),
        create: async () => made.sessions.create(sessionOf('t'), 'secret'),
        claim: async () => (await made.sessions.claim('s', 'secret'))?.fence,
        restore: async () => (await made.sessions.restore()).length,
      }
      made.disk.failNext(fault)
      expect(made.disk.pendingFaults).toBe(1)
      await expect(made.soon(acts[fault]())).rejects.toThrow('The disk failed')
      expect(made.disk.pendingFaults).toBe(0)
      expect((await made.soon(made.sessions.restore())).map(({ id }) => id)).toEqual(['s'])
      expect(await made.soon(acts[fault]())).toEqual(
        { open: 1, read: [1], create: undefined, claim: 1, restore: 1 }[fault],
      )
    },
  )

  it('fails to read what came after a position as well', async () => {
    const made = new MountedDisk()
    const log = await made.soon(made.history.open('room', limits))
    made.disk.failNext('read')
    const since = async (): Promise<unknown> => log.since({ epoch: log.epoch, offset: 0 }, all())
    await expect(made.soon(since())).rejects.toThrow('The disk failed to read.')
    expect(await made.soon(since())).toEqual({ recovered: true, entries: [] })
  })

  it('may have kept what it failed to append, or not', async () => {
    const kept = new Set<number>()
    for (let seed = 1; seed <= 20; seed++) {
      const made = new MountedDisk({ seed })
      const log = await made.soon(made.history.open('room', limits))
      made.disk.failNext('append')
      await expect(made.soon(append(log, 0, { session: 's', id: 1 }))).rejects.toThrow('The disk failed to write.')
      expect(log.offset).toBe(0)
      const found = await made.soon(made.history.open('room', limits))
      const { offset } = found
      kept.add(offset)
      // Whoever asks again is told the truth.
      const again = await made.soon(append(found, 0, { session: 's', id: 1 }))
      expect(again).toEqual({ offset: 1, duplicate: offset === 1 })
    }
    expect(kept).toEqual(new Set([0, 1]))
  })

  it('throws at a crash, and has kept nothing', async () => {
    const made = new MountedDisk()
    const log = await made.soon(made.history.open('room', limits))
    made.disk.failNext('crash')
    expect(() => log.append({ at: 0, from: '{}', content: '' })).toThrow('The store lost its mind.')
    await made.clock.advance(1_000)
    expect(await made.soon(append(log))).toEqual({ offset: 1, duplicate: false })
  })

  it('fails as often as it was told to, at nothing else, and not at all once it is mended', async () => {
    const made = new MountedDisk()
    const faults: DiskFault[] = ['read', 'read', 'claim']
    for (const fault of faults) made.disk.failNext(fault)
    const log = await made.soon(made.history.open('room', limits))
    await made.soon(append(log))
    const read = async (): Promise<unknown> => log.before(Infinity, all())
    for (let i = 0; i < 2; i++) await expect(made.soon(read())).rejects.toThrow('The disk failed to read.')
    await expect(made.soon(read())).resolves.toMatchObject({ complete: true })
    expect(made.disk.pendingFaults).toBe(1)
    made.disk.mend()
    expect(made.disk.pendingFaults).toBe(0)
    await expect(made.soon(made.sessions.claim('s', 'secret'))).resolves.toBeUndefined()
  })
})
