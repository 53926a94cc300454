import { describe, expect, it } from 'vitest'
import { createTestRuntime, SeededRandom, VirtualProcess, type CutOptions } from '../../src/testing/index.ts'
import { Lines, words } from './lines.ts'

describe('a device that is frozen', () => {
  it('reads nothing: what is sent to it waits, in the end in the server, until it is thawed', async () => {
    const lines = new Lines({ highWaterBytes: 1_000 })
    const line = await lines.connect()
    line.tell('before')
    line.device.freeze()
    line.tell(...words(3))
    line.say('it speaks all the same')
    await lines.clock.settle()
    expect(line.atServer).toHaveLength(1)
    // What had been written before does not wait in the server.
    expect([line.atClient, line.near?.bufferedBytes]).toEqual([[], 3])
    line.tell('x'.repeat(997))
    expect(line.near?.ready).toBe(true)
    line.tell('y')
    await lines.clock.settle()
    expect([line.near?.ready, line.near?.bufferedBytes, line.drains]).toEqual([false, 1_001, 0])
    line.device.thaw()
    expect(line.atClient).toEqual(['before', ...words(3), 'x'.repeat(997), 'y'])
    expect([line.near?.ready, line.near?.bufferedBytes, line.drains]).toEqual([true, 0, 1])
    line.tell('after')
    await lines.clock.settle()
    expect(line.atClient.at(-1)).toBe('after')
  })

  it('[CLOSED] hears of a close when it reads on, after what was said before it', async () => {
    const lines = new Lines()
    const line = await lines.connect()
    line.device.freeze()
    line.tell('last words')
    line.near?.close(4_208, 'slow-consumer')
    await lines.clock.advance(1_000)
    expect([line.atClient, line.clientCloses, line.serverCloses]).toEqual([[], [], []])
    line.device.thaw()
    await lines.clock.settle()
    expect([line.atClient, line.clientCloses, line.serverCloses]).toEqual([['last words'], [4_208], [4_208]])
  })

  it('[CLOSED] hears the answer to its own close when it reads on, and what was said before it', async () => {
    const lines = new Lines({ latencyMs: [5, 5] })
    const line = await lines.connect()
    line.device.freeze()
    line.tell('crosses it')
    line.socket.close(1_000)
    await lines.clock.advance(1_000)
    expect([line.serverCloses, line.atClient, line.clientCloses]).toEqual([[1_000], [], []])
    line.device.thaw()
    expect([line.atClient, line.clientCloses]).toEqual([['crosses it'], [1_000]])
  })

  it('reads on in its process: when that goes on, and not if it is frozen again by then', async () => {
    const lines = new Lines()
    const line = await lines.connect()
    const { device } = line
    device.freeze()
    line.tell('a')
    await lines.clock.settle()
    device.process.stop()
    line.tell('b')
    await lines.clock.settle()
    device.thaw()
    expect(line.atClient).toEqual([])
    device.freeze()
    device.process.continue()
    expect(line.atClient).toEqual([])
    device.thaw()
    expect(line.atClient).toEqual(['a', 'b'])
    device.freeze()
    line.tell('c')
    await lines.clock.settle()
    device.process.kill()
    device.thaw()
    expect(line.atClient).toEqual(['a', 'b'])
  })
})

describe('a link that is cut', () => {
  const noticed = { both: [true, true], client: [true, false], server: [false, true], nobody: [false, false] } as const
  const cuts = Object.keys(noticed) as (keyof typeof noticed)[]

  it.each(cuts)('is noticed by %s, after a while', async (noticedBy) => {
    const lines = new Lines({ latencyMs: [10, 10] })
    const line = await lines.connect()
    line.device.cut({ noticedBy, afterMs: 500 })
    await lines.clock.advance(499)
    expect([line.clientCloses, line.serverCloses]).toEqual([[], []])
    await lines.clock.advance(1)
    expect([line.clientCloses, line.serverCloses]).toEqual(noticed[noticedBy].map((it) => (it ? [1_006] : [])))
    await lines.clock.advance(3_600_000)
    expect([line.clientCloses, line.serverCloses]).toEqual(noticed[noticedBy].map((it) => (it ? [1_006] : [])))
    expect(lines.clock.pending).toBe(0)
  })

  it('loses what is under way and what is sent by it, both ways', async () => {
    const lines = new Lines({ latencyMs: [10, 10] })
    const line = await lines.connect()
    const other = await lines.connect('other')
    for (const each of [line, other]) {
      each.say('under way')
      each.tell('under way')
    }
    await lines.clock.advance(9)
    line.device.cut({ noticedBy: 'nobody' })
    line.say('into the void')
    line.tell('into the void')
    line.near?.ping()
    await lines.clock.advance(1_000)
    expect([line.atServer, line.atClient, line.pongs]).toEqual([[], [], 0])
    expect([other.atServer, other.atClient]).toEqual([['under way'], ['under way']])
    // The server's kernel keeps it for whoever does not answer.
    expect(line.near?.bufferedBytes).toBe('into the void'.length)
  })

  it('loses what it held', async () => {
    const lines = new Lines()
    const line = await lines.connect()
    line.device.stall()
    line.say('held')
    line.tell('held')
    line.device.link?.cut({ noticedBy: 'nobody' })
    line.device.release()
    await lines.clock.advance(1_000)
    expect([line.atServer, line.atClient]).toEqual([[], []])
  })

  it('leaves the device free to connect again', async () => {
    const lines = new Lines()
    const line = await lines.connect()
    line.device.cut({ noticedBy: 'server' })
    const again = await lines.connect()
    again.say('back again')
    await lines.clock.advance(0)
    expect([again.atServer, line.serverCloses, line.clientCloses]).toEqual([['back again'], [1_006], []])
  })

  it('is noticed by a process that is stopped when it goes on', async () => {
    const lines = new Lines()
    const server = new VirtualProcess(lines.clock, new SeededRandom(1))
    lines.network.listen('server', lines, server)
    const line = await lines.connect()
    server.stop()
    line.device.process.stop()
    line.device.cut()
    await lines.clock.advance(1_000)
    expect([line.clientCloses, line.serverCloses]).toEqual([[], []])
    server.continue()
    line.device.process.continue()
    expect([line.clientCloses, line.serverCloses]).toEqual([[1_006], [1_006]])
  })

  it('ends neither of its ends twice', async () => {
    const lines = new Lines()
    const line = await lines.connect()
    const link = line.device.link
    const ways: CutOptions[] = [{ noticedBy: 'server' }, { noticedBy: 'both' }, {}]
    for (const way of ways) link?.cut(way)
    await lines.clock.advance(0)
    expect([line.clientCloses, line.serverCloses]).toEqual([[1_006], [1_006]])
  })
})

describe('a link that loses', () => {
  it('loses every second message of one direction, so many in all', async () => {
    const lines = new Lines()
    const line = await lines.connect()
    const pipe = line.device.link?.toClient
    pipe?.lose(3)
    line.near?.ping()
    line.tell(...words(10))
    line.say(...words(10))
    await lines.clock.settle()
    expect(line.atClient).toEqual(['1', '3', '5', '6', '7', '8', '9'])
    expect([pipe?.lost, line.atServer, line.pongs]).toEqual([3, words(10), 1])
  })

  it('keeps nothing of what it lost waiting in the server', async () => {
    const lines = new Lines({ highWaterBytes: 10 })
    const line = await lines.connect()
    line.device.stall()
    line.tell('lost'.repeat(5), 'not lost')
    expect([line.near?.bufferedBytes, line.near?.ready]).toEqual([28, false])
    line.device.link?.toClient.lose(1)
    line.device.release()
    await lines.clock.settle()
    expect(line.atClient).toEqual(['not lost'])
    expect([line.near?.bufferedBytes, line.near?.ready, line.drains]).toEqual([0, true, 1])
  })

  it('[GAPLESS] is healed by the client library: nothing is missing in the end', async () => {
    const test = createTestRuntime({ network: { latencyMs: [1, 20] } })
    const client = test.client({ device: 'phone' })
    const room = client.join('main')
    const heard: unknown[] = []
    room.on('message', ({ data }) => heard.push(data))
    const bob = await test.member('main')
    await test.clock.until(() => room.status === 'joined', 1_000)
    const pipe = test.network.device('phone').link?.toClient
    for (let i = 0; i < 12; i++) {
      // The next one only: what heals it must come through.
      if (i % 3 === 0) pipe?.lose(1)
      bob.send({ type: 'message', room: 'main', data: i })
      await test.clock.advance(100)
    }
    await test.clock.advance(1_000)
    expect([heard, pipe?.lost]).toEqual([Array.from({ length: 12 }, (_, i) => i), 4])
    expect(room.heals).toBeGreaterThan(0)
    expect(client.heals).toBe(room.heals)
    await test.close()
  })
})
