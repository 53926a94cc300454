import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Stage, type RawClient } from '../stage.ts'
import { ask, byName, claimOf, clientSockets, greet } from './cast.ts'

type Message = { readonly offset: number; readonly data: unknown }

/** Follows RESUME-4 to the letter: what a connection brought, from its `joined` on. */
function accounted(client: RawClient): { recovered: unknown; upTo: number; messages: Message[] } | undefined {
  const from = client.received.findIndex(({ type }) => type === 'joined')
  const joined = client.received[from]
  if (joined === undefined) return undefined
  const later = client.received.slice(from).filter(({ type }) => type === 'message') as unknown as Message[]
  const messages = [...(joined['messages'] as Message[]), ...later]
  return { recovered: joined['recovered'], upTo: messages.at(-1)?.offset ?? Number(joined['offset']), messages }
}

describe('a client that comes back', () => {
  it('[GAPLESS] has everything once when it is told recovered, over any run of talk, cuts and returns', async () => {
    const step = fc.oneof(
      fc.record({ what: fc.constantFrom('cut', 'pause', 'return', 'return', 'return to talk', 'turn') }),
      fc.record({ what: fc.constant('talk'), count: fc.integer({ min: 1, max: 8 }) }),
      fc.record({ what: fc.constant('wait'), ms: fc.constantFrom(1_000, 1_000, 20_000, 130_000) }),
    )
    let [recoveries, losses] = [0, 0]
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const stage = new Stage({ ...byName, rooms: { main: { history: 10, historyMs: 300_000 } } })
        const bob = await stage.member('main', { token: 'bob' })
        let ada = await stage.member('main', { token: 'ada' })
        const claim = claimOf(ada)
        const { epoch } = ada.last('joined')
        let [position, said] = [0, 0]
        const seen = new Map<number, unknown>()
        /** Takes in what the connection brought, and holds it to the promise. */
        const take = (first: boolean): void => {
          const account = accounted(ada)
          if (account === undefined) return
          const { recovered, upTo, messages } = account
          if (recovered === true || first) {
            expect(messages.map(({ offset }) => offset)).toEqual(messages.map((_, i) => position + 1 + i))
          } else expect(messages[0]?.offset ?? Infinity).toBeGreaterThan(position)
          if (recovered === true) recoveries++
          else if (!first) losses++
          for (const { offset, data } of messages) {
            expect(seen.has(offset)).toBe(false)
            seen.set(offset, data)
          }
          position = upTo
        }
        let first = true
        const talk = (count: number): void => {
          for (let i = 0; i < count; i++) bob.send({ type: 'message', room: 'main', data: ++said })
        }
        for (const step of steps) {
          if ('count' in step) talk(step.count)
          else if ('ms' in step) await stage.clock.advance(step.ms)
          else if (step.what === 'cut') ada.socket.cut()
          else if (step.what === 'pause') ada.socket.pause()
          else if (step.what === 'turn') await stage.clock.settle()
          else {
            ada.socket.cut()
            await stage.clock.settle()
            take(first)
            first = false
            ada = await greet(stage, { token: 'ada', resume: claim })
            ada.send({ type: 'join', room: 'main', since: { epoch, offset: position } })
            if (step.what === 'return to talk') talk(2)
          }
        }
        ada.socket.resume()
        await stage.clock.settle()
        take(first)
        for (const [offset, data] of seen) expect(data).toBe(offset)
        await stage.close()
      }),
      { numRuns: 100 },
    )
    // The runs must have come by both answers, or they have shown nothing.
    expect(Math.min(recoveries, losses)).toBeGreaterThan(0)
  })

  it('[GAPLESS] loses nothing to the client library, also when others talk while it is let in', async () => {
    let talk = (): void => {}
    const stage = new Stage({
      authenticate: ({ token = '' }) => {
        if (token === 'ada') talk()
        return { id: token }
      },
    })
    const { sockets, WebSocket } = clientSockets(stage)
    const room = stage.client({ token: 'ada', WebSocket, backoffMs: 1 }).join('main')
    const seen: number[] = []
    room.on('message', ({ offset }) => seen.push(offset ?? NaN))
    await stage.clock.advance(100)
    const bob = await stage.member('main', { token: 'bob' })
    const say = { type: 'message', room: 'main', data: 'x' }
    sockets[0]?.cut()
    await ask(stage, bob, say, say, say)
    // Whenever Bob hears himself he says the next thing.
    let left = 20
    const { onmessage } = bob.socket
    bob.socket.onmessage = (event) => {
      onmessage?.(event)
      if (left-- > 0) bob.send(say)
    }
    talk = () => bob.send(say)
    await stage.clock.advance(100)
    expect(bob.of('message').length).toBeGreaterThan(20)
    expect(seen).toEqual(bob.of('message').map(({ offset }) => offset))
  })

  it('[GAPLESS] is told of a log that was lost, never given another’s messages for its own', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    await ask(stage, ada, { type: 'message', room: 'main', data: 'old' })
    const { epoch } = ada.last('joined')
    await ask(stage, ada, { type: 'leave', room: 'main' })
    await stage.clock.advance(300_000)
    const bob = await stage.member()
    await ask(
      stage,
      bob,
      { type: 'message', room: 'main', data: 'new' },
      { type: 'message', room: 'main', data: 'new' },
    )
    const [joined] = await ask(stage, ada, { type: 'join', room: 'main', since: { epoch, offset: 1 } })
    expect(joined).toMatchObject({ recovered: false, messages: [], offset: 2 })
    expect(joined?.['epoch']).not.toBe(epoch)
  })
})
