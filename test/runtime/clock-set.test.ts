import { describe, expect, it } from 'vitest'
import { RuntimeTrunk } from '../../src/runtime/runtime.ts'
import { SeededRandom, VirtualClock, VirtualProcess, WireClient } from '../../src/testing/index.ts'
import { memoryTransport } from '../../src/transports/memory.ts'

describe('a session whose server’s clock is set', () => {
  it.each([-3_600_000, 3_600_000])(
    '[RESUME-1] [PRESENCE] has its grace and its window all the same (%d ms)',
    async (byMs) => {
      const clock = new VirtualClock()
      const process = new VirtualProcess(clock, new SeededRandom(1))
      const runtime = new RuntimeTrunk({ environment: process.environment })
      const transport = memoryTransport(runtime, { clock })
      const [ada, bob] = [
        new WireClient(transport.connect(), clock, 'ada'),
        new WireClient(transport.connect(), clock, 'bob'),
      ]
      await clock.settle()
      for (const client of [ada, bob]) client.send({ type: 'join', room: 'main' })
      await clock.settle()
      const gone = (): number => bob.of('presence').filter(({ left }) => left !== undefined).length
      ada.socket.cut()
      await clock.advance(7_000)
      process.setClock(byMs)
      await clock.advance(7_999)
      expect(gone()).toBe(0)
      await clock.advance(1)
      expect(gone()).toBe(1)
      process.setClock(byMs)
      await clock.advance(104_999)
      expect(runtime.census.sessions).toBe(2)
      await clock.advance(1)
      expect(runtime.census.sessions).toBe(1)
      bob.socket.close(1000)
      const closed = runtime.close()
      await clock.advance(10_000)
      await closed
    },
  )
})
