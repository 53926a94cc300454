import { Frame } from '../../src/runtime/ports/frame.ts'
import type { Acceptor, ConnectRequest, SocketSink, TransportSocket } from '../../src/runtime/ports/transport.ts'

/** The far end of a socket, as the suite drives it. */
export interface FarEnd {
  readonly received: string[]
  readonly closed: { code: number; reason: string }[]
  send(data: string | Uint8Array): void
  close(code?: number): void
  /** Goes without a word. */
  cut(): void
  pause(): void
  resume(): void
}

/** What each transport brings to the suite. */
interface TransportHarness {
  connect(options: { protocol?: string; token?: string }): FarEnd
  /** Resolves when the condition holds. */
  until(condition: () => boolean): Promise<void>
  close(): Promise<void>
}

/** A near end that remembers what it was told. */
class RecordingSink implements SocketSink {
  readonly messages: string[] = []
  readonly binaries: Uint8Array[] = []
  readonly closes: number[] = []
  pings = 0
  pongs = 0
  drains = 0
  message(text: string): void {
    this.messages.push(text)
  }
  binary(bytes: Uint8Array): void {
    this.binaries.push(bytes)
  }
  ping(): void {
    this.pings++
  }
  pong(): void {
    this.pongs++
  }
  drained(): void {
    this.drains++
  }
  closed(code: number): void {
    this.closes.push(code)
  }
}

/** An acceptor that remembers the last socket. */
export class RecordingAcceptor implements Acceptor {
  sink = new RecordingSink()
  socket: TransportSocket | undefined
  request: ConnectRequest | undefined
  accept(socket: TransportSocket, request: ConnectRequest): SocketSink {
    this.socket = socket
    this.request = request
    return this.sink
  }
}

/** Plays a scene between the two ends of a socket. */
export type Scene = (
  run: (near: TransportSocket, far: FarEnd, sink: RecordingSink, harness: TransportHarness) => Promise<void>,
  options?: { protocol?: string; token?: string },
) => Promise<RecordingAcceptor>

/** Writes texts in one piece. */
export const write = (near: TransportSocket, ...texts: string[]): void =>
  near.write(texts.map((text) => new Frame(text)))

/** The largest frame that a transport under test takes. */
export const frameBytes = 65_536

/** Sets a transport up between an acceptor and whoever connects. */
export type SetUp = (acceptor: Acceptor, limits: { frameBytes: number }) => Promise<TransportHarness>

/** Makes what plays scenes on a transport, each on one of its own. */
export function sceneOn(setUp: SetUp): Scene {
  return async (run, options = {}) => {
    const acceptor = new RecordingAcceptor()
    const harness = await setUp(acceptor, { frameBytes })
    try {
      const far = harness.connect(options)
      await harness.until(() => acceptor.socket !== undefined)
      await run(acceptor.socket as TransportSocket, far, acceptor.sink, harness)
    } finally {
      await harness.close()
    }
    return acceptor
  }
}
