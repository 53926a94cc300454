import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTestRuntime } from '../../src/testing/index.ts'
import { on } from './played.ts'

describe('a scheduler of TestRuntime', () => {
  it('decides whose credentials are checked first, and nobody is refused by that', async () => {
    const firsts = new Set<unknown>()
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const authenticate = async ({ token = '' }: { token: string | undefined }) => ({ id: token })
        await on(createTestRuntime({ scheduler, authenticate }), async (test) => {
          const sockets = ['ada', 'bob'].map((token) => test.network.device(token).connect('server', { token }))
          await test.clock.settle()
          expect(sockets.map(({ readyState }) => readyState)).toEqual([1, 1])
          const opened = test.telemetry.flatMap((event) => (event.type === 'connection.opened' ? [event.user] : []))
          expect(opened.toSorted()).toEqual(['ada', 'bob'])
          firsts.add(opened[0])
        })
      }),
      { seed: 1, numRuns: 30 },
    )
    expect(firsts).toEqual(new Set(['ada', 'bob']))
  })

  it('decides which handler ends first; what one throws is its answer', async () => {
    const orders = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const handlers = {
          works: async () => 'done',
          fails: { concurrent: true, handle: () => Promise.reject(new Error('no')) },
          atOnce: () => 'at once',
        }
        await on(createTestRuntime({ scheduler, handlers }), async (test) => {
          const [ada, bob, cy] = [await test.connect(), await test.connect(), await test.connect()]
          const order: string[] = []
          for (const [client, type] of [
            [ada, 'works'],
            [bob, 'fails'],
            [cy, 'atOnce'],
          ] as const) {
            const heard = client.socket.onmessage
            client.socket.onmessage = (event) => {
              heard?.(event)
              order.push(type)
            }
            client.send({ type, id: 1 })
          }
          await test.clock.settle()
          expect(ada.last('reply')).toMatchObject({ id: 1, data: 'done' })
          expect(bob.last('error')).toMatchObject({ id: 1, code: 'internal' })
          expect(cy.last('reply')).toMatchObject({ id: 1, data: 'at once' })
          expect(order).toHaveLength(3)
          orders.add(order.filter((each) => each !== 'atOnce').join())
        })
      }),
      { seed: 1, numRuns: 30 },
    )
    expect(orders).toEqual(new Set(['works,fails', 'fails,works']))
  })
})
