import { Network, VirtualClock, type NetworkOptions } from '../../src/testing/index.ts'
import { describeTransport } from '../transports/contract.ts'

/** The suite of every transport, over a network. */
function describeNetwork(name: string, options: NetworkOptions): void {
  describeTransport(name, async (acceptor, limits) => {
    const clock = new VirtualClock()
    const network = new Network(clock, { ...options, ...limits })
    network.listen('server', acceptor)
    const phone = network.device('phone')
    return {
      connect: (request) => {
        const socket = phone.connect('server', request)
        const received: string[] = []
        const closed: { code: number; reason: string }[] = []
        socket.onmessage = ({ data }) => received.push(String(data))
        socket.onclose = ({ code, reason }) => closed.push({ code, reason })
        return {
          received,
          closed,
          send: (data) => socket.send(data),
          close: (code) => socket.close(code),
          cut: () => phone.cut(),
          pause: () => phone.freeze(),
          resume: () => phone.thaw(),
        }
      },
      until: async (condition) => {
        // As long as it takes there and back again, and there once more.
        await clock.advance(3 * (options.latencyMs?.[1] ?? 0))
        if (!condition()) throw new Error(`not so: ${String(condition)}`)
      },
      close: async () => {},
    }
  })
}

describeNetwork('prompt network', {})
describeNetwork('slow network', { latencyMs: [1, 40] })
describeNetwork('slow network that splits what is written,', { latencyMs: [0, 40], splitChance: 0.7, seed: 2 })
