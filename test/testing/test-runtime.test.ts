import { describe, expect, it } from 'vitest'
import { defineRoom } from '../../src/runtime/room/room-options.ts'
import type { TelemetryEvent } from '../../src/runtime/telemetry.ts'
import { createTestRuntime, type TestRuntime } from '../../src/testing/index.ts'
import { on } from './played.ts'

describe('TestRuntime', () => {
  it('has members who speak, and hear what is said', async () => {
    await on(createTestRuntime(), async (test) => {
      const [ada, bob] = [await test.member('main'), await test.member('main')]
      ada.send({ type: 'message', room: 'main', data: 'hi' })
      expect(await bob.receives('message', { data: 'hi' })).toMatchObject({ room: 'main', offset: 1 })
      expect(test.runtime.census).toEqual({ connections: 2, sessions: 2, rooms: 1 })
    })
  })

  it('sends frames as they are, and keeps the header of a binary one', async () => {
    await on(createTestRuntime(), async (test) => {
      const ada = await test.member('main')
      const header = new TextEncoder().encode(JSON.stringify({ type: 'message', room: 'main', id: 1 }))
      const frame = new Uint8Array(4 + header.length + 3)
      new DataView(frame.buffer).setUint32(0, header.length)
      frame.set(header, 4)
      ada.send(frame)
      expect(await ada.receives('message')).toMatchObject({ room: 'main', offset: 1 })
      ada.send('{"type":"ping"}')
      await ada.receives('pong')
      ada.send('no JSON')
      await ada.receives('error', { code: 'bad-json' })
    })
  })

  it('gives the client library a device, on which things happen to it', async () => {
    await on(createTestRuntime({ network: { latencyMs: [10, 10] } }), async (test) => {
      const client = test.client({ device: 'phone', backoffMs: 100 })
      expect(await test.clock.until(() => client.status === 'open', 1_000)).toBe(true)
      const { session } = client
      const room = client.join('main')
      await test.member('main', { device: 'desk' })
      test.network.device('phone').cut({ noticedBy: 'client' })
      await test.clock.advance(0)
      expect(client.status).toBe('waiting')
      await test.clock.advance(5_000)
      expect([client.status, client.session, room.status]).toEqual(['open', session, 'joined'])
      expect([...test.network.devices.keys()]).toEqual(['phone', 'desk'])
      expect(test.network.device('phone').process.pending).toBeGreaterThan(0)
      client.close()
      expect(test.network.device('phone').process.pending).toBe(0)
    })
  })

  it('gives each client a device of its own, unless it names one', async () => {
    await on(createTestRuntime(), async (test) => {
      test.client()
      await test.connect()
      await test.connect({ device: 'shared' })
      await test.connect({ device: 'shared' })
      const links = [...test.network.devices.values()].map(({ links }) => links.size)
      expect(links).toEqual([1, 1, 2])
    })
  })

  it('tells when nobody is let in', async () => {
    await on(createTestRuntime(), async (test) => {
      test.network.device('phone').reach = 'refused'
      const refused = await test.connect({ device: 'phone' })
      expect(refused.closed).toMatchObject([{ code: 1_006 }])
    })
  })

  it('hands the runtime its options, and refuses those that it would refuse', async () => {
    const rooms = { 'large:*': defineRoom({ presence: 'count' }) }
    await on(createTestRuntime({ heartbeatMs: 7_000, rooms }), async (test) => {
      const ada = await test.member('large:one')
      expect(ada.last('welcome')).toMatchObject({ heartbeat: { intervalMs: 7_000 } })
      expect(ada.last('joined')).toMatchObject({ count: 1 })
    })
    expect(() => createTestRuntime({ heartbeatMs: -1 })).toThrow(RangeError)
    expect(() => createTestRuntime({ unheardOf: 1 } as object)).toThrow(RangeError)
  })

  it('keeps what the runtime reports, and passes it on', async () => {
    const passedOn: TelemetryEvent[] = []
    const test = createTestRuntime({ telemetry: (event) => passedOn.push(event) })
    await test.connect()
    await test.close()
    expect(test.telemetry.map(({ type }) => type)).toEqual(['connection.opened', 'connection.closed'])
    expect(passedOn).toEqual(test.telemetry)
  })

  it('is the same run with the same seed', async () => {
    const run = async (seed: number): Promise<unknown> => {
      const test = createTestRuntime({ seed, network: { latencyMs: [0, 100] } })
      const ada = await test.member('main')
      const seen = [test.clock.now(), ada.received]
      await test.close()
      return seen
    }
    expect(await run(1)).toEqual(await run(1))
    expect(await run(1)).not.toEqual(await run(2))
  })
})

describe('close of a TestRuntime', () => {
  it('throws when a timer is left, and says so', async () => {
    const test: TestRuntime = createTestRuntime({
      handlers: { remind: () => void test.environment.clock.setTimeout(() => {}, 3_600_000) },
    })
    const ada = await test.connect()
    ada.send({ type: 'remind', id: 1 })
    await ada.receives('ack', { id: 1 })
    await expect(test.close()).rejects.toThrow('Left behind: {"connections":0,"sessions":0,"rooms":0,"timers":1}')
    await test.clock.advance(3_600_000)
    await test.close()
  })

  it('leaves nothing, whatever is cut, stalled, frozen, stopped or refused just then', async () => {
    const test = createTestRuntime({ network: { latencyMs: [0, 50] } })
    const names = ['fine', 'cut', 'halfOpen', 'stalled', 'frozen', 'stopped', 'refused', 'unanswered'] as const
    const devices = names.map((name) => test.network.device(name))
    const [, cut, halfOpen, stalled, frozen, stopped, refused, unanswered] = devices
    if (refused !== undefined) refused.reach = 'refused'
    if (unanswered !== undefined) unanswered.reach = 'unanswered'
    const clients = names.map((device) => test.client({ device }))
    for (const client of clients) client.join('main')
    await test.clock.advance(1_000)
    for (const device of names.slice(0, 6)) await test.member('main', { device })
    expect(test.runtime.census).toEqual({ connections: 12, sessions: 12, rooms: 1 })
    cut?.cut({ noticedBy: 'client' })
    halfOpen?.cut({ noticedBy: 'nobody' })
    stalled?.stall()
    frozen?.freeze()
    stopped?.process.stop()
    await test.close()
    expect(clients.map(({ status }) => status)).toEqual(names.map(() => 'closed'))
    await test.close()
  })

  it('comes by itself at the end of a block', async () => {
    let test: TestRuntime
    {
      await using stage = createTestRuntime()
      await stage.member('main')
      test = stage
      expect(test.runtime.ended).toBe(false)
    }
    expect([test.runtime.ended, test.runtime.census.connections]).toEqual([true, 0])
  })
})
