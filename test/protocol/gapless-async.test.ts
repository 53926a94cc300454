import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LaggingHistory, type Fate } from '../lagging-store.ts'
import { Stage } from '../stage.ts'
import { ask, byName, greet, replayed } from './cast.ts'
import { Follower } from './follower.ts'

const who = fc.constantFrom(0, 1)
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant('say' as const), who, count: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('settle' as const),
      fate: fc.constantFrom<Fate>('kept', 'kept', 'kept', 'lost', 'hushed'),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('cut', 'join', 'repeat', 'pause', 'resume'), who }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constantFrom('return', 'history', 'presence', 'typing'), who }) },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constantFrom('read', 'read', 'fail to read'), index: fc.nat({ max: 2 }) }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('open', 'open', 'open', 'fail to open', 'wait') }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('turn') }) },
)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
type Cast = readonly [Follower, Follower]

async function perform(stage: Stage, history: LaggingHistory, followers: Cast, it: Step): Promise<void> {
  const follower = 'who' in it ? followers[it.who as 0 | 1] : undefined
  const mayLose = (): void => followers.forEach((one) => (one.mayLose = true))
  if (it.what === 'settle' && 'fate' in it) history.settle(it.fate, it.count)
  else if (it.what === 'say' && 'count' in it) for (let i = 0; i < it.count; i++) follower?.say()
  else if (it.what === 'read' && 'index' in it) history.reads.answer(it.index)
  else if (it.what === 'fail to read' && 'index' in it) {
    if (history.reads.size > it.index) mayLose()
    history.reads.fail(it.index)
  } else if (it.what === 'open') history.opens.answer()
  else if (it.what === 'fail to open') history.opens.fail()
  else if (it.what === 'turn') await stage.clock.settle()
  else if (it.what === 'wait') {
    // What is read now may be given up.
    if (history.reads.size > 0) mayLose()
    await stage.clock.advance(3_000)
  } else if (it.what === 'cut') follower?.socket.cut()
  else if (it.what === 'pause') follower?.socket.pause()
  else if (it.what === 'resume') follower?.socket.resume()
  else if (it.what === 'return') await follower?.connect()
  else if (it.what === 'join') follower?.join()
  else if (it.what === 'repeat') follower?.repeat()
  else if (it.what === 'history') follower?.ask({ type: 'history', limit: 5 })
  else if (it.what === 'presence') follower?.ask({ type: 'presence', state: it.what })
  else if (it.what === 'typing') follower?.ask({ type: 'typing', typing: true })
  for (const one of followers) one.take()
}

/** The disk has recovered, and so does everybody. */
async function recover(stage: Stage, history: LaggingHistory, followers: Cast): Promise<void> {
  history.prompt = true
  for (const errands of [history.opens, history.reads]) errands.lag = false
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      history.opens.answerAll()
      history.reads.answerAll()
      history.settle()
      await stage.clock.settle()
      for (const follower of followers) follower.take()
    }
  }
  for (const { socket } of followers) socket.resume()
  await settle()
  for (const follower of followers) await follower.connect()
  await settle()
  for (const follower of followers) if (follower.isOut) follower.join()
  await settle()
  for (const follower of followers) follower.repeat()
  await settle()
}

describe('a room on a log that takes its time and fails', () => {
  it('[GAPLESS] [ORDER] [ONCE] loses, doubles and reorders nothing, over any run of talk, cuts, reads and failures', async () => {
    const told = { recovered: 0, lost: 0, failed: 0, gaps: 0 }
    const runs = fc.record({
      steps: fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }),
      // Who watches sees every step: then nothing takes a fast lane.
      watched: fc.boolean(),
      // With a log that keeps little, some is lost; nobody may be told otherwise.
      isSmall: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(runs, async ({ steps, watched, isSmall }) => {
        const history = new LaggingHistory()
        const rooms = { main: { history: isSmall ? 3 : 1_000 } }
        const stage = new Stage({ ...byName, history, rooms, ...(watched ? { inspect: () => {} } : {}) })
        const followers: Cast = [new Follower(stage, 'ada'), new Follower(stage, 'bob')]
        for (const follower of followers) {
          follower.mayLose = follower.mayMiss = isSmall
          await follower.connect()
          await stage.clock.settle()
          follower.take()
        }
        for (const errands of [history.opens, history.reads]) errands.lag = true
        for (const it of steps) await perform(stage, history, followers, it)
        await recover(stage, history, followers)

        const eve = await greet(stage, { token: 'eve' })
        await ask(stage, eve, { type: 'join', room: 'main' })
        const top = Number(eve.last('joined')['offset'])
        const [page] = await ask(stage, eve, { type: 'history', room: 'main', limit: 300 })
        const log = replayed(page)
        const places = new Map(log.map(({ offset, data }) => [offset, data]))
        expect([...places.keys()]).toEqual(log.map((_, i) => top - log.length + 1 + i))
        if (!isSmall) expect(log).toHaveLength(top)
        const acknowledged = new Set<number | undefined>()
        for (const follower of followers) {
          follower.expectAnswers()
          expect(follower.offset).toBe(top)
          const offsets = follower.seen.map(({ offset }) => offset)
          expect(offsets).toEqual([...new Set(offsets)].toSorted((a, b) => a - b))
          if (!follower.mayLose) expect(offsets).toHaveLength(top)
          // Under one offset there is one message, whoever saw it and wherever it stands.
          for (const { offset, data } of follower.seen) {
            expect(places.get(offset) ?? data).toBe(data)
            places.set(offset, data)
          }
          told.recovered += follower.told.recovered
          told.lost += follower.told.lost
          told.gaps += follower.told.gaps
        }
        for (const follower of followers) {
          let last = 0
          for (const [id, { sends, ack }] of follower.said) {
            expect(places.get(ack?.offset ?? 0) ?? id).toBe(id)
            acknowledged.add(ack?.offset)
            if (sends > 1) continue
            // What was not repeated stands in the order in which it was said.
            expect(ack?.offset).toBeGreaterThan(last)
            last = ack?.offset ?? 0
          }
        }
        // Nothing stands there twice, and nothing that nobody has said.
        expect([...acknowledged].toSorted((a, b) => Number(a) - Number(b))).toEqual(
          Array.from({ length: top }, (_, i) => i + 1),
        )
        told.failed += stage.telemetry.filter(({ type }) => type === 'storage.failed').length
        expect(stage.telemetry.filter(({ type }) => type === 'actor.crashed')).toEqual([])
        expect(history.breaches).toEqual([])
        await stage.close()
      }),
      { numRuns: 120 },
    )
    // The runs must have come by all of that, or they have shown nothing.
    expect(Math.min(...Object.values(told))).toBeGreaterThan(0)
  })
})
