import type { Frame } from '../../runtime/ports/frame.ts'
import type { SocketSink, TransportSocket } from '../../runtime/ports/transport.ts'
import type { RecordedEvent } from './recorder.ts'

/** Notes what comes from a socket. */
type Note = (event: RecordedEvent, within?: 'resume' | 'terminate') => void

/** A socket that is recorded, on its way from the transport to the runtime, and what it tells on its way back. */
export class RecordedSocket implements TransportSocket {
  readonly #socket: TransportSocket
  readonly #note: Note
  #writes = 0
  #isFull = false
  /** The call of the runtime's that goes on. */
  #within: 'resume' | 'terminate' | undefined

  constructor(socket: TransportSocket, note: Note) {
    this.#socket = socket
    this.#note = note
  }

  get ready(): boolean {
    return this.#socket.ready
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedBytes
  }

  write(frames: readonly Frame[]): void {
    this.#socket.write(frames)
    this.#writes++
    if (this.#isFull || this.#socket.ready) return
    this.#isFull = true
    this.#note({ type: 'full', writes: this.#writes, buffered: this.#socket.bufferedBytes })
  }

  ping(): void {
    this.#socket.ping()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#during('resume', () => this.#socket.resume())
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  terminate(): void {
    this.#during('terminate', () => this.#socket.terminate())
  }

  /** Records what the transport tells before the runtime hears of it. */
  listen(sink: SocketSink): SocketSink {
    const note = (event: RecordedEvent): void => this.#note(event, this.#within)
    return {
      message: (text) => {
        note({ type: 'text', text })
        sink.message(text)
      },
      binary: (bytes) => {
        note({ type: 'binary', bytes })
        sink.binary(bytes)
      },
      ping: () => {
        note({ type: 'ping' })
        sink.ping()
      },
      pong: () => {
        note({ type: 'pong' })
        sink.pong()
      },
      drained: () => {
        this.#isFull = !this.#socket.ready
        note({ type: 'drained', buffered: this.#socket.bufferedBytes })
        sink.drained()
      },
      closed: (code) => {
        note({ type: 'closed', code })
        sink.closed(code)
      },
    }
  }

  #during(call: 'resume' | 'terminate', act: () => void): void {
    const outer = this.#within
    this.#within = call
    try {
      act()
    } finally {
      this.#within = outer
    }
  }
}
