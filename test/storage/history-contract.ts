import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RoomLog } from '../../src/runtime/ports/history.ts'
import { all, append, limits, type HistoryHarness } from './history-harness.ts'
import { describeHistoryModel } from './history-model.ts'

/** The offsets that one sees who goes back page by page. */
async function pages(log: RoomLog, limit: number): Promise<number[]> {
  const seen: number[] = []
  for (let before = Infinity, complete = false; !complete;) {
    const page = await log.before(before, all({ limit }))
    expect(page.entries.length).toBeLessThanOrEqual(limit)
    seen.unshift(...page.entries.map(({ offset }) => offset))
    complete = page.complete
    before = seen[0] ?? 0
  }
  return seen
}

/** What every store of rooms' logs must do. */
export function describeHistory(name: string, setUp: () => HistoryHarness): void {
  const scene = async (run: (log: RoomLog, harness: HistoryHarness) => Promise<void>): Promise<void> => {
    const harness = setUp()
    try {
      await run(await harness.history.open('room', limits), harness)
    } finally {
      await harness.close()
    }
  }
  describe(`${name} history`, () => {
    it('gives back what was logged, as it was', async () => {
      await scene(async (log) => {
        const contents = [
          ',"data":"é€😀"',
          ',"bytes":"AAE="',
          ',"data":"\ud800"',
          '',
          `,"data":"${'x'.repeat(100_000)}"`,
        ]
        const records = contents.map((content, at) => ({ at: at + 0.5, from: `{"user":"ü${at}"}`, content }))
        for (const record of records) await log.append(record)
        const { entries } = await log.before(Infinity, all())
        expect(entries).toEqual(records.map((record, index) => ({ ...record, offset: index + 1 })))
      })
    })

    it('counts from 1, and tells the last offset that is kept', async () => {
      await scene(async (log) => {
        expect(log.offset).toBe(0)
        const appended = await Promise.all([append(log), append(log), append(log)])
        expect(appended.map(({ offset }) => offset)).toEqual([1, 2, 3])
        expect(log.offset).toBe(3)
      })
    })

    it('settles what it promised in the order in which it was asked', async () => {
      await scene(async (log) => {
        const settled: string[] = []
        const asked = ['a', 'b', 'a', 'c', 'b'].map(async (id, index) => {
          const { offset } = await append(log, 0, { session: 's', id })
          settled.push(`${index}: ${offset}`)
        })
        await Promise.all(asked)
        expect(settled).toEqual(['0: 1', '1: 2', '2: 1', '3: 3', '4: 2'])
      })
    })

    it('keeps rooms apart, whatever they are called', async () => {
      await scene(async (_log, { history }) => {
        const names = [
          '',
          'a',
          'a"',
          'ab',
          'a\0',
          'a\0\0\0\0\0\0\u0001',
          '__proto__',
          'constructor',
          '😀',
          'é'.repeat(127),
        ]
        const logs = await Promise.all(names.map(async (room) => history.open(room, limits)))
        for (const [index, log] of logs.entries()) {
          for (let i = 0; i <= index % 3; i++) await append(log, index, { session: '__proto__', id: i })
        }
        for (const [index, log] of logs.entries()) {
          const { entries } = await log.before(Infinity, all())
          expect(entries.map(({ offset, at }) => [offset, at])).toEqual(
            Array.from({ length: (index % 3) + 1 }, (_, i) => [i + 1, index]),
          )
        }
      })
    })

    it('[GAPLESS] gives all that was missed or says that it cannot, for every history and every position', async () => {
      await scene(async (_log, { history }) => {
        const waits = fc.array(fc.constantFrom(0, 50, 250, 400), { maxLength: 30, size: 'max' })
        let runs = 0
        await fc.assert(
          fc.asyncProperty(
            waits,
            fc.integer({ min: -2, max: 32 }),
            fc.nat({ max: 8 }),
            async (waits, offset, limit) => {
              const log = await history.open(`room ${++runs}`, limits)
              let now = 0
              const logged = await Promise.all(
                waits.map(async (wait) => ({ at: (now += wait), ...(await append(log, now)) })),
              )
              const kept = logged.slice(-limits.count).filter(({ at }) => at > now - limits.ageMs)
              const missed = logged.filter((entry) => entry.offset > offset)
              const isWhole =
                offset >= 0 &&
                offset <= logged.length &&
                missed.length <= limit &&
                missed.every((entry) => kept.includes(entry))
              const { recovered, entries } = await log.since({ epoch: log.epoch, offset }, all({ limit, now }))
              expect(recovered).toBe(isWhole)
              expect(entries.map((entry) => entry.offset)).toEqual(isWhole ? missed.map((entry) => entry.offset) : [])
              log.close()
            },
          ),
        )
      })
    })

    it('[GAPLESS] recovers nothing from another epoch', async () => {
      await scene(async (log) => {
        await append(log)
        expect(await log.since({ epoch: 'other', offset: 1 }, all())).toEqual({ recovered: false, entries: [] })
      })
    })

    it('[GAPLESS] recovers nothing from a place that is not one', async () => {
      await scene(async (log) => {
        await append(log)
        for (const offset of [-1, 2, Infinity]) {
          expect(await log.since({ epoch: log.epoch, offset }, all())).toEqual({ recovered: false, entries: [] })
        }
      })
    })

    it('pages backwards without a gap until nothing older is kept', async () => {
      await scene(async (log, { history }) => {
        for (let count = 0; count < 9; count++) {
          const room = await history.open(`room of ${count}`, limits)
          await Promise.all(Array.from({ length: count }, () => append(room)))
          const kept = Math.min(count, limits.count)
          const expected = Array.from({ length: kept }, (_, i) => count - kept + i + 1)
          for (let limit = 1; limit < 5; limit++) expect(await pages(room, limit)).toEqual(expected)
        }
        expect(await log.before(Infinity, all())).toEqual({ entries: [], complete: true })
      })
    })

    it('keeps no messages where none are to be kept, and counts them', async () => {
      await scene(async (_log, { history }) => {
        const log = await history.open('fleeting', { ...limits, count: 0 })
        const { epoch } = log
        for (let id = 0; id < 3; id++) await append(log, 0, { session: 's', id })
        expect(await append(log, 0, { session: 's', id: 1 })).toEqual({ offset: 2, duplicate: true })
        expect(await log.before(Infinity, all())).toEqual({ entries: [], complete: true })
        expect(await log.since({ epoch, offset: 3 }, all())).toEqual({ recovered: true, entries: [] })
        expect(await log.since({ epoch, offset: 2 }, all())).toEqual({ recovered: false, entries: [] })
      })
    })

    it('[ONCE] remembers each session’s last requests within the window', async () => {
      await scene(async (log) => {
        const isKnown = async (session: string, id: number | string, at: number): Promise<boolean> =>
          (await append(log, at, { session, id })).duplicate
        await append(log, 0, { session: 's', id: 1 })
        await append(log, 0, { session: 't', id: 1 })
        expect(await append(log, 0, { session: 's', id: 1 })).toEqual({ offset: 1, duplicate: true })
        expect(await append(log, 0, { session: 't', id: 1 })).toEqual({ offset: 2, duplicate: true })
        expect(await isKnown('t', '1', 0)).toBe(false)
        for (let id = 2; id <= 6; id++) await append(log, 1_000, { session: 's', id })
        const known = []
        for (const id of [6, 5, 4, 3]) known.push(await isKnown('s', id, 2_999))
        expect(known).toEqual([true, true, true, true])
        expect(await isKnown('t', 1, 1_999)).toBe(true)
        expect(await isKnown('s', 2, 2_999)).toBe(false)
      })
    })

    it('[ONCE] forgets requests when the window has passed since the last of them, and not before', async () => {
      await scene(async (log) => {
        await append(log, 0, { session: 's', id: 1 })
        await append(log, 1_500, { session: 's', id: 2 })
        expect(await append(log, 3_499, { session: 's', id: 1 })).toMatchObject({ duplicate: true })
        expect(await append(log, 3_500, { session: 's', id: 1 })).toEqual({ offset: 3, duplicate: false })
        expect(await append(log, 3_500, { session: 's', id: 2 })).toEqual({ offset: 4, duplicate: false })
      })
    })

    it('[ONCE] recognises a retry of what is still being written', async () => {
      await scene(async (log) => {
        const request = { session: 's', id: 'a' }
        const [first, retry, other] = await Promise.all([
          append(log, 0, request),
          append(log, 1, request),
          append(log, 2),
        ])
        expect([first, retry, other]).toEqual([
          { offset: 1, duplicate: false },
          { offset: 1, duplicate: true },
          { offset: 2, duplicate: false },
        ])
      })
    })

    it('[ONCE] forgets a session that is not coming back', async () => {
      await scene(async (log) => {
        await append(log, 0, { session: 's', id: 1 })
        await append(log, 0, { session: 't', id: 1 })
        log.forget('s')
        log.forget('nobody')
        expect(await append(log, 0, { session: 's', id: 1 })).toMatchObject({ duplicate: false })
        expect(await append(log, 0, { session: 't', id: 1 })).toMatchObject({ duplicate: true })
      })
    })
  })

  describeHistoryModel(name, setUp)
}
