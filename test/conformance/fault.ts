import { Frame } from '../../src/runtime/ports/frame.ts'
import type { Acceptor, ConnectRequest, SocketSink, TransportSocket } from '../../src/runtime/ports/transport.ts'

/** A message as it stands on the wire. */
export interface Wire {
  readonly type: string
  readonly [field: string]: unknown
}

/** What a wrong server does otherwise than ours. Whatever it does not name is done as ours does it. */
export interface Fault {
  /** A socket has been accepted. */
  opened?(tap: Tap): void
  /** What is sent in place of a message. */
  out?(message: Wire, tap: Tap): readonly Wire[]
  /** What is sent in place of all that leaves in one piece. */
  batch?(messages: readonly Wire[], tap: Tap): readonly Wire[]
  /** What the server hears in place of a message; nothing when undefined. */
  in?(message: Wire, tap: Tap): Wire | undefined
  /** What the server hears of a frame that is too long to be looked at. */
  long?(text: string, tap: Tap): void
  /** Bytes that are sent in place of those of a binary frame. */
  bytes?(frame: Uint8Array): Uint8Array
  /** How a connection is closed; not at all when undefined. */
  close?(code: number, reason: string, tap: Tap): readonly [code: number, reason: string] | undefined
  /** The close code that the server hears. */
  closed?(code: number): number
}

const readable = 20_000

/** One socket of a wrong server. */
export class Tap {
  /** All sockets of the server that are open. */
  readonly others: ReadonlySet<Tap>
  readonly request: ConnectRequest
  readonly rooms = new Set<unknown>()
  /** The last welcome that it was sent. */
  welcome: Wire | undefined
  readonly socket: TransportSocket

  constructor(socket: TransportSocket, request: ConnectRequest, others: ReadonlySet<Tap>) {
    this.socket = socket
    this.request = request
    this.others = others
  }

  get user(): unknown {
    return this.welcome?.['user']
  }

  /** Sends something that the server never said. */
  send(message: Wire): void {
    this.socket.write([new Frame(JSON.stringify(message))])
  }

  note(message: Wire): void {
    if (message.type === 'welcome') this.welcome = message
    else if (message.type === 'joined') this.rooms.add(message['room'])
    else if (message.type === 'left') this.rooms.delete(message['room'])
  }
}

/** Stands between a runtime and its sockets, and does wrong. */
export function withFault(runtime: Acceptor, fault: Fault): Acceptor {
  const taps = new Set<Tap>()
  return {
    accept: (socket, request) => {
      const tap = new Tap(socket, request, taps)
      taps.add(tap)
      fault.opened?.(tap)
      return faultySink(runtime.accept(faultySocket(socket, tap, fault), request), tap, fault, () => taps.delete(tap))
    },
  }
}

function faultySocket(socket: TransportSocket, tap: Tap, fault: Fault): TransportSocket {
  return {
    get ready() {
      return socket.ready
    },
    get bufferedBytes() {
      return socket.bufferedBytes
    },
    ping: () => socket.ping(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    terminate: () => socket.terminate(),
    close: (code, reason) => {
      const other = fault.close === undefined ? ([code, reason] as const) : fault.close(code, reason, tap)
      if (other !== undefined) socket.close(...other)
    },
    write: (frames) => {
      const written = frames.flatMap(({ payload }) => {
        if (typeof payload !== 'string') return [new Frame(fault.bytes?.(payload) ?? payload)]
        const message = JSON.parse(payload) as Wire
        const said = fault.out?.(message, tap) ?? [message]
        tap.note(message)
        return said.map((other) => new Frame(JSON.stringify(other)))
      })
      const texts = written.filter(({ payload }) => typeof payload === 'string')
      if (fault.batch === undefined || texts.length !== written.length) return socket.write(written)
      const messages = texts.map(({ payload }) => JSON.parse(String(payload)) as Wire)
      socket.write(fault.batch(messages, tap).map((message) => new Frame(JSON.stringify(message))))
    },
  }
}

function faultySink(sink: SocketSink, tap: Tap, fault: Fault, gone: () => void): SocketSink {
  return {
    binary: (bytes) => sink.binary(bytes),
    ping: () => sink.ping(),
    pong: () => sink.pong(),
    drained: () => sink.drained(),
    closed: (code) => {
      gone()
      sink.closed(fault.closed?.(code) ?? code)
    },
    message: (text) => {
      if (text.length > readable) {
        fault.long?.(text, tap)
        return sink.message(text)
      }
      const message = fault.in === undefined ? undefined : parse(text)
      if (message === undefined) return sink.message(text)
      const heard = fault.in?.(message, tap)
      if (heard === message) sink.message(text)
      else if (heard !== undefined) sink.message(JSON.stringify(heard))
    },
  }
}

function parse(text: string): Wire | undefined {
  try {
    const message: unknown = JSON.parse(text)
    return typeof (message as Wire | null)?.type === 'string' ? (message as Wire) : undefined
  } catch {
    return undefined
  }
}
