import { describe, expect, it } from 'vitest'
import { Lines } from './lines.ts'

describe('a device', () => {
  it('is refused after a while when it is, and the server hears nothing', async () => {
    const lines = new Lines({ latencyMs: [20, 20] })
    lines.network.device('phone').reach = 'refused'
    const line = lines.dial()
    await lines.clock.advance(19)
    expect(line.socket.readyState).toBe(0)
    await lines.clock.advance(1)
    expect([line.socket.readyState, line.clientCloses, line.near]).toEqual([3, [1_006], undefined])
    expect(line.device.link).toBeUndefined()
  })

  it('waits for ever for an answer that does not come, though later ones do', async () => {
    const lines = new Lines()
    lines.network.device('phone').reach = 'unanswered'
    const line = lines.dial()
    await lines.clock.advance(60_000)
    lines.network.device('phone').reach = 'online'
    const later = await lines.connect()
    await lines.clock.advance(3_600_000)
    expect([line.socket.readyState, line.clientCloses, line.near]).toEqual([0, [], undefined])
    expect(later.socket.readyState).toBe(1)
    line.socket.close()
    await lines.clock.settle()
    expect(line.clientCloses).toEqual([1_006])
  })

  it('gives sockets to a client library: the address says whom they connect to', async () => {
    const lines = new Lines()
    const { WebSocket } = lines.network.device('phone')
    const dialled = lines.dial()
    const socket = new WebSocket('ws://server/ws?token=0', ['greenroom.v1'])
    const elsewhere = new WebSocket('ws://elsewhere/ws')
    await lines.clock.advance(0)
    expect([socket.readyState, socket.protocol, elsewhere.readyState]).toEqual([1, 'greenroom.v1', 3])
    socket.send('hi')
    await lines.clock.settle()
    expect(dialled.atServer).toEqual(['hi'])
  })
})

describe('a server on a network', () => {
  it('is reached no more when it does not listen, and its connections go on', async () => {
    const lines = new Lines()
    const before = await lines.connect()
    lines.network.unlisten('server')
    const after = lines.dial()
    await lines.clock.advance(0)
    expect(after.clientCloses).toEqual([1_006])
    before.say('still here')
    await lines.clock.settle()
    expect(before.atServer).toEqual(['still here'])
  })

  it.each(['lost', 'lost when it had stopped listening'])(
    'is gone when it is %s, and its clients notice',
    async (how) => {
      const lines = new Lines({ latencyMs: [10, 10] })
      const [ada, bob] = [await lines.connect('ada'), await lines.connect('bob')]
      ada.tell('under way')
      if (how !== 'lost') lines.network.unlisten('server')
      lines.network.lose('server')
      lines.network.lose('server')
      await lines.clock.advance(10)
      for (const line of [ada, bob]) {
        expect([line.clientCloses, line.serverCloses, line.device.link]).toEqual([[1_006], [], undefined])
      }
      expect(ada.atClient).toEqual([])
      const after = lines.dial()
      await lines.clock.advance(10)
      expect(after.clientCloses).toEqual([1_006])
    },
  )

  it('may be lost without anybody noticing', async () => {
    const lines = new Lines()
    const line = await lines.connect()
    lines.network.lose('server', { noticedBy: 'nobody' })
    await lines.clock.advance(3_600_000)
    expect([line.clientCloses, line.serverCloses]).toEqual([[], []])
  })

  it('takes none with it that was cut off before, and tells none of them', async () => {
    const lines = new Lines()
    const line = await lines.connect()
    line.device.cut({ noticedBy: 'nobody' })
    line.device.reach = 'unanswered'
    const waiting = lines.dial()
    lines.network.lose('server')
    await lines.clock.advance(60_000)
    expect([line.clientCloses, waiting.clientCloses]).toEqual([[], []])
  })
})
