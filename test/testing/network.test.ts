import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VirtualProcess, SeededRandom, type NetworkOptions } from '../../src/testing/index.ts'
import { Lines, words } from './lines.ts'

describe('Network', () => {
  it('carries everything within the turn where there is no latency', async () => {
    const lines = new Lines()
    const line = lines.dial()
    await lines.clock.settle()
    line.say('to the server')
    line.tell('to', 'the client')
    await lines.clock.settle()
    expect([line.atServer, line.atClient]).toEqual([['to the server'], ['to', 'the client']])
  })

  it('takes as long as it may take, and neither less nor more', async () => {
    const lines = new Lines({ latencyMs: [5, 8] })
    const line = await lines.connect()
    const taken = new Set<number>()
    let sentAt = 0
    lines.network.observer = { arrived: () => taken.add(lines.clock.now() - sentAt) }
    for (let i = 0; i < 100; i++) {
      sentAt = lines.clock.now()
      if (i % 2 === 0) line.say(`${i}`)
      else line.tell(`${i}`)
      await lines.clock.advance(10)
    }
    expect([...taken].toSorted()).toEqual([5, 6, 7, 8])
    line.device.latencyMs = [100, 100]
    line.say('slowly')
    await lines.clock.advance(99)
    expect(line.atServer).not.toContain('slowly')
    await lines.clock.advance(1)
    expect(line.atServer).toContain('slowly')
  })

  it('keeps the order within each direction of a link, and none between links', async () => {
    const overtaken = new Set<boolean>()
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 20 }), async (seed, waits) => {
        const lines = new Lines({ seed, latencyMs: [0, 30] })
        const [ada, bob] = [await lines.connect('ada'), await lines.connect('bob')]
        const first: string[] = []
        lines.network.observer = {
          arrived: ({ device }, direction, { payload }) => {
            if (direction === 'toServer' && payload === '0') first.push(device.name)
          },
        }
        for (const [index, wait] of waits.entries()) {
          for (const line of [ada, bob]) line.say(`${index}`)
          for (const line of [ada, bob]) line.tell(`${index}`)
          await lines.clock.advance(wait)
        }
        await lines.clock.advance(30)
        for (const line of [ada, bob]) {
          expect([line.atServer, line.atClient]).toEqual([words(waits.length), words(waits.length)])
        }
        overtaken.add(first[0] === 'bob')
      }),
      { seed: 1 },
    )
    expect(overtaken).toEqual(new Set([false, true]))
  })

  it('splits what was written in one piece as often as it is told to, and nothing else', async () => {
    const arrivals = async (splitChance: number): Promise<number[]> => {
      const lines = new Lines({ latencyMs: [0, 20], splitChance })
      const line = await lines.connect()
      const counts: number[] = []
      for (let i = 0; i < 50; i++) {
        const times = new Set<number>()
        lines.network.observer = { arrived: () => times.add(lines.clock.now()) }
        line.tell('a', 'b', 'c')
        await lines.clock.advance(50)
        counts.push(times.size)
      }
      expect(line.atClient).toEqual(Array.from({ length: 50 }, () => ['a', 'b', 'c']).flat())
      return counts
    }
    expect(new Set(await arrivals(0))).toEqual(new Set([1]))
    expect(new Set(await arrivals(1))).toEqual(new Set([1, 2]))
  })

  it('is the same with the same seed, and another with another', async () => {
    const run = async (seed: number): Promise<unknown> => {
      const options: NetworkOptions = { seed, latencyMs: [0, 100], splitChance: 0.5 }
      const lines = new Lines(options)
      const seen: unknown[] = []
      lines.network.observer = {
        arrived: ({ device }, direction, { kind, payload }) =>
          seen.push([lines.clock.now(), device.name, direction, kind, payload]),
      }
      for (const name of ['ada', 'bob']) {
        const line = await lines.connect(name)
        line.say(...words(10))
        line.tell(...words(10))
      }
      await lines.clock.advance(1_000)
      return seen
    }
    expect(await run(1)).toEqual(await run(1))
    expect(await run(1)).not.toEqual(await run(2))
  })

  it('holds everything of a link that stalls, both ways, and carries it when it is released', async () => {
    const lines = new Lines({ latencyMs: [10, 10] })
    const line = await lines.connect()
    line.say('under way')
    line.device.stall()
    expect(line.device.link?.toClient.stalled).toBe(true)
    line.say(...words(3))
    line.tell(...words(3))
    await lines.clock.advance(1_000)
    expect([line.atServer, line.atClient]).toEqual([['under way'], []])
    expect([line.near?.bufferedBytes, line.near?.ready]).toEqual([3, true])
    line.tell('x'.repeat(20_000))
    expect(line.near?.ready).toBe(false)
    line.device.release()
    line.device.release()
    await lines.clock.advance(9)
    expect(line.atClient).toEqual([])
    await lines.clock.advance(1)
    expect(line.atServer).toEqual(['under way', ...words(3)])
    expect(line.atClient.slice(0, 3)).toEqual(words(3))
    expect([line.near?.bufferedBytes, line.near?.ready, line.drains]).toEqual([0, true, 1])
  })

  it('shows its observer what is sent and what arrives', async () => {
    const lines = new Lines({ latencyMs: [5, 5] })
    const seen: unknown[] = []
    const see =
      (what: string) =>
      (
        ...[, direction, { kind, payload, code }]: [unknown, string, { kind: string; payload?: unknown; code?: number }]
      ) =>
        void seen.push([lines.clock.now() - 946_684_800_000, what, direction, kind, payload ?? code].slice(0, 5))
    lines.network.observer = { sent: see('sent'), arrived: see('arrived') }
    const line = await lines.connect()
    line.say('hi')
    line.near?.ping()
    await lines.clock.advance(10)
    line.socket.close(4_000)
    line.tell('lost')
    line.device.cut({ noticedBy: 'nobody' })
    await lines.clock.advance(100)
    expect(seen).toEqual([
      [0, 'sent', 'toServer', 'open', undefined],
      [5, 'arrived', 'toServer', 'open', undefined],
      [5, 'sent', 'toClient', 'open', undefined],
      [10, 'arrived', 'toClient', 'open', undefined],
      [10, 'sent', 'toServer', 'message', 'hi'],
      [10, 'sent', 'toClient', 'ping', undefined],
      [15, 'arrived', 'toServer', 'message', 'hi'],
      [15, 'arrived', 'toClient', 'ping', undefined],
      [15, 'sent', 'toServer', 'pong', undefined],
      [20, 'arrived', 'toServer', 'pong', undefined],
      [20, 'sent', 'toServer', 'close', 4_000],
      [20, 'sent', 'toClient', 'message', 'lost'],
    ])
    expect(line.pongs).toBe(1)
  })

  it('gives the same device for the same name, and tells its newest connection', async () => {
    const lines = new Lines()
    const phone = lines.network.device('phone')
    expect(phone.link).toBeUndefined()
    const [first, second] = [await lines.connect(), await lines.connect()]
    expect(lines.network.device('phone')).toBe(phone)
    expect([...lines.network.devices.keys()]).toEqual(['phone'])
    expect([phone.links.size, phone.link?.socket]).toEqual([2, second.socket])
    phone.link?.cut()
    expect(phone.link?.socket).toBe(first.socket)
    first.socket.close(1_000)
    await lines.clock.settle()
    expect(phone.link).toBeUndefined()
  })

  it('lets what arrives wait while the process of a server is stopped', async () => {
    const lines = new Lines()
    const server = new VirtualProcess(lines.clock, new SeededRandom(1))
    lines.network.listen('server', lines, server)
    const line = await lines.connect()
    server.stop()
    line.say(...words(3))
    line.socket.close(1_000)
    await lines.clock.advance(1_000)
    expect([line.atServer, line.serverCloses]).toEqual([[], []])
    server.continue()
    expect([line.atServer, line.serverCloses]).toEqual([words(3), [1_000]])
  })
})
