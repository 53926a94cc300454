import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * The TCP connections of a server that have not asked for an upgrade. Each takes memory and a descriptor until the time
 * for a request is up; whoever means to ask does so at once, so that of too many the one that has been silent for
 * longest makes place.
 */
export class SilentSockets {
  // A set keeps the order of insertion.
  readonly #sockets = new Set<Duplex>()

  /**
   * @param most - how many there may be
   * @param evicted - told of each that had to go
   */
  constructor(server: Server, most: number, evicted: () => void) {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.spoke(socket))
      if (this.#sockets.size <= most) return
      const [longest] = this.#sockets
      longest?.destroy()
      if (longest !== undefined) this.spoke(longest)
      evicted()
    })
  }

  /** It has asked for an upgrade, or is gone. */
  spoke(socket: Duplex): void {
    this.#sockets.delete(socket)
  }
}
