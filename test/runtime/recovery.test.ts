import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../../src/runtime/ports/history.ts'
import { bounded, merge, Reading } from '../../src/runtime/room/recovery.ts'
import { Session } from '../../src/runtime/session/session.ts'

const entry = (offset: number, length = 10): LogEntry => ({ offset, at: 0, from: '{}', content: 'x'.repeat(length) })
const entries = (from: number, to: number, length?: number): LogEntry[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => entry(from + i, length))
const offsets = (list: readonly LogEntry[]): number[] => list.map(({ offset }) => offset)
const position = (offset: number) => ({ epoch: 'e', offset })
const enough = { count: 1_000, length: 1_000_000 }
const nothing = { recovered: false, entries: [] }

describe('what was read of a log and what came meanwhile', () => {
  // So few places that all of them are often there.
  const pick = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 14 })
  const ascending = (list: number[]): LogEntry[] => [...new Set(list)].toSorted((a, b) => a - b).map((n) => entry(n))

  it('[GAPLESS] is all that was missed, each offset once, or nothing, whatever is missing or doubled in it', () => {
    let [recovered, lost] = [0, 0]
    fc.assert(
      fc.property(
        fc.record({
          since: fc.nat({ max: 5 }),
          top: fc.nat({ max: 5 }),
          read: pick,
          held: pick,
          isRead: fc.boolean(),
        }),
        ({ since, top, read, held, isRead }) => {
          const result = merge(
            position(since),
            { recovered: isRead, entries: ascending(read) },
            ascending(held),
            top,
            enough,
          )
          const wanted = offsets(entries(since + 1, top))
          if (result.recovered) {
            expect(offsets(result.entries)).toEqual(wanted)
            expect(since).toBeLessThanOrEqual(top)
            expect(isRead).toBe(true)
            recovered++
          } else {
            expect(result).toEqual(nothing)
            lost++
          }
        },
      ),
      { numRuns: 2_000 },
    )
    expect(Math.min(recovered, lost)).toBeGreaterThan(10)
  })

  it('[GAPLESS] is recovered whenever it can be: what was read overlaps what was delivered from then on, or meets it', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 30 }), { minLength: 4, maxLength: 4 }), (numbers) => {
        const [since, until, read, top] = numbers.toSorted((a, b) => a - b) as [number, number, number, number]
        // The log was asked for what is up to `until`, may show more, and everything after `until` was delivered.
        const result = merge(
          position(since),
          { recovered: true, entries: entries(since + 1, read) },
          entries(until + 1, top),
          top,
          enough,
        )
        expect([result.recovered, offsets(result.entries)]).toEqual([true, offsets(entries(since + 1, top))])
      }),
    )
  })

  it('[BOUND] is nothing when it is more than one answer may hold', () => {
    const read = { recovered: true, entries: entries(1, 3) }
    const all = (limits: object): unknown => merge(position(0), read, entries(4, 6), 6, { ...enough, ...limits })
    expect(all({ count: 6, length: 60 })).toMatchObject({ recovered: true })
    expect(all({ count: 5 })).toEqual(nothing)
    expect(all({ length: 59 })).toEqual(nothing)
    // What had been seen already does not count.
    expect(merge(position(3), read, entries(3, 6), 6, { count: 3, length: 30 })).toMatchObject({ recovered: true })
  })

  it('[BOUND] is not kept beyond what one answer may hold, and so recovers nothing then', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 40 }), { maxLength: 20 }),
        fc.nat({ max: 10 }),
        fc.nat({ max: 200 }),
        (lengths, count, length) => {
          const limits = { count, length }
          const message = { type: 'join', room: 'main' } as const
          const reading = new Reading(new Session('s', 'secret', { user: { id: 'ada' } }), message, undefined, limits)
          lengths.forEach((size, i) => reading.hold(entry(i + 1, size)))
          const total = lengths.reduce((sum, size) => sum + size, 0)
          expect(reading.held.length).toBeLessThanOrEqual(count + 1)
          expect(reading.held.reduce((sum, { content }) => sum + content.length, 0)).toBeLessThanOrEqual(length)
          const result = merge(position(0), { recovered: true, entries: [] }, reading.held, lengths.length, limits)
          expect(result.recovered).toBe(lengths.length <= count && total <= length)
        },
      ),
    )
  })
})

describe('a page of a log', () => {
  it('[HISTORY-2] is cut to the newest that one answer holds, but at least one, and says so', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 50 }), { maxLength: 20 }),
        fc.nat({ max: 200 }),
        fc.boolean(),
        (lengths, limit, complete) => {
          const page = { entries: lengths.map((size, i) => entry(i + 1, size)), complete }
          const result = bounded(page, limit)
          const kept = result.entries.length
          const sum = (n: number): number => (n === 0 ? 0 : lengths.slice(-n).reduce((total, size) => total + size, 0))
          expect(offsets(result.entries)).toEqual(offsets(page.entries).slice(lengths.length - kept))
          expect(kept).toBeGreaterThanOrEqual(Math.min(1, lengths.length))
          if (kept > 1) expect(sum(kept)).toBeLessThanOrEqual(limit)
          if (kept < lengths.length) expect(sum(kept + 1)).toBeGreaterThan(limit)
          expect(result.complete).toBe(complete && kept === lengths.length)
        },
      ),
    )
  })
})
