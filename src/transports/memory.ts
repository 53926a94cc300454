import type { Acceptor } from '../runtime/ports/transport.ts'
import {
  MemoryWebSocket,
  type MemoryConnectOptions,
  type MemoryRequest,
  type MemoryTransportOptions,
} from './memory-socket.ts'

export { MemoryWebSocket } from './memory-socket.ts'
export type { MemoryConnectOptions, MemoryRequest, MemoryTransportOptions } from './memory-socket.ts'
export type { Delivery, Link, Pipe } from './memory-link.ts'

/** Sockets without a network: for tests and for simulation. Same order, same close handshake, no bytes. */
export interface MemoryTransport {
  connect(options?: MemoryConnectOptions): MemoryWebSocket
  /** A class to hand to `createClient` in place of the platform's `WebSocket`. */
  readonly WebSocket: new (url: string, protocols?: string | string[]) => MemoryWebSocket
}

/** Connects clients in this process to a runtime. */
export function memoryTransport(acceptor: Acceptor, options: MemoryTransportOptions): MemoryTransport {
  let lastAddress = 0
  // One who does not say shares no address with anybody.
  const addressed = (request: MemoryConnectOptions): MemoryRequest => ({
    ...request,
    address: request.address ?? `memory:${++lastAddress}`,
  })
  return {
    connect: (request = {}) => new MemoryWebSocket(acceptor, options, addressed(request)),
    WebSocket: class extends MemoryWebSocket {
      constructor(url: string, protocols: string | string[] = []) {
        const [protocol = ''] = [protocols].flat()
        const token = new URL(url).searchParams.get('token')
        super(acceptor, options, addressed({ protocol, ...(token === null ? {} : { token }) }))
      }
    },
  }
}
