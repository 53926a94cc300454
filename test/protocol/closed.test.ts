import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RuntimeOptions } from '../../src/runtime/options.ts'
import { Stage, type RawClient } from '../stage.ts'
import { ask, byName, claimOf, greet, serverEnds, v1 } from './cast.ts'
import { unrulyConnection } from '../unruly-connection.ts'

/** Everything that ends a connection or makes its end harder. */
const blows: { readonly [name: string]: (stage: Stage, client: RawClient) => unknown } = {
  close: (_, client) => client.socket.close(1000),
  'close without a code': (_, client) => client.socket.close(),
  cut: (_, client) => client.socket.cut(),
  'half-open': (_, client) => client.socket.cut({ halfOpen: true }),
  pause: (_, client) => client.socket.pause(),
  resume: (_, client) => client.socket.resume(),
  'too big': (_, client) => client.send('x'.repeat(70_000)),
  throw: (_, client) => client.send({ type: 'throw' }),
  forbid: (_, client) => client.send({ type: 'forbid' }),
  flood: (_, client) => {
    for (let i = 0; i < 20; i++) client.send({ type: 'ping' })
  },
  hello: (_, client) => client.send({ type: 'hello', token: 'ada', resume: claimOf(client) }),
  'bad hello': (_, client) => client.send({ type: 'hello', token: 'bad' }),
  join: (_, client) => client.send({ type: 'join', room: 'main' }),
  typing: (_, client) => client.send({ type: 'typing', room: 'main', typing: true }),
  claim: (stage, client) => greet(stage, { token: 'ada', resume: claimOf(client) }),
  turn: (stage) => stage.clock.settle(),
  wait: (stage) => stage.clock.advance(3_000),
}

const fatal = ['close', 'close without a code', 'cut', 'half-open', 'too big', 'throw', 'forbid', 'claim']

/** The built-in machine, unless an application's is needed. */
const machineFor = (names: readonly string[]): RuntimeOptions =>
  names.includes('throw') || names.includes('forbid') ? { connection: unrulyConnection } : {}

describe('a connection', () => {
  it.each(fatal.flatMap((one) => fatal.map((other) => [one, other] as const)))(
    '[CLOSED] ends with one close frame at most by %s and %s together',
    async (one, other) => {
      const stage = new Stage({ ...byName, ...machineFor([one, other]) })
      const ends = serverEnds(stage)
      const ada = await stage.connect({ token: 'ada' })
      // At once, so that they cross on their way.
      void blows[one]?.(stage, ada)
      void blows[other]?.(stage, ada)
      await stage.clock.advance(200_000)
      expect(ends[0]?.closeFrames.length).toBeLessThanOrEqual(1)
      expect(ada.closed.length).toBeLessThanOrEqual(1)
      // Whoever claimed the session may have got it, and stays.
      expect(stage.runtime.census.connections).toBeLessThanOrEqual([one, other].includes('claim') ? 2 : 0)
      expect(ends[0]?.link.outbox.writable).toBe(false)
    },
  )

  it('[CLOSED] ends, and leaves nothing behind, after any run of blows', async () => {
    const blow = fc.tuple(fc.constantFrom(...Object.keys(blows)), fc.nat({ max: 2 }))
    await fc.assert(
      fc.asyncProperty(fc.array(blow, { maxLength: 30 }), async (run) => {
        const stage = new Stage({ ...byName, ...machineFor(run.map(([name]) => name)) })
        const ends = serverEnds(stage)
        const cast = [
          await stage.connect({ token: 'ada' }),
          await stage.connect(v1),
          await stage.member('main', { token: 'ada' }),
        ]
        for (const [name, who] of run) {
          const client = cast[who]
          if (client === undefined || (client.socket.readyState !== 1 && name !== 'resume')) continue
          if ((name === 'hello' || name === 'claim') && client.of('welcome').length === 0) continue
          await blows[name]?.(stage, client)
        }
        const closing = stage.runtime.close()
        await stage.clock.advance(30_000)
        await closing
        for (const { closeFrames, link } of ends) {
          expect(closeFrames.length).toBeLessThanOrEqual(1)
          expect(link.outbox.writable).toBe(false)
        }
        for (const { closed } of cast) expect(closed.length).toBeLessThanOrEqual(1)
        expect(stage.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
        expect(stage.clock.pending).toBe(0)
      }),
      { numRuns: 150 },
    )
  })

  it('[CLOSED] leaves no trace when nothing but connecting and leaving has happened, a thousand times', async () => {
    const stage = new Stage()
    const before = stage.clock.pending
    for (let i = 0; i < 100; i++) {
      const clients = await Promise.all(Array.from({ length: 10 }, () => stage.member(`room ${i}`)))
      for (const { socket } of clients) socket.close(1000)
      await stage.clock.settle()
    }
    expect(stage.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
    expect(stage.clock.pending).toBe(before)
  })
})

describe('a server', () => {
  it('[CLOSED] has nothing left when it has closed, whoever does not answer and whatever was under way', async () => {
    let answers = 0
    const stage = new Stage({
      authenticate: ({ token = '' }) => (token === 'never' ? new Promise(() => answers++) : { id: token }),
    })
    const halfOpen = await stage.member('main', { token: 'ada' })
    halfOpen.socket.cut({ halfOpen: true })
    const deaf = await stage.member('main', { token: 'bob' })
    deaf.socket.pause()
    await stage.connect(v1)
    await stage.connect({ token: 'never' })
    const away = await stage.member('main', { token: 'eve' })
    away.socket.cut()
    await ask(stage, deaf, { type: 'typing', room: 'main', typing: true }, { type: 'message', room: 'main', data: 1 })
    const closings = [stage.runtime.close(), stage.runtime.close()]
    await stage.clock.advance(5_000)
    await Promise.all(closings)
    expect(stage.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
    expect(stage.clock.pending).toBe(0)
    // Afterwards sockets are cut off, and nothing comes of them.
    const late = await stage.connect({ token: 'late' })
    expect(late.closed).toEqual([{ code: 1006, reason: '' }])
    expect(stage.clock.pending).toBe(0)
  })
})
