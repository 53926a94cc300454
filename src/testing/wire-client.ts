import type { MemoryWebSocket } from '../transports/memory.ts'
import { Received, textOf, type WireMessage } from './received.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** A client by hand: what it sends stands in the test, and what it got stands here. */
export class WireClient extends Received {
  readonly socket: MemoryWebSocket
  /** How its socket ended, once it has. */
  readonly closed: { readonly code: number; readonly reason: string }[] = []

  constructor(socket: MemoryWebSocket, clock: VirtualClock, name: string) {
    super(clock, name)
    this.socket = socket
    socket.onmessage = ({ data }) => this.received.push(JSON.parse(textOf(data)) as WireMessage)
    socket.onclose = ({ code, reason }) => this.closed.push({ code, reason })
  }

  protected override ending(): string {
    const [closed] = this.closed
    if (closed !== undefined) return `It was closed with ${closed.code}${closed.reason && ` ${closed.reason}`}.`
    return this.socket.readyState === 0 ? 'Its socket has not been opened yet.' : ''
  }

  /** Sends a message, or a frame as it is. */
  send(message: object | string): void {
    const frame = typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message)
    this.socket.send(frame)
  }
}
