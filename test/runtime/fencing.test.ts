import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LaggingSessions } from '../lagging-store.ts'
import { ask, byName, claimOf, greet, heard, v1 } from '../protocol/cast.ts'
import { Stage, type RawClient } from '../stage.ts'

const say = (data: unknown): object => ({ type: 'message', room: 'main', data })

describe('a session that many claim of a store that takes its time', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ what: fc.constantFrom('polite', 'late', 'turn') }) },
    {
      weight: 3,
      arbitrary: fc.record({ what: fc.constantFrom('answer', 'answer', 'answer', 'fail'), index: fc.nat({ max: 3 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ what: fc.constantFrom('cut', 'halfOpen', 'talk', 'leave'), index: fc.nat({ max: 5 }) }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('wait'), ms: fc.constantFrom(1_000, 9_000, 110_000) }) },
  )

  it('[FENCE] has one owner at most, the newest that was let in, and no other is heard from then on', async () => {
    const told = { resumed: 0, replaced: 0, fresh: 0 }
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }), async (steps) => {
        const sessions = new LaggingSessions()
        const stage = new Stage({ ...byName, sessions })
        const bob = await stage.member('main', { token: 'bob' })
        const first = await stage.member('main', { token: 'ada' })
        const { session } = claimOf(first)
        sessions.claims.lag = true
        const claims: RawClient[] = [first]
        for (const it of steps) {
          const client = 'index' in it ? claims.at(-1 - it.index) : undefined
          if (it.what === 'polite' || it.what === 'late') {
            const next = await stage.connect(it.what === 'polite' ? v1 : { token: 'ada' })
            next.send({ type: 'hello', token: 'ada', resume: claimOf(first) })
            next.send(say(claims.length))
            claims.push(next)
          } else if (it.what === 'turn') await stage.clock.settle()
          else if (it.what === 'answer' && 'index' in it) sessions.claims.answer(it.index)
          else if (it.what === 'fail' && 'index' in it) sessions.claims.fail(it.index)
          else if ('ms' in it) await stage.clock.advance(it.ms)
          else if (it.what === 'talk') client?.send(say(claims.indexOf(client)))
          else if (it.what === 'leave') client?.socket.close(1000)
          else client?.socket.cut({ halfOpen: it.what === 'halfOpen' })
        }
        sessions.claims.lag = false
        sessions.claims.answerAll()
        await stage.clock.settle()

        // Once a newer claim has been let in, nobody hears the older ones.
        const owners = heard(bob).map(([, data]) => Number(data))
        const asOwner = bob.of('message').filter(({ from }) => (from as { session: unknown }).session === session)
        expect(asOwner.map(({ data }) => data)).toEqual(
          asOwner.map(({ data }) => data).toSorted((a, b) => Number(a) - Number(b)),
        )
        expect(new Set(owners).size).toBeLessThanOrEqual(claims.length)
        // Who asks for the room now asks as the session's owner, or not at all.
        const before = claims.map((client) => client.received.length)
        await ask(stage, bob, say('for one'))
        const hearers = claims.filter((client, i) =>
          client.received.slice(before[i]).some(({ type }) => type === 'message'),
        )
        expect(hearers.length).toBeLessThanOrEqual(1)
        for (const { closed } of claims) {
          for (const { code } of closed) expect([1000, 1006, 1011, 4001, 4009, 4201, 4210]).toContain(code)
          told.replaced += closed.filter(({ code }) => code === 4009).length
        }
        for (const client of claims.slice(1)) {
          for (const { resumed } of client.of('welcome')) told[resumed === true ? 'resumed' : 'fresh']++
        }
        // The session is there for its client as long as it is anywhere, and the store knows of no other.
        expect(sessions.disk.size).toBe(stage.runtime.census.sessions)
        const isKept = sessions.disk.has(String(session))
        const last = await greet(stage, { token: 'ada', resume: claimOf(first) })
        expect(last.last('welcome')['resumed']).toBe(isKept)
        await stage.clock.advance(200_000)
        expect(sessions.disk.size).toBe(stage.runtime.census.sessions)
        await stage.close()
      }),
      { numRuns: 100 },
    )
    expect(Math.min(...Object.values(told))).toBeGreaterThan(10)
  })
})
