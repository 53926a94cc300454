import type { Frame } from '../runtime/ports/frame.ts'
import type { SocketSink, TransportSocket } from '../runtime/ports/transport.ts'
import type { Link } from './memory-link.ts'

/** What the server's end needs of the client's. */
interface FarEnd {
  /** Whether what is sent to it is read. */
  readonly reads: boolean
  /** Something has arrived; it is acted upon when it is read. */
  arrive(action: () => void): void
  receive(payload: string | Uint8Array): void
  end(code: number, reason: string, wasClean: boolean): void
}

/** The server's end of a memory socket. */
export class MemoryServerSocket implements TransportSocket {
  sink: SocketSink | undefined
  bufferedBytes = 0
  ended = false
  readonly #client: FarEnd
  readonly #link: Link
  readonly #highWaterBytes: number
  #closing = false
  #paused = false
  #unread: (() => void)[] = []

  constructor(client: FarEnd, link: Link, highWaterBytes: number) {
    this.#client = client
    this.#link = link
    this.#highWaterBytes = highWaterBytes
  }

  get ready(): boolean {
    return !this.ended && !this.#closing && this.bufferedBytes <= this.#highWaterBytes
  }

  write(frames: readonly Frame[]): void {
    if (this.ended || this.#closing) return
    const waits = !this.#client.reads || this.#link.toClient.stalled
    this.#link.toClient.carry(
      frames.map(({ payload, byteLength }) => {
        if (waits) this.bufferedBytes += byteLength
        const taken = (): void => {
          if (waits) this.#taken(byteLength)
        }
        const receive = (): void => {
          taken()
          this.#client.receive(payload)
        }
        return { kind: 'message', payload, arrive: () => this.#client.arrive(receive), lost: taken }
      }),
    )
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    while (!this.#paused) {
      const arrival = this.#unread.shift()
      if (arrival === undefined) return
      arrival()
    }
  }

  /** Something has arrived from the client, in its turn. */
  read(arrival: () => void): void {
    if (this.ended) return
    if (this.#paused) this.#unread.push(arrival)
    else arrival()
  }

  ping(): void {
    if (this.ended) return
    const answered = (): void => {
      if (!this.ended) this.read(() => this.sink?.pong())
    }
    const answer = (): void => this.#link.toServer.carry([{ kind: 'pong', arrive: answered }])
    this.#link.toClient.carry([{ kind: 'ping', arrive: () => this.#client.arrive(answer) }])
  }

  close(code: number, reason: string): void {
    if (this.ended || this.#closing) return
    this.#closing = true
    const closed = (): void => {
      this.#client.end(code, reason, true)
      this.#link.toServer.carry([{ kind: 'close', code, arrive: () => this.end(code) }])
    }
    this.#link.toClient.carry([{ kind: 'close', code, arrive: () => this.#client.arrive(closed) }])
  }

  terminate(): void {
    if (this.ended) return
    this.end(1006)
    const closed = (): void => this.#client.end(1006, '', false)
    this.#link.toClient.carry([{ kind: 'close', code: 1006, arrive: () => this.#client.arrive(closed) }])
  }

  /** Closes for a fault of the client's. */
  fail(code: number): void {
    this.close(code, '')
    this.end(code)
  }

  /** The socket is gone. */
  end(code: number): void {
    if (this.ended) return
    this.ended = true
    this.bufferedBytes = 0
    // What has not been read by now is not read any more.
    this.#unread = []
    this.sink?.closed(code)
  }

  #taken(bytes: number): void {
    if (this.ended) return
    const wasReady = this.ready
    this.bufferedBytes -= bytes
    if (!wasReady && this.ready) this.sink?.drained()
  }
}
