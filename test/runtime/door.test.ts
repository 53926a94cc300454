import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Door, type Pass } from '../../src/runtime/door.ts'
import { resolveSettings } from '../../src/runtime/options.ts'
import { Refusals } from '../../src/runtime/refusals.ts'
import { createVirtualEnvironment } from '../../src/testing/index.ts'
import { Stage } from '../stage.ts'
import { unrulyConnection } from '../unruly-connection.ts'
import { greet } from '../protocol/cast.ts'

const request = (address: string) => ({ protocol: '', address, url: '/ws', headers: {} })

function doorWith(options: Parameters<typeof resolveSettings>[0]) {
  const environment = createVirtualEnvironment()
  return { door: new Door(resolveSettings(options), environment, new Refusals(environment.clock, () => {})) }
}

describe('the door', () => {
  it('counts exactly, over any order of coming, welcomes and ends, each said more than once', () => {
    const step = fc.record({
      act: fc.constantFrom('come', 'come', 'welcome', 'leave'),
      which: fc.nat(50),
      address: fc.constantFrom('1.1.1.1', '2.2.2.2'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const limits = { connectionsTotal: 9, connectionsPerAddress: 6, unauthenticatedConnections: 4 }
        const { door } = doorWith({ ...limits, upgradesPerSecond: Infinity })
        const passes: { pass: Pass; address: string; state: string }[] = []
        for (const { act, which, address } of steps) {
          const here = passes.filter(({ state }) => state !== 'gone')
          const full =
            here.length >= 9 ||
            here.filter((each) => each.state === 'new').length >= 4 ||
            here.filter((each) => each.address === address).length >= 6
          const known = passes[which % Math.max(1, passes.length)]
          if (act === 'come') {
            expect(door.refuses(address) !== undefined).toBe(full)
            if (!full) passes.push({ pass: door.enter(request(address)), address, state: 'new' })
          } else if (act === 'welcome' && known !== undefined) {
            known.pass.welcomed()
            if (known.state === 'new') known.state = 'welcomed'
          } else if (known !== undefined) {
            known.pass.left()
            known.pass.left()
            known.state = 'gone'
          }
        }
      }),
    )
  })

  it('spreads those whom it sends away', () => {
    const { door } = doorWith({ connectionsTotal: 0 })
    const seconds = new Set(Array.from({ length: 200 }, () => door.refuses('1.1.1.1')?.retryAfterSeconds))
    expect([...seconds].toSorted((a = 0, b = 0) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('lets as many come as ever when they have gone, in whatever state they were', async () => {
    const stage = new Stage({
      unauthenticatedConnections: 1,
      connectionsTotal: 2,
      authenticate: ({ token = '' }) => (token === 'slow' ? new Promise(() => {}) : { id: token }),
    })
    const hello = await stage.connect({ protocol: 'greenroom.v1' })
    expect(stage.runtime.refuses('')).toMatchObject({ reason: 'unauthenticated' })
    hello.socket.close()
    await stage.clock.settle()
    const slow = await stage.connect({ token: 'slow' })
    expect(stage.runtime.refuses('')).toMatchObject({ reason: 'unauthenticated' })
    await stage.clock.advance(10_000)
    expect(slow.closed).toMatchObject([{ code: 4210 }])
    const ada = await greet(stage, { token: 'ada' })
    expect(stage.runtime.refuses('')).toBeUndefined()
    await greet(stage, { token: 'bob' })
    expect(stage.runtime.refuses('')).toMatchObject({ reason: 'total' })
    ada.socket.close()
    await stage.clock.settle()
    expect(stage.runtime.refuses('')).toBeUndefined()
  })

  it('lets one come for whose connection crashed', async () => {
    const stage = new Stage({ connection: unrulyConnection, connectionsTotal: 2 })
    const [ada] = [await greet(stage), await greet(stage)]
    expect(stage.runtime.refuses('')).toMatchObject({ reason: 'total' })
    ada.send({ type: 'throw' })
    await stage.clock.advance(10_000)
    expect(ada.closed).toMatchObject([{ code: 1011 }])
    expect(stage.runtime.refuses('')).toBeUndefined()
  })

  it('is asked by every transport: a socket in memory that is refused never opens', async () => {
    const stage = new Stage({ connectionsTotal: 1 })
    const ada = await greet(stage)
    const late = stage.transport.connect()
    await stage.clock.settle()
    expect([late.readyState, stage.runtime.census.connections]).toEqual([3, 1])
    expect(stage.telemetry.at(-1)).toEqual({ type: 'connection.refused', reason: 'total', count: 1 })
    ada.socket.close()
    await stage.clock.settle()
    await greet(stage)
  })

  it('keeps nobody out of a client’s way: it comes in by itself when there is a place', async () => {
    const stage = new Stage({ connectionsTotal: 1 })
    const ada = await greet(stage)
    const client = stage.client()
    await stage.clock.advance(60_000)
    expect(client.status).not.toBe('open')
    ada.socket.close()
    await stage.clock.advance(30_000)
    expect(client.status).toBe('open')
  })
})
