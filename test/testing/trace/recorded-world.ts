import type { Clock } from '../../../src/runtime/ports/environment.ts'
import type { RuntimeOptions } from '../../../src/runtime/options.ts'
import type { Acceptor, TransportSocket } from '../../../src/runtime/ports/transport.ts'
import { RuntimeTrunk } from '../../../src/runtime/runtime.ts'
import {
  createVirtualEnvironment,
  Network,
  recordTrace,
  WireClient,
  type NetworkOptions,
  type RecordTraceOptions,
  type VirtualClock,
} from 'greenroom/testing'

/** What one connection was sent, and when. */
export interface Sent {
  readonly frames: readonly { readonly at: number; readonly payload: string | Uint8Array }[]
  readonly closed: { readonly at: number; readonly code: number; readonly reason: string } | undefined
}

interface Noted extends Sent {
  frames: { readonly at: number; readonly payload: string | Uint8Array }[]
  closed: Sent['closed']
}

interface WorldOptions extends RecordTraceOptions {
  readonly seed?: number
  readonly network?: NetworkOptions
  readonly options?: (clock: Clock) => RuntimeOptions
}

/** A runtime on virtual time that is recorded, with what it really sent. */
export class RecordedWorld {
  readonly clock: VirtualClock
  readonly network: Network
  readonly recorder: ReturnType<typeof recordTrace>
  readonly runtime: RuntimeTrunk
  readonly telemetry: unknown[] = []
  readonly sent: Sent[] = []

  constructor({ seed = 1, network, options = () => ({}), ...recording }: WorldOptions = {}) {
    const environment = createVirtualEnvironment(seed)
    this.clock = environment.clock
    this.network = new Network(this.clock, { seed, ...network })
    this.recorder = recordTrace({ redact: false, environment, ...recording })
    const recorded = this.recorder.environment
    this.runtime = new RuntimeTrunk({
      ...options(recorded.clock),
      environment: recorded,
      telemetry: (event) => void this.telemetry.push(event),
    })
    this.network.listen('server', this.#tapped(this.recorder.around(this.runtime)))
  }

  async connect(device: string, request: { protocol?: string; token?: string } = {}): Promise<WireClient> {
    const client = new WireClient(this.network.device(device).connect('server', request), this.clock, device)
    await this.clock.until(() => client.socket.readyState !== 0, 60_000)
    return client
  }

  async member(device: string, request: { protocol?: string; token?: string } = {}): Promise<WireClient> {
    const client = await this.connect(device, request)
    client.send({ type: 'join', room: 'main' })
    await client.receives('joined')
    return client
  }

  async close(): Promise<void> {
    const closed = this.runtime.close()
    await this.clock.advance(60_000)
    await closed
  }

  /** Notes what goes into each socket, as the transport gets it. */
  #tapped(acceptor: Acceptor): Acceptor {
    const startedAt = this.clock.now()
    return {
      accept: (socket, request) => {
        const sent: Noted = { frames: [], closed: undefined }
        this.sent.push(sent)
        const at = (): number => this.clock.now() - startedAt
        let isOver = false
        const end = (code: number, reason: string): void => {
          if (!isOver) sent.closed ??= { at: at(), code, reason }
        }
        const front: TransportSocket = {
          get ready() {
            return socket.ready
          },
          get bufferedBytes() {
            return socket.bufferedBytes
          },
          write: (frames) => {
            if (!isOver && sent.closed === undefined) {
              for (const { payload } of frames) sent.frames.push({ at: at(), payload })
            }
            socket.write(frames)
          },
          ping: () => socket.ping(),
          pause: () => socket.pause(),
          resume: () => socket.resume(),
          close: (code, reason) => {
            end(code, reason)
            socket.close(code, reason)
          },
          terminate: () => {
            end(1006, '')
            socket.terminate()
          },
        }
        const sink = acceptor.accept(front, request)
        return {
          message: (text) => sink.message(text),
          binary: (bytes) => sink.binary(bytes),
          ping: () => sink.ping(),
          pong: () => sink.pong(),
          drained: () => sink.drained(),
          closed: (code) => {
            end(code, '')
            isOver = true
            sink.closed(code)
          },
        }
      },
    }
  }
}
