import { describe, expect, it } from 'vitest'
import type { Acceptor, TransportSocket } from '../../src/index.ts'
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

describe('a memory transport', () => {
  it('delivers nothing to a socket that has ended, whatever waited there to be read', async () => {
    const clock = new VirtualClock()
    const told: unknown[] = []
    let server: TransportSocket | undefined
    const acceptor: Acceptor = {
      accept: (socket) => {
        server = socket
        return {
          message: (text) => told.push(text),
          binary: () => {},
          ping: () => {},
          pong: () => {},
          drained: () => {},
          closed: (code) => told.push(code),
        }
      },
    }
    const client = memoryTransport(acceptor, { clock }).connect()
    await clock.settle()
    client.send('heard')
    await clock.settle()
    server?.pause()
    client.send('unread')
    await clock.settle()
    server?.terminate()
    server?.resume()
    await clock.settle()
    expect(told).toEqual(['heard', 1006])
  })

  it('gives each client an address of its own, whatever other transports have given', async () => {
    const connect = async (): Promise<string[]> => {
      const clock = new VirtualClock()
      const addresses: string[] = []
      const acceptor: Acceptor = {
        refuses: () => undefined,
        accept: (_socket, { address }) => {
          addresses.push(address)
          return {
            message: () => {},
            binary: () => {},
            ping: () => {},
            pong: () => {},
            drained: () => {},
            closed: () => {},
          }
        },
      }
      const { connect, WebSocket } = memoryTransport(acceptor, { clock })
      const ways = [connect, () => connect({ address: '10.0.0.1' }), () => new WebSocket('ws://memory')]
      for (const open of ways) open()
      await clock.settle()
      return addresses
    }
    const addresses = ['memory:1', '10.0.0.1', 'memory:2']
    expect([await connect(), await connect()]).toEqual([addresses, addresses])
  })
})
