import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * The TCP connections of a plain HTTP server that have not asked for an upgrade. Each takes memory and a descriptor until
 * the time for a request is up; whoever means to ask does so at once, so that of too many the one that has been silent for
 * longest makes place.
 */
export class SilentSockets {
  // A set keeps the order of insertion.
  readonly #sockets = new Set<Duplex>()
  readonly #server: Server
  readonly #most: number
  readonly #evicted: () => void

  /**
   * @param most - how many there may be
   * @param evicted - told of each that had to go
   */
  constructor(server: Server, most: number, evicted: () => void) {
    this.#server = server
    this.#most = most
    this.#evicted = evicted
    server.on('connection', this.#comes)
  }

  /** It has asked for an upgrade, or is gone. */
  spoke(socket: Duplex): void {
    this.#sockets.delete(socket)
  }

  /** Ends nobody any more. */
  close(): void {
    this.#server.off('connection', this.#comes)
    this.#sockets.clear()
  }

  readonly #comes = (socket: Socket): void => {
    this.#sockets.add(socket)
    socket.once('close', () => this.spoke(socket))
    if (this.#sockets.size <= this.#most) return
    const [longest] = this.#sockets
    longest?.destroy()
    if (longest !== undefined) this.spoke(longest)
    this.#evicted()
  }
}
