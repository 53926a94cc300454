import { VirtualClock } from '../../src/testing/index.ts'
import { memoryTransport } from '../../src/transports/memory.ts'
import { describeTransport } from './contract.ts'

describeTransport('memory', async (acceptor, limits) => {
  const clock = new VirtualClock()
  const transport = memoryTransport(acceptor, { clock, ...limits })
  return {
    connect: (options) => {
      const socket = transport.connect(options)
      const received: string[] = []
      const closed: { code: number; reason: string }[] = []
      socket.onmessage = ({ data }) => received.push(String(data))
      socket.onclose = ({ code, reason }) => closed.push({ code, reason })
      return {
        received,
        closed,
        send: (data) => socket.send(data),
        close: (code) => socket.close(code),
        cut: () => socket.cut(),
        pause: () => socket.pause(),
        resume: () => socket.resume(),
      }
    },
    until: async (condition) => {
      await clock.settle()
      if (!condition()) throw new Error(`not so: ${String(condition)}`)
    },
    close: async () => {},
  }
})
