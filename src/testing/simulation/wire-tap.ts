import type { ServerMessage } from '../../protocol/index.ts'
import type { Frame } from '../../runtime/ports/frame.ts'
import type { Acceptor, ConnectRequest, Refused, SocketSink, TransportSocket } from '../../runtime/ports/transport.ts'
import { headerOf } from '../received.ts'
import { spokenIn } from './spoken.ts'

/** One connection, as somebody sees it who stands between the runtime and its transport. */
export class Tapped {
  /** The address of its actor. */
  readonly address: string
  /** The device that it comes from. */
  readonly device: string
  user: string | undefined
  session: string | undefined
  /** With what code the server closes it, and since when. */
  closing: { readonly code: number; readonly at: number } | undefined
  isOver = false

  constructor(address: string, device: string) {
    this.address = address
    this.device = device
  }
}

/** Anything a client may have sent, as far as it could be read. */
export interface Asked {
  readonly type: string
  readonly id?: string | number
  readonly room?: string
  readonly [field: string]: unknown
}

/** Sees what goes between a runtime and its transport, in its order. Must not throw. */
export interface WireListener {
  opened?(connection: Tapped): void
  received?(connection: Tapped, message: Asked): void
  sent?(connection: Tapped, message: ServerMessage): void
  pinged?(connection: Tapped): void
  /** The server closes it, or cuts it off (1006). */
  closing?(connection: Tapped, code: number): void
  /** The socket is gone. */
  ended?(connection: Tapped, code: number): void
}

/** Stands between a runtime and its transport, and tells what goes through. */
export class WireTap implements Acceptor {
  /** The connections whose sockets are not gone. */
  readonly connections = new Map<Tapped, TransportSocket>()
  /** What makes the next ping of a device's connection throw. */
  readonly brokenPings = new Set<string>()
  readonly #acceptor: Acceptor
  readonly #now: () => number
  readonly #listeners: readonly WireListener[]
  #accepted = 0
  readonly #messages = new WeakMap<Frame, ServerMessage>()

  constructor(acceptor: Acceptor, now: () => number, listeners: readonly WireListener[]) {
    this.#acceptor = acceptor
    this.#now = now
    this.#listeners = listeners
  }

  refuses(address: string): Refused | undefined {
    return this.#acceptor.refuses?.(address)
  }

  accept(socket: TransportSocket, request: ConnectRequest): SocketSink {
    const connection = new Tapped(`connection:${++this.#accepted}`, request.address)
    this.connections.set(connection, socket)
    for (const listener of this.#listeners) listener.opened?.(connection)
    const sink = this.#acceptor.accept(this.#tapSocket(socket, connection), request)
    return this.#tapSink(sink, connection)
  }

  /** A device's connection that takes part. */
  connectionOf(device: string): Tapped | undefined {
    for (const connection of this.connections.keys()) {
      if (connection.device === device && connection.closing === undefined && connection.session !== undefined) {
        return connection
      }
    }
    return undefined
  }

  #tapSocket(socket: TransportSocket, connection: Tapped): TransportSocket {
    const closing = (code: number): void => {
      for (const listener of this.#listeners) listener.closing?.(connection, code)
      connection.closing ??= { code, at: this.#now() }
    }
    return {
      get ready() {
        return socket.ready
      },
      get bufferedBytes() {
        return socket.bufferedBytes
      },
      write: (frames) => {
        for (const frame of frames) {
          const message = this.#read(frame)
          for (const listener of this.#listeners) listener.sent?.(connection, message)
        }
        socket.write(frames)
      },
      ping: () => {
        if (this.brokenPings.delete(connection.device)) throw new Error('injected: the ping broke')
        for (const listener of this.#listeners) listener.pinged?.(connection)
        socket.ping()
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      close: (code, reason) => {
        closing(code)
        socket.close(code, reason)
      },
      terminate: () => {
        if (!connection.isOver && connection.closing === undefined) closing(1006)
        socket.terminate()
      },
    }
  }

  #tapSink(sink: SocketSink, connection: Tapped): SocketSink {
    const tell = (message: Asked): void => {
      for (const listener of this.#listeners) listener.received?.(connection, message)
    }
    return {
      message: (text) => {
        const message = readAsked(text)
        if (message !== undefined) tell(message)
        sink.message(text)
      },
      binary: (bytes) => {
        const message = readAsked(headerOf(bytes))
        if (message !== undefined) tell({ ...message, data: spokenIn(bytes) })
        sink.binary(bytes)
      },
      ping: () => sink.ping(),
      pong: () => sink.pong(),
      drained: () => sink.drained(),
      closed: (code) => {
        connection.isOver = true
        this.connections.delete(connection)
        for (const listener of this.#listeners) listener.ended?.(connection, code)
        sink.closed(code)
      },
    }
  }

  /** A frame that goes to many is read once. */
  #read(frame: Frame): ServerMessage {
    let message = this.#messages.get(frame)
    if (message === undefined) {
      const { payload } = frame
      message =
        typeof payload === 'string'
          ? (JSON.parse(payload) as ServerMessage)
          : ({ ...(JSON.parse(headerOf(payload)) as object), data: spokenIn(payload) } as unknown as ServerMessage)
      this.#messages.set(frame, message)
    }
    return message
  }
}

function readAsked(text: string): Asked | undefined {
  try {
    const value = JSON.parse(text) as Asked | null
    return typeof value === 'object' && typeof value?.type === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
