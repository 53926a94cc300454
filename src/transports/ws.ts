import type { Buffer } from 'node:buffer'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer, type RawData } from 'ws'
import { closeCodes, subprotocol } from '../protocol/index.ts'
import type { Frame } from '../runtime/ports/frame.ts'
import type { Acceptor, ConnectRequest, SocketSink, TransportSocket } from '../runtime/ports/transport.ts'
import { joinFrames } from './ws-frame.ts'
import { OriginPolicy, type OriginOption } from './origin.ts'
import { SilentSockets } from './silent-sockets.ts'
import { TrustedProxies } from './trusted-proxies.ts'
import { busyRefusal, originRefusal, parseTarget, refusalOf, tokenOf, type Refusal } from './ws-handshake.ts'

/** What the `ws` transport is told. */
export interface WsTransportOptions {
  /** The path of the upgrade request. @default '/ws' */
  readonly path?: string | undefined
  /** Largest message taken, alone or summed over its fragments (bytes). @default 65_536 */
  readonly frameBytes?: number
  /** How long a close handshake may take before the socket is destroyed (ms). @default 5_000 */
  readonly closeTimeoutMs?: number
  /** From which pages browsers may connect, as `createRuntime` has it. @default those of the same host */
  readonly origins?: OriginOption | undefined
  /** Whose `X-Forwarded-For` is believed: addresses, and networks such as `10.0.0.0/8`. @default nobody's */
  readonly trustedProxies?: readonly string[] | undefined
  /**
   * How many TCP connections of the server may not have asked for an upgrade; of more, the one that has been silent for
   * longest is ended. For a plain HTTP server that serves nothing else.
   *
   * @default no limit
   */
  readonly silentConnections?: number
}

/** A transport that stands on somebody's HTTP server. */
export interface WsTransport {
  /** Takes no more sockets. Those that are here stay. */
  detach(): void
}

/**
 * Brings the WebSockets of an HTTP server, its own or an Express, Fastify or plain one, to a runtime. Upgrade requests
 * for other paths are left to other listeners; if there are none, they get 404.
 *
 * @throws RangeError for origins and proxies that are none
 */
export function wsTransport(acceptor: Acceptor, server: Server, options: WsTransportOptions = {}): WsTransport {
  const { path = '/ws', frameBytes = 65_536, closeTimeoutMs = 5_000 } = options
  const origins = new OriginPolicy(options.origins)
  const proxies = new TrustedProxies(options.trustedProxies)
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    WebSocket: ServerSocket,
    maxPayload: frameBytes,
    // `maxPayload` alone lets thousands of one-byte fragments, or pieces, hold megabytes. A large frame comes in many
    // pieces by right: as many as there are packets.
    maxFragments: 64,
    maxBufferedChunks: Math.max(1024, Math.ceil(frameBytes / 64)),
    perMessageDeflate: false,
    closeTimeout: closeTimeoutMs,
    handleProtocols: (offered: Set<string>) => (offered.has(subprotocol) ? subprotocol : false),
  } as ConstructorParameters<typeof WebSocketServer>[0])

  const { silentConnections = Infinity } = options
  const evicted = (): void => acceptor.noteRefusal?.('unauthenticated')
  const silent = silentConnections < Infinity ? new SilentSockets(server, silentConnections, evicted) : undefined

  const transport = attachAt(server, path, (request, tcp, head) => {
    silent?.spoke(tcp)
    const refusal = refusalOf(request)
    if (refusal !== undefined) return refuse(tcp, refusal)
    if (!origins.allows(request.headers.origin, request.headers.host)) {
      acceptor.noteRefusal?.('origin')
      return refuse(tcp, originRefusal)
    }
    const address = proxies.callerOf(request.socket.remoteAddress ?? '', request.headers['x-forwarded-for'])
    const refused = acceptor.refuses?.(address)
    if (refused !== undefined) return refuse(tcp, busyRefusal(refused))
    sockets.handleUpgrade(request, tcp, head, (socket) => {
      ;(socket as ServerSocket).begin(acceptor, tcp, connectRequest(request, address))
    })
  })
  return {
    detach: () => {
      silent?.close()
      transport.detach()
    },
  }
}

/**
 * Checks options before there is a server to serve by them.
 *
 * @throws RangeError for origins and proxies that are none
 */
export function checkWsOptions({ origins, trustedProxies }: WsTransportOptions): void {
  void [new OriginPolicy(origins), new TrustedProxies(trustedProxies)]
}

type UpgradeListener = (request: IncomingMessage, tcp: Duplex, head: Buffer) => void

/** Who serves which path of a server: several runtimes may share one. */
const endpoints = new WeakMap<Server, Endpoints>()

interface Endpoints {
  readonly paths: Map<string, UpgradeListener>
  readonly onUpgrade: UpgradeListener
}

function attachAt(server: Server, path: string, serve: UpgradeListener): WsTransport {
  const { paths, onUpgrade } = endpoints.get(server) ?? listenTo(server)
  if (paths.has(path)) throw new Error(`Somebody serves WebSockets at '${path}' of this server already.`)
  paths.set(path, serve)
  return {
    detach: () => {
      if (!paths.delete(path) || paths.size > 0) return
      endpoints.delete(server)
      server.off('upgrade', onUpgrade)
    },
  }
}

function listenTo(server: Server): Endpoints {
  const paths = new Map<string, UpgradeListener>()
  const onUpgrade: UpgradeListener = (request, tcp, head) => {
    // By now Node has taken its own listener off: an error that nobody hears would end the process.
    tcp.on('error', () => {})
    const serve = paths.get(parseTarget(request).path)
    if (serve !== undefined) serve(request, tcp, head)
    else if (server.listenerCount('upgrade') === 1) refuse(tcp, { status: '404 Not Found', headers: [] })
  }
  server.on('upgrade', onUpgrade)
  const found = { paths, onUpgrade }
  endpoints.set(server, found)
  return found
}

// Node lets an upgraded socket stand half open; one that has been refused has nothing more to say.
function refuse(tcp: Duplex, { status, headers }: Refusal): void {
  const lines = [`HTTP/1.1 ${status}`, 'Connection: close', 'Content-Length: 0', ...headers, '', '']
  tcp.end(lines.join('\r\n'), () => tcp.destroy())
}

function connectRequest(request: IncomingMessage, address: string): ConnectRequest {
  const { path, query } = parseTarget(request)
  const token = tokenOf(request, query)
  query.delete('token')
  const rest = query.toString()
  return {
    protocol: '',
    token,
    address,
    url: rest === '' ? path : `${path}?${rest}`,
    headers: request.headers,
  }
}

/** What `ws` closes with 1009: more than it was told to take, and more than it can count. */
const tooBig = new Set(['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH'])

/**
 * Frames that may come after our close frame: what was on its way already. Whoever goes on is not read any more, as each
 * frame costs the others something that nobody is ever to see.
 */
const lateFrames = 64

/** One socket of the `ws` library, which reads frames and shakes hands; what we send, we frame and write ourselves. */
class ServerSocket extends WebSocket implements TransportSocket {
  #tcp: Duplex | undefined
  #sink: SocketSink | undefined
  /** What `ws` found wrong; its `close` event would say 1006. */
  #fault: number | undefined
  #late = 0

  begin(acceptor: Acceptor, tcp: Duplex, request: ConnectRequest): void {
    this.#tcp = tcp
    this.on('message', onMessage)
    this.on('ping', onPing)
    this.on('pong', onPong)
    this.on('close', onClose)
    this.on('error', onError)
    tcp.on('drain', () => this.#sink?.drained())
    this.#sink = acceptor.accept(this, { ...request, protocol: this.protocol })
  }

  /** Whoever takes what has just arrived; nobody after our close frame. */
  receiver(): SocketSink | undefined {
    if (this.readyState === WebSocket.OPEN) return this.#sink
    if (++this.#late > lateFrames && !this.isPaused) {
      this.pause()
      // It may well wait for us; what it says in return is not seen, so that the end comes with the time for the close.
      this.#tcp?.end()
    }
    return undefined
  }

  get ready(): boolean {
    return this.readyState === WebSocket.OPEN && this.#tcp !== undefined && !this.#tcp.writableNeedDrain
  }

  get bufferedBytes(): number {
    return this.#tcp?.writableLength ?? 0
  }

  write(frames: readonly Frame[]): void {
    if (this.readyState === WebSocket.OPEN) this.#tcp?.write(joinFrames(frames))
  }

  override ping(): void {
    if (this.readyState === WebSocket.OPEN) super.ping()
  }

  /** What the transport found wrong with what it read, as a close code. */
  noteFault(code: string | undefined): void {
    if (code !== undefined && tooBig.has(code)) this.#fault = closeCodes.messageTooBig
    else if (code === 'WS_ERR_INVALID_UTF8') this.#fault = closeCodes.invalidPayload
    else if (code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') this.#fault = closeCodes.policyViolation
    else if (code?.startsWith('WS_ERR_') === true) this.#fault = closeCodes.protocolError
  }

  ended(code: number): void {
    this.#sink?.closed(this.#fault ?? code)
    this.#sink = undefined
  }
}

// One function for all sockets, rather than a closure for each.

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  const sink = (this as ServerSocket).receiver()
  if (isBinary) sink?.binary(data as Buffer)
  else sink?.message((data as Buffer).toString())
}

function onPing(this: WebSocket): void {
  ;(this as ServerSocket).receiver()?.ping()
}

function onPong(this: WebSocket): void {
  ;(this as ServerSocket).receiver()?.pong()
}

function onClose(this: WebSocket, code: number): void {
  ;(this as ServerSocket).ended(code)
}

// Without a listener the first malformed frame would end the process. `close` follows.
function onError(this: WebSocket, error: Error & { code?: string }): void {
  ;(this as ServerSocket).noteFault(error.code)
}
