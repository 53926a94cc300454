import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryHistory, type LoggedRequest, type RoomLog } from '../../src/runtime/history.ts'

const limits = { count: 5, ageMs: 1_000, idempotencyMs: 2_000, idempotencyCount: 4 }

const openLog = async (): Promise<RoomLog> => memoryHistory(() => 'epoch').open('room', limits)

const append = (log: RoomLog, at: number, request?: LoggedRequest): number =>
  log.append({ at, from: '{}', content: '' }, request).offset

describe('memory history', () => {
  it('[GAPLESS] gives all that was missed or says that it cannot, for every history and every position', async () => {
    const steps = fc.array(fc.nat({ max: 400 }), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: -2, max: 40 }), fc.nat({ max: 8 }), async (waits, position, limit) => {
        const log = await openLog()
        let now = 0
        const all = waits.map((wait) => ({ at: (now += wait), offset: append(log, now) }))
        const kept = all.slice(-limits.count).filter(({ at }) => at > now - limits.ageMs)
        const missed = all.filter(({ offset }) => offset > position)
        const { recovered, entries } = log.since({ epoch: 'epoch', offset: position }, limit, now)
        const complete =
          position >= 0 &&
          position <= all.length &&
          missed.length <= limit &&
          missed.every((message) => kept.includes(message))
        expect(recovered).toBe(complete)
        expect(entries.map(({ offset }) => offset)).toEqual(complete ? missed.map(({ offset }) => offset) : [])
      }),
    )
  })

  it('[GAPLESS] recovers nothing from another epoch', async () => {
    const log = await openLog()
    append(log, 0)
    expect(log.since({ epoch: 'other', offset: 1 }, 10, 0)).toEqual({ recovered: false, entries: [] })
  })

  it('pages backwards without a gap until nothing older is kept', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 12 }), fc.integer({ min: 1, max: 4 }), async (count, limit) => {
        const log = await openLog()
        for (let i = 0; i < count; i++) append(log, 0)
        const seen: number[] = []
        for (let before = Infinity, complete = false; !complete;) {
          const page = log.before(before, limit, 0)
          expect(page.entries.length).toBeLessThanOrEqual(limit)
          seen.unshift(...page.entries.map(({ offset }) => offset))
          complete = page.complete
          before = seen[0] ?? 0
        }
        const kept = Math.min(count, limits.count)
        expect(seen).toEqual(Array.from({ length: kept }, (_, i) => count - kept + i + 1))
      }),
    )
  })

  it('[ONCE] remembers each session’s last requests within the window', async () => {
    const log = await openLog()
    const ids = (session: string, now: number): (number | undefined)[] =>
      [1, 2, 3, 4, 5, 6].map((id) => log.duplicateOf(session, id, now))
    append(log, 0, { session: 's', id: 1 })
    append(log, 0, { session: 't', id: 1 })
    expect(log.duplicateOf('s', 1, 0)).toBe(1)
    expect(log.duplicateOf('s', '1', 0)).toBeUndefined()
    expect(log.duplicateOf('t', 1, 0)).toBe(2)
    for (let id = 2; id <= 6; id++) append(log, 1_000, { session: 's', id })
    expect(ids('s', 1_000)).toEqual([undefined, undefined, 4, 5, 6, 7])
    expect(ids('t', 1_000)[0]).toBe(2)
    expect(ids('s', 3_000)).toEqual(Array.from({ length: 6 }, () => undefined))
    append(log, 3_000, { session: 's', id: 9 })
    expect(ids('s', 3_000)).toEqual(Array.from({ length: 6 }, () => undefined))
    log.forget('t')
    expect(ids('t', 1_000)[0]).toBeUndefined()
  })
})
