import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkDrainTime } from './runtime/drain.ts'
import type { RuntimeOptions } from './runtime/options.ts'
import { RuntimeTrunk, type DrainOptions } from './runtime/runtime.ts'
import { checkWsOptions, wsTransport, type WsTransport, type WsTransportOptions } from './transports/ws.ts'

/** Node's own defaults let a request trickle in for minutes. */
const slowRequests = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 }

/** Where a runtime listens. */
export interface ListenOptions {
  /** @default all addresses */
  readonly host?: string
  /** The path of the WebSocket endpoint. @default '/ws' */
  readonly path?: string
}

/** A runtime that can be reached by WebSocket. */
export class Runtime extends RuntimeTrunk {
  readonly #transports: WsTransport[] = []
  readonly #servers = new Map<Server, Promise<number>>()
  readonly #door: Pick<WsTransportOptions, 'origins' | 'trustedProxies'>

  /** @throws RangeError, TypeError as {@link createRuntime} */
  constructor({ origins, trustedProxies, ...options }: RuntimeOptions = {}) {
    checkWsOptions({ origins, trustedProxies })
    super(options)
    this.#door = { origins, trustedProxies }
  }

  /**
   * Opens a port of its own.
   *
   * @param port - 0 for any that is free
   * @returns the port that was opened
   * @throws the operating system's error, such as `EADDRINUSE`
   * @throws Error when the runtime is closed
   */
  async listen(port: number, { host, path }: ListenOptions = {}): Promise<number> {
    await this.whenReady()
    const server = createServer(slowRequests, (_request, response) => {
      response.writeHead(426, { Connection: 'Upgrade', Upgrade: 'websocket' }).end()
    })
    this.#serve(server, { path, silentConnections: this.settings.unauthenticatedConnections })
    const opened = new Promise<number>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
    })
    this.#servers.set(server, opened)
    return opened
  }

  /**
   * Serves WebSockets on an HTTP server that is there already: an Express, Fastify or plain one. The server remains
   * its owner's to listen with and to close.
   */
  attach(server: Server, { path }: Pick<ListenOptions, 'path'> = {}): void {
    this.#serve(server, { path })
  }

  #serve(server: Server, options: Pick<WsTransportOptions, 'path' | 'silentConnections'>): void {
    if (this.ended) throw new Error('The runtime is closed.')
    const { frameBytes, closeTimeoutMs } = this.settings
    this.#transports.push(wsTransport(this, server, { ...options, ...this.#door, frameBytes, closeTimeoutMs }))
  }

  /**
   * Closes every connection with 1012 and waits for them to go, at most the time that `drainMs` allows; then nothing is
   * left: no actor, no timer, no socket, no port that {@link listen} opened.
   */
  override close(): Promise<void> {
    return this.#leave(super.close())
  }

  /**
   * Hands the connections over, as {@link RuntimeTrunk.drain} has it; then nothing is left, as after {@link close}.
   * Ports that {@link listen} opened take no more from the beginning.
   */
  override async drain(options: DrainOptions = {}): Promise<void> {
    if (options.withinMs !== undefined) checkDrainTime(options.withinMs)
    return this.#leave(super.drain(options))
  }

  async #leave(ended: Promise<void>): Promise<void> {
    const servers = [...this.#servers]
    this.#servers.clear()
    // Awaited below; until then a failure is not nobody's.
    ended.catch(() => {})
    // A port that is still being opened can be closed once it is open.
    await Promise.allSettled(servers.map(([, opened]) => opened))
    const closed = servers.map(([server]) => new Promise<void>((resolve) => void server.close(() => resolve())))
    try {
      await ended
    } finally {
      for (const [server] of servers) server.closeAllConnections()
      for (const transport of this.#transports.splice(0)) transport.detach()
      await Promise.all(closed)
    }
  }
}

/**
 * Starts a runtime.
 *
 * @example
 * ```ts
 * const runtime = createRuntime({ authenticate: ({ token }) => verify(token) })
 * await runtime.listen(8080)
 * ```
 * @throws RangeError when an option is not a number it can be
 */
export function createRuntime(options: RuntimeOptions = {}): Runtime {
  return new Runtime(options)
}
