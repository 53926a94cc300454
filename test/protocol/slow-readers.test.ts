import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineRoom } from 'greenroom'
import { Stage, type RawClient } from '../stage.ts'
import { ask, byName, claimOf, greet, replayed } from './cast.ts'

type Step =
  | { readonly does: 'pause' | 'resume' | 'cut' }
  | { readonly does: 'say'; readonly bytes: number; readonly times: number; readonly key: string }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Step>({ does: 'pause' }, { does: 'resume' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ does: 'cut' }) },
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('say' as const),
      bytes: fc.constantFrom(1, 1_000, 15_000, 40_000),
      times: fc.integer({ min: 1, max: 8 }),
      key: fc.constantFrom('a', 'b', 'c', 'd'),
    }),
  },
)

/** A reader, and what it makes of what it is told: its place, what it was shown, and how many it was spared. */
class Reader {
  client: RawClient
  readonly shown: { readonly offset: number; readonly key: unknown }[] = []
  spared = 0
  #read = 0

  constructor(client: RawClient) {
    this.client = client
  }

  get place(): number {
    return this.shown.at(-1)?.offset ?? 0
  }

  /** Takes in what has come, and sees that it comes in order. */
  read(): void {
    for (const message of this.client.received.slice(this.#read)) {
      if (message.type === 'joined') {
        // Another place to go on from: whoever asks anew is told anew.
        expect(message).toMatchObject({ recovered: true })
        for (const { offset, data } of replayed(message)) this.#show(offset, data)
      } else if (message.type === 'skipped') {
        expect(message['offset']).toBeGreaterThan(this.place)
        expect(message['count']).toBeGreaterThan(0)
        this.spared += Number(message['count'])
      } else if (message.type === 'message') {
        this.#show(Number(message['offset']), message['data'])
      }
    }
    this.#read = this.client.received.length
  }

  goOn(client: RawClient): void {
    this.client = client
    this.#read = client.of('welcome').length
  }

  #show(offset: number, data: unknown): void {
    expect(offset).toBeGreaterThan(this.place)
    this.shown.push({ offset, key: (data as { key: unknown }).key })
  }
}

describe('a reader that stops and goes on', () => {
  it.each(['drop', 'latest', 'disconnect'] as const)(
    '[SKIPPED-1] [SKIPPED-2] [ORDER] is shown each message once and in order, or is told that it was spared it (%s)',
    async (slow) => {
      let spared = 0
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, recovers) => {
          const stage = new Stage({
            ...byName,
            outboxBytes: 100_000_000,
            replayBytes: 100_000_000,
            replayCount: 1_000,
            rooms: { main: defineRoom({ slow, history: 1_000 }) },
          })
          const ada = await stage.member('main', { token: 'ada' })
          const { epoch } = ada.last('joined') as { epoch?: unknown }
          const reader = new Reader(await stage.connect({ token: 'bob' }))
          const rejoin = async (): Promise<void> => {
            reader.read()
            const since = { epoch, offset: reader.place }
            await ask(stage, reader.client, { type: 'join', room: 'main', since })
          }
          await rejoin()
          let said = 0
          const last = new Map<string, number>()
          let recovered = false
          for (const { does, ...what } of steps) {
            if (does === 'say') {
              const { bytes, times, key } = what as { bytes: number; times: number; key: string }
              const message = { type: 'message', room: 'main', key, data: { key, x: 'x'.repeat(bytes) } }
              await ask(stage, ada, ...Array.from({ length: times }, () => message))
              last.set(key, (said += times))
            } else if (does === 'pause') {
              reader.client.socket.pause()
            } else if (does === 'resume') {
              reader.client.socket.resume()
            } else if (recovers && does === 'cut') {
              reader.client.socket.cut()
              reader.read()
              reader.goOn(await greet(stage, { token: 'bob', resume: claimOf(reader.client) }))
              await rejoin()
              recovered = true
            }
            await stage.clock.settle()
            reader.read()
          }
          reader.client.socket.resume()
          await stage.clock.settle()
          reader.read()
          expect(reader.client.closed).toEqual([])
          spared += reader.spared
          // Who recovered was shown what it had been told it was spared.
          if (!recovered) expect(reader.shown.length + reader.spared).toBe(said)
          if (slow === 'disconnect') expect(reader.shown).toHaveLength(said)
          if (slow === 'latest') {
            for (const [key, offset] of last) {
              expect(reader.shown.findLast((message) => message.key === key)?.offset).toBe(offset)
            }
          }
          await ask(stage, ada, { type: 'message', room: 'main', data: { key: 'end' } })
          reader.read()
          expect(reader.place).toBe(said + 1)
          await stage.close()
        }),
        { numRuns: 80 },
      )
      // Otherwise all this has shown nothing.
      expect(spared > 0).toBe(slow !== 'disconnect')
    },
  )
})
