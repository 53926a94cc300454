import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A network between a client and a server that can go silent. */
export interface TcpProxy {
  readonly port: number
  /** From here on the connections that stand carry nothing, and neither end is told. New ones are carried. */
  freeze(): void
}

/** Stands before a port of this machine. */
export async function tcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', (chunk) => {
        if (pairs.has(pair)) to.write(chunk)
      })
      from.on('end', () => {
        if (pairs.has(pair)) to.end()
      })
      from.on('error', () => {})
    }
  })
  const opened = new Set<Socket>()
  server.on('connection', (socket) => opened.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const everything = new Set<readonly [Socket, Socket]>()
  onTestFinished(() => {
    server.close()
    for (const pair of [...pairs, ...everything]) for (const socket of pair) socket.destroy()
    for (const socket of opened) socket.destroy()
  })
  return {
    port: (server.address() as AddressInfo).port,
    freeze: () => {
      for (const pair of pairs) everything.add(pair)
      pairs.clear()
    },
  }
}
