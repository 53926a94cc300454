import { describe, expect, it } from 'vitest'
import type { SessionRecord, SessionStore } from '../../src/runtime/ports/session-store.ts'

/** A store under test. */
export interface SessionHarness {
  readonly sessions: SessionStore
  /** Ends the store as a restart would, and begins it anew. Absent where nothing outlives the store. */
  restart?(): Promise<void>
  close(): Promise<void>
}

export const sessionOf = (id: string, more: Partial<SessionRecord> = {}): SessionRecord => ({
  id,
  user: { id: `user of ${id}` },
  guest: false,
  rooms: [],
  ...more,
})

const awkwardIds = ['', 's', 's"', '__proto__', 'constructor', 'a\0b', '\ud800', '\ud801', '😀', 'é'.repeat(127)]

/** What every store of sessions must do. */
export function describeSessions(name: string, setUp: () => SessionHarness): void {
  const scene = async (run: (sessions: SessionStore, harness: SessionHarness) => Promise<void>): Promise<void> => {
    const harness = setUp()
    try {
      await run(harness.sessions, harness)
    } finally {
      await harness.close()
    }
  }
  const fence = async (sessions: SessionStore, id: string, secret: string): Promise<number> =>
    (await sessions.claim(id, secret))?.fence ?? NaN

  describe(`${name} sessions`, () => {
    it('begin with none', async () => {
      await scene(async (sessions) => {
        expect(await sessions.restore()).toEqual([])
        expect(await sessions.claim('s', 'secret')).toBeUndefined()
      })
    })

    it('are given to whoever shows the secret, and to nobody else', async () => {
      await scene(async (sessions) => {
        await sessions.create(sessionOf('s'), 'secret')
        await sessions.create(sessionOf('t'), 'another')
        for (const wrong of ['', 'secre', 'secret ', 'Secret', 'another']) {
          expect(await sessions.claim('s', wrong)).toBeUndefined()
        }
        expect(await sessions.claim('r', 'secret')).toBeUndefined()
        expect(await sessions.claim('s', 'secret')).toMatchObject({ record: sessionOf('s') })
      })
    })

    it('are told apart, whatever their ids are', async () => {
      await scene(async (sessions) => {
        for (const id of awkwardIds) await sessions.create(sessionOf(id), `secret of ${id.length} ${id}`)
        for (const id of awkwardIds) {
          expect((await sessions.claim(id, `secret of ${id.length} ${id}`))?.record).toEqual(sessionOf(id))
        }
      })
    })

    it('[FENCE] give each claim a greater number than the one before', async () => {
      await scene(async (sessions) => {
        await sessions.create(sessionOf('s'), 'secret')
        const fences = []
        for (let i = 0; i < 5; i++) fences.push(await fence(sessions, 's', 'secret'))
        await sessions.claim('s', 'wrong')
        fences.push(await fence(sessions, 's', 'secret'))
        expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b))
        expect(fences.every((each) => each > 0 && Number.isSafeInteger(each))).toBe(true)
      })
    })

    it('are over when they are', async () => {
      await scene(async (sessions) => {
        await sessions.create(sessionOf('s'), 'secret')
        sessions.delete('s')
        sessions.delete('s')
        expect(await sessions.claim('s', 'secret')).toBeUndefined()
        sessions.put(sessionOf('s'))
        expect(await sessions.claim('s', 'secret')).toBeUndefined()
        await sessions.create(sessionOf('s'), 'new')
        expect(await sessions.claim('s', 'secret')).toBeUndefined()
        expect(await sessions.claim('s', 'new')).toBeDefined()
      })
    })
  })
}

/** What every store of sessions must do beyond that which outlives its process. */
export function describeLastingSessions(name: string, setUp: () => Required<SessionHarness>): void {
  const scene = async (run: (harness: Required<SessionHarness>) => Promise<void>): Promise<void> => {
    const harness = setUp()
    try {
      await run(harness)
    } finally {
      await harness.close()
    }
  }

  describe(`${name} sessions`, () => {
    it('are there again after a restart, as they last were', async () => {
      await scene(async (harness) => {
        for (const id of awkwardIds) await harness.sessions.create(sessionOf(id), `secret of ${id}`)
        const last = sessionOf('s', {
          guest: true,
          rooms: [{ name: '__proto__', state: { typing: [1, null, 'é'] } }, { name: 'b' }],
          detachedAt: 12.5,
        })
        harness.sessions.put(sessionOf('s', { rooms: [{ name: 'a' }] }))
        harness.sessions.put(last)
        expect((await harness.sessions.claim('s', 'secret of s'))?.record).toEqual(last)
        harness.sessions.delete('__proto__')
        await harness.restart()
        const left = awkwardIds.filter((id) => id !== '__proto__')
        const expected = left.map((id) => (id === 's' ? last : sessionOf(id)))
        const restored = await harness.sessions.restore()
        expect(restored).toHaveLength(left.length)
        expect(restored).toEqual(expect.arrayContaining(expected))
        expect((await harness.sessions.claim('s', 'secret of s'))?.record).toEqual(last)
        expect(await harness.sessions.claim('s', 'secret of t')).toBeUndefined()
        expect(await harness.sessions.claim('__proto__', 'secret of __proto__')).toBeUndefined()
      })
    })

    it('take what happens to one in the order in which it happens', async () => {
      await scene(async (harness) => {
        const { sessions } = harness
        const created = [sessions.create(sessionOf('a'), 'first'), sessions.create(sessionOf('b'), 'first')]
        sessions.put(sessionOf('a', { guest: true }))
        sessions.delete('a')
        sessions.delete('b')
        created.push(Promise.resolve(sessions.create(sessionOf('b'), 'second')))
        sessions.put(sessionOf('b', { guest: true }))
        await Promise.all(created)
        await harness.restart()
        expect(await harness.sessions.restore()).toEqual([sessionOf('b', { guest: true })])
        expect(await harness.sessions.claim('b', 'first')).toBeUndefined()
        expect(await harness.sessions.claim('b', 'second')).toBeDefined()
      })
    })

    it('[FENCE] give each claim a greater number than the one before, restarts or not', async () => {
      await scene(async (harness) => {
        await harness.sessions.create(sessionOf('s'), 'secret')
        const fences: number[] = []
        for (let restart = 0; restart < 3; restart++) {
          for (let i = 0; i < 3; i++) fences.push((await harness.sessions.claim('s', 'secret'))?.fence ?? NaN)
          await harness.restart()
        }
        expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b))
      })
    })
  })
}
