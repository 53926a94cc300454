import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RuntimeOptions } from '../../src/runtime/options.ts'
import { Stage, type RawClient } from '../stage.ts'
import { ask, brittleHistory, byName, claimOf, greet } from './cast.ts'

const sign = { type: 'typing', room: 'main', typing: true }
const stop = { type: 'typing', room: 'main', typing: false }
const say = { type: 'message', room: 'main', data: 'x' }

/** What a client was shown of others' typing, in order. */
const shown = (client: RawClient): unknown[][] => client.of('typing').map(({ user, typing }) => [user, typing])

async function inRoom(options: RuntimeOptions = {}): Promise<{ stage: Stage; ada: RawClient; bob: RawClient }> {
  const stage = new Stage({ ...byName, ...options })
  return { stage, ada: await stage.member('main', { token: 'ada' }), bob: await stage.member('main', { token: 'bob' }) }
}

describe('typing', () => {
  it('[TYPING-1] is shown to the others at its first sign, and renewed by further ones', async () => {
    const { stage, ada, bob } = await inRoom()
    for (let i = 0; i < 10; i++) {
      await ask(stage, ada, sign)
      await stage.clock.advance(2_999)
    }
    expect(bob.of('typing')).toEqual([{ type: 'typing', room: 'main', user: 'ada', typing: true }])
    expect(ada.of('typing')).toEqual([])
    await stage.clock.advance(1)
    expect(shown(bob)).toEqual([
      ['ada', true],
      ['ada', false],
    ])
  })

  it('[TYPING-2] ends on `typing: false` and on a message, once', async () => {
    for (const end of [stop, say]) {
      const { stage, ada, bob } = await inRoom()
      await ask(stage, ada, sign, sign)
      await ask(stage, ada, end, end, stop)
      await stage.clock.advance(10_000)
      expect(shown(bob)).toEqual([
        ['ada', true],
        ['ada', false],
      ])
    }
  })

  it('[TYPING-2] shows its end before the message, and does not end by a message that is a duplicate', async () => {
    const { stage, ada, bob } = await inRoom()
    await ask(stage, ada, { ...say, id: 1 }, sign)
    await ask(stage, ada, { ...say, id: 1 })
    expect(shown(bob)).toEqual([['ada', true]])
    const before = bob.received.length
    await ask(stage, ada, say)
    expect(bob.received.slice(before).map(({ type }) => type)).toEqual(['typing', 'message'])
  })

  it('[TYPING-2] does not show an end that had no beginning', async () => {
    const { stage, ada, bob } = await inRoom()
    await ask(stage, ada, stop, say, { type: 'leave', room: 'main' })
    expect(shown(bob)).toEqual([])
  })

  it('[TYPING-4] of a user in several tabs is shown once, and not to the user', async () => {
    const { stage, ada, bob } = await inRoom()
    const tab = await stage.member('main', { token: 'ada' })
    await ask(stage, ada, sign)
    await ask(stage, tab, sign)
    await stage.clock.advance(2_000)
    await ask(stage, tab, sign)
    await stage.clock.advance(2_000)
    expect(shown(bob)).toEqual([['ada', true]])
    const eve = await stage.member('main', { token: 'eve' })
    expect(shown(eve)).toEqual([['ada', true]])
    await ask(stage, ada, stop)
    expect(shown(bob)).toHaveLength(1)
    await ask(stage, tab, say)
    for (const other of [bob, eve]) {
      expect(shown(other)).toEqual([
        ['ada', true],
        ['ada', false],
      ])
    }
    expect([shown(ada), shown(tab)]).toEqual([[], []])
  })

  it.each(['1', '"true"', 'null', '{}'])('[TYPING-3] that is %s is answered bad-message', async (typing) => {
    const { stage, ada, bob } = await inRoom()
    expect(await ask(stage, ada, `{"type":"typing","room":"main","typing":${typing},"id":1}`)).toMatchObject([
      { type: 'error', code: 'bad-message', id: 1 },
    ])
    expect(shown(bob)).toEqual([])
  })

  it('[TYPING-3] in a room not joined is answered not-a-member', async () => {
    const { stage, bob } = await inRoom()
    const eve = await stage.connect({ token: 'eve' })
    expect(await ask(stage, eve, { ...sign, id: 1 })).toMatchObject([{ code: 'not-a-member', id: 1, room: 'main' }])
    expect(shown(bob)).toEqual([])
  })
})

type Faults = ReturnType<typeof brittleHistory>['faults']

/** Everything that may happen to somebody who types; each of them leaves the others with an end. */
const ends: { readonly [what: string]: (stage: Stage, ada: RawClient, faults: Faults) => Promise<unknown> | void } = {
  silence: () => {},
  'typing: false': (stage, ada) => ask(stage, ada, stop),
  'a message': (stage, ada) => ask(stage, ada, say),
  leaving: (stage, ada) => ask(stage, ada, { type: 'leave', room: 'main' }),
  'closing with 1000': (_, ada) => ada.socket.close(1000),
  'closing without a code': (_, ada) => ada.socket.close(),
  'a cut': (_, ada) => ada.socket.cut(),
  'a half-open socket': (_, ada) => ada.socket.cut({ halfOpen: true }),
  'a breach': (stage, ada) => ask(stage, ada, 'x'.repeat(70_000)),
  'a takeover': (stage, ada) => greet(stage, { token: 'ada', resume: claimOf(ada) }),
  'a failure of the room': (stage, ada, faults) => {
    faults.appends = 1
    return ask(stage, ada, say)
  },
  'a failure of the room for another': async (stage, _, faults) => {
    const eve = await stage.member('main', { token: 'eve' })
    faults.appends = 1
    await ask(stage, eve, say)
  },
}

describe('an indicator', () => {
  it.each(Object.entries(ends))('[TYPING] ends within 3 s of %s', async (_, happen) => {
    const { history, faults } = brittleHistory()
    const { stage, ada, bob } = await inRoom({ history })
    await ask(stage, ada, sign)
    await happen(stage, ada, faults)
    await stage.clock.advance(3_000)
    expect(shown(bob)).toEqual([
      ['ada', true],
      ['ada', false],
    ])
    await stage.clock.advance(200_000)
    expect(shown(bob)).toHaveLength(2)
  })

  it.each(['typing: false', 'a message', 'leaving', 'closing with 1000', 'a failure of the room'])(
    '[TYPING] ends at once on %s',
    async (what) => {
      const { history, faults } = brittleHistory()
      const { stage, ada, bob } = await inRoom({ history })
      await ask(stage, ada, sign)
      await ends[what]?.(stage, ada, faults)
      await stage.clock.settle()
      expect(shown(bob)).toEqual([
        ['ada', true],
        ['ada', false],
      ])
    },
  )

  it('[TYPING] ends in every room, and begins again after a failure', async () => {
    const { history, faults } = brittleHistory()
    const { stage, ada, bob } = await inRoom({ history })
    for (const client of [ada, bob]) await ask(stage, client, { type: 'join', room: 'other' })
    await ask(stage, ada, sign, { ...sign, room: 'other' })
    faults.appends = 1
    await ask(stage, ada, say)
    expect(bob.of('typing').map(({ room, typing }) => [room, typing])).toEqual([
      ['main', true],
      ['other', true],
      ['main', false],
    ])
    await ask(stage, ada, sign)
    await stage.clock.advance(3_000)
    for (const room of ['main', 'other'])
      expect(bob.of('typing').findLast((m) => m['room'] === room)).toMatchObject({ typing: false })
  })

  it('[TYPING] ends after any run of signs, ends, cuts and returns', async () => {
    const step = fc.record({
      who: fc.constantFrom('ada', 'ada again', 'eve'),
      what: fc.constantFrom('sign', 'sign', 'stop', 'say', 'leave', 'join', 'cut', 'return'),
      wait: fc.constantFrom(0, 1_000, 3_000),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { stage, ada, bob } = await inRoom()
        const cast = new Map([
          ['ada', ada],
          ['ada again', await stage.member('main', { token: 'ada' })],
          ['eve', await stage.member('main', { token: 'eve' })],
        ])
        const messages = {
          sign,
          stop,
          say,
          leave: { type: 'leave', room: 'main' },
          join: { type: 'join', room: 'main' },
        }
        for (const { who, what, wait } of steps) {
          const client = cast.get(who) ?? ada
          if (what === 'cut') client.socket.cut()
          else if (what === 'return')
            cast.set(who, await greet(stage, { token: who.slice(0, 3), resume: claimOf(client) }))
          else await ask(stage, client, messages[what])
          await stage.clock.advance(wait)
        }
        await stage.clock.advance(3_000)
        for (const user of ['ada', 'eve']) {
          const seen = shown(bob)
            .filter(([who]) => who === user)
            .map(([, typing]) => typing)
          // A beginning and its end in turn, and an end at last.
          expect(seen).toEqual(seen.map((_, index) => index % 2 === 0))
          expect(seen.length % 2).toBe(0)
        }
        await stage.close()
      }),
      { numRuns: 60 },
    )
  })
})
