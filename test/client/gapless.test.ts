import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Position } from '../../src/client/index.ts'
import { ScriptedRoom } from './scripted-room.ts'
import { ScriptedServer } from './scripted-server.ts'

type Step = (room: ScriptedRoom, server: ScriptedServer) => unknown

interface Named {
  readonly name: string
  readonly run: Step
}

const step = (name: string, run: Step): fc.Arbitrary<Named> => fc.constant({ name, run })
const weighted = (weight: number, arbitrary: fc.Arbitrary<Named>) => ({ weight, arbitrary })

/** What a sound server, network and room may do. */
const honest = [
  weighted(
    8,
    step('say', (room) => room.say()),
  ),
  weighted(
    4,
    step('settle', (_room, server) => server.clock.settle()),
  ),
  weighted(
    2,
    step('advance', (_room, server) => server.clock.advance(700)),
  ),
  weighted(
    2,
    step('cut', (_room, server) => server.socket.end()),
  ),
  weighted(
    1,
    step('flutter', (room) => room.flutter()),
  ),
  weighted(
    1,
    fc.integer({ min: 1, max: 4 }).map((back) => ({ name: `repeat ${back}`, run: (room) => room.repeat(back) })),
  ),
  weighted(
    1,
    fc.integer({ min: 0, max: 3 }).map((keep) => ({ name: `forget ${keep}`, run: (room) => room.forget(keep) })),
  ),
  weighted(
    2,
    fc.tuple(fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }), fc.boolean()).map(([survives, cut]) => ({
      name: `spare ${survives.join()}${cut ? ' and cut' : ''}`,
      run: (room) => room.spare(survives, cut),
    })),
  ),
]

const faulty = [
  ...honest,
  weighted(
    3,
    step('lose', (room) => room.lose()),
  ),
  weighted(
    1,
    step('begin', (room) => room.begin()),
  ),
]

interface Outcome {
  readonly seen: readonly { readonly epoch: string; readonly offset: number; readonly serial: number }[]
  /** Serials between which something may be missing, the first excluded. */
  readonly gaps: readonly (readonly [number, number])[]
  /** The serial at which the client came in. */
  readonly from: number
  readonly heals: readonly number[]
  readonly room: ScriptedRoom
}

async function play(steps: readonly Named[]): Promise<Outcome> {
  const server = new ScriptedServer()
  const room = new ScriptedRoom(server)
  room.say()
  const client = server.client()
  const seen: Outcome['seen'][number][] = []
  const gaps: { from: Position; to: Position }[] = []
  const joined = client.join('main')
  joined.on('message', ({ data, volatile, epoch, offset }) => {
    if (!volatile) seen.push({ epoch: epoch as string, offset: offset as number, serial: data as number })
  })
  joined.on('gap', (gap) => gaps.push(gap))
  await server.clock.advance(100)
  for (const { run } of steps) await run(room, server)
  // Whatever went before: in the end there is a connection, and one more message that shows what is missing.
  await server.clock.advance(30_000)
  room.say()
  await server.clock.advance(1_000)
  expect([client.status, joined.actor.getSnapshot().value]).toEqual(['open', 'joined'])
  return {
    seen,
    gaps: gaps.map(({ from, to }) => [room.serialOf(from), room.serialOf(to)]),
    from: 1,
    heals: [client.heals, joined.heals],
    room,
  }
}

const runs = { numRuns: 300 }

describe('[GAPLESS] what a listener sees of a room', () => {
  it('is in order, each message once, and all that it was not told to miss', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(...faulty), { maxLength: 40 }), async (steps) => {
        const { seen, gaps, from, room } = await play(steps)
        seen.forEach((it, i) => expect(it.serial).toBeGreaterThan(seen[i - 1]?.serial ?? from))
        for (const it of seen) expect(room.said[it.serial - 1]).toEqual(it)
        const serials = new Set(seen.map(({ serial }) => serial))
        const missing = room.said
          .map(({ serial }) => serial)
          .filter((serial) => serial > from && !serials.has(serial) && !room.left.has(serial))
          .filter((serial) => !gaps.some(([after, until]) => serial > after && serial <= until))
        expect(missing).toEqual([])
      }),
      runs,
    )
  })

  it('needs no healing when nothing was lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(...honest), { maxLength: 40 }), async (steps) => {
        const { heals, room } = await play(steps)
        expect(room.faults).toBe(0)
        expect(heals).toEqual([0, 0])
      }),
      runs,
    )
  })

  it('is healed no more often than something was lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(...faulty), { maxLength: 40 }), async (steps) => {
        const { heals, room } = await play(steps)
        const [all = 0, ofRoom] = heals
        expect(all).toBeLessThanOrEqual(room.faults)
        expect(ofRoom).toBe(all)
      }),
      runs,
    )
  })
})
