import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogEntry, LoggedRequest, RoomLog } from '../../src/runtime/ports/history.ts'
import { limits, type HistoryHarness } from './history-harness.ts'

/** A question about what lies so far below the last offset that was given. */
interface Read {
  readonly below: number
  readonly limit: number
  /** How much of what is kept is not to be shown. */
  readonly back: number
  readonly wait: number
}

type Step =
  | { readonly do: 'append'; readonly wait: number; readonly request: LoggedRequest | undefined }
  /** Lets a turn of the event loop pass: some of what was promised may settle, or none. */
  | { readonly do: 'pass' }
  | { readonly do: 'settle' }
  | ({ readonly do: 'since' } & Read)
  | ({ readonly do: 'before' } & Read)
  | { readonly do: 'forget'; readonly session: string }
  | { readonly do: 'restart' }

// So that what is kept is often exactly as old as it may be.
const wait = fc.constantFrom(0, 0, 0, 0, 250, 500)
const session = fc.constantFrom('s', 't', '__proto__')
const id = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom('1', '2', '\ud800', '\ud801'))
const read = {
  below: fc.integer({ min: -2, max: 9 }),
  limit: fc.nat({ max: 7 }),
  back: fc.constantFrom(0, 0, 1, 2, 3),
  wait,
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append'),
      wait,
      request: fc.option(fc.record({ session, id }), { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('since'), ...read }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('before'), ...read }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget'), session }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart') }) },
)

/** What a log would be if it were nothing but arrays, and time never stood between a request and its answer. */
class Model {
  now = 0
  entries: LogEntry[] = []
  /** The last offset of which the log has said that it is kept. */
  kept = 0
  readonly #requests = new Map<string, { at: number; offsets: (LoggedRequest & { offset: number })[] }>()

  append(request: LoggedRequest | undefined): { offset: number; duplicate: boolean } {
    let known = request && this.#requests.get(request.session)
    if (known !== undefined && known.at <= this.now - limits.idempotencyMs) known = undefined
    const before = known?.offsets.find(({ id }) => id === request?.id)
    if (before !== undefined) return { offset: before.offset, duplicate: true }
    const offset = this.entries.length + 1
    this.entries.push({ offset, at: this.now, from: '{}', content: `,"data":${offset}` })
    if (request !== undefined) {
      const offsets = [...(known?.offsets ?? []), { ...request, offset }].slice(-limits.idempotencyCount)
      this.#requests.set(request.session, { at: this.now, offsets })
    }
    return { offset, duplicate: false }
  }

  forget(session: string): void {
    this.#requests.delete(session)
  }

  /** What may be shown up to an offset. */
  shown(until: number): LogEntry[] {
    return this.entries
      .slice(0, this.kept)
      .slice(-limits.count)
      .filter(({ offset, at }) => offset <= until && at > this.now - limits.ageMs)
  }
}

class Run {
  readonly #harness: HistoryHarness
  readonly #model = new Model()
  #log: RoomLog
  #underWay: Promise<void>[] = []
  #left = 0

  constructor(harness: HistoryHarness, log: RoomLog) {
    this.#harness = harness
    this.#log = log
  }

  async take(step: Step): Promise<void> {
    const model = this.#model
    if ('wait' in step) model.now += step.wait
    if (step.do === 'append') this.#append(step.request)
    if (step.do === 'pass') {
      await new Promise(setImmediate)
      expect(this.#log.offset).toBe(model.kept)
    }
    if (step.do === 'settle') await this.settle()
    if (step.do === 'forget') {
      model.forget(step.session)
      this.#log.forget(step.session)
    }
    if (step.do === 'restart' && this.#harness.restart !== undefined) await this.#restart(this.#harness.restart)
    if (step.do === 'since' || step.do === 'before') {
      const offset = model.entries.length - step.below
      // A log that keeps at once has nothing beyond what may be shown.
      const until = this.#harness.restart === undefined ? model.kept : Math.max(0, model.kept - step.back)
      if (step.do === 'since') await this.#since(offset, step.limit, until)
      else await this.#before(offset, step.limit, until)
    }
  }

  async settle(): Promise<void> {
    await Promise.all(this.#underWay)
    this.#underWay = []
    expect(this.#log.offset).toBe(this.#model.entries.length)
  }

  #append(request: LoggedRequest | undefined): void {
    const model = this.#model
    const expected = model.append(request)
    const record = { at: model.now, from: '{}', content: `,"data":${model.entries.length}` }
    const appended = this.#log.append(record, request)
    const settled = (actual: unknown): void => {
      expect(actual).toEqual(expected)
      model.kept = Math.max(model.kept, expected.offset)
      expect(this.#log.offset).toBeGreaterThanOrEqual(model.kept)
    }
    if (!(appended instanceof Promise)) return settled(appended)
    this.#left++
    this.#underWay.push(
      appended.then((actual) => {
        this.#left--
        settled(actual)
      }),
    )
  }

  async #restart(restart: () => Promise<void>): Promise<void> {
    const { epoch } = this.#log
    await this.settle()
    this.#log.close()
    await restart.call(this.#harness)
    this.#log = await this.#harness.history.open('room', limits)
    expect(this.#log.offset).toBe(this.#model.kept)
    if (this.#model.kept > 0) expect(this.#log.epoch).toBe(epoch)
  }

  async #since(offset: number, limit: number, until: number): Promise<void> {
    const { now, entries: logged } = this.#model
    const answer = await this.#log.since({ epoch: this.#log.epoch, offset }, { limit, until, now })
    const shown = this.#model.shown(until)
    const missed = logged.slice(Math.max(0, offset), until)
    const isWhole =
      offset >= 0 && offset <= until && missed.length <= limit && missed.every((entry) => shown.includes(entry))
    // While a transaction is under way it may have been said too early that something is gone, and never too late.
    if (answer.recovered || this.#left === 0) expect(answer.recovered).toBe(isWhole)
    expect(answer.entries).toEqual(answer.recovered ? missed : [])
  }

  async #before(offset: number, limit: number, until: number): Promise<void> {
    const { now } = this.#model
    const answer = await this.#log.before(offset, { limit, until, now })
    const shown = this.#model.shown(until).filter((entry) => entry.offset < offset)
    const page = limit === 0 ? [] : shown.slice(-limit)
    if (this.#left === 0) {
      expect(answer).toEqual({ entries: page, complete: page.length === shown.length })
    } else {
      expect(answer.entries).toEqual(answer.entries.length === 0 ? [] : page.slice(-answer.entries.length))
    }
  }
}

/** Compares a store of logs with a model of one, whatever is asked of it, and in whatever order. */
export function describeHistoryModel(name: string, setUp: () => HistoryHarness): void {
  describe(`${name} history`, () => {
    it('[GAPLESS] [ONCE] does what its model does, whatever is asked of it and whenever', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
          const harness = setUp()
          try {
            const run = new Run(harness, await harness.history.open('room', limits))
            for (const each of steps) await run.take(each)
            await run.settle()
          } finally {
            await harness.close()
          }
        }),
      )
    })
  })
}
