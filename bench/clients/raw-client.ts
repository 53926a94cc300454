import { Buffer } from 'node:buffer'
import { connect, type Socket } from 'node:net'
import type { Dialect } from '../dialects.ts'
import { FrameScanner, type Marker } from './frame-scanner.ts'
import { maskedTextFrame } from './request-ring.ts'

/** Every socket reads into this one: what arrived is counted before the next one reads. */
const arrival = Buffer.allocUnsafe(256 * 1024)

const endOfHead = '\r\n\r\n'

/** What a client is told. */
export interface RawClientOptions {
  readonly port: number
  readonly dialect: Dialect
  readonly room: string
  /** How its own messages are recognised when they come back. */
  readonly marker: Marker | undefined
  /** Called when anything is not as it should be. */
  readonly failed: (error: Error) => void
}

/** One WebSocket connection, down to the socket: the upgrade is written by hand and frames are only counted. */
export class RawClient {
  readonly room: string
  readonly scanner: FrameScanner
  readonly socket: Socket
  /** Settles when the server has let this client into its room. */
  readonly opened: Promise<void>
  /** Called after something arrived. */
  progress: (() => void) | undefined
  readonly #failed: (error: Error) => void
  /** The response's head, until it is complete. */
  #head: string | undefined = ''
  #closing = false

  constructor({ port, dialect, room, marker, failed }: RawClientOptions) {
    this.room = room
    this.scanner = new FrameScanner(marker)
    this.#failed = failed
    this.socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: { buffer: arrival, callback: (size) => this.#read(size) },
    })
    this.socket.on('error', (error) => this.#fail(error))
    this.socket.on('close', () => this.#fail(new Error('The server closed a connection.')))
    this.socket.write(upgradeRequest(port, dialect.path))
    this.opened = this.#open(dialect)
  }

  /** Cuts the connection. A reset leaves no port behind that waits to be forgotten. */
  close(): void {
    this.#closing = true
    this.progress = undefined
    this.socket.resetAndDestroy()
  }

  async #open({ speaksFirst, opening }: Dialect): Promise<void> {
    let expected = speaksFirst ? 1 : 0
    for (const text of opening(this.room)) {
      await this.#heard(expected++)
      this.socket.write(maskedTextFrame(text))
    }
    await this.#heard(expected)
  }

  #heard(frames: number): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.#head !== undefined || this.scanner.frames < frames) return
        this.progress = undefined
        resolve()
      }
      this.progress = check
      check()
    })
  }

  #read(size: number): boolean {
    try {
      this.scanner.scan(arrival, this.#head === undefined ? 0 : this.#readHead(size), size)
      this.progress?.()
    } catch (error) {
      this.#fail(error as Error)
    }
    return true
  }

  /** Returns where the first frame begins. */
  #readHead(size: number): number {
    const before = this.#head ?? ''
    const head = before + arrival.toString('latin1', 0, size)
    const end = head.indexOf(endOfHead)
    this.#head = end === -1 ? head : undefined
    if (end === -1) return size
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`The server answered ${head.slice(0, head.indexOf('\r\n'))}`)
    return end + endOfHead.length - before.length
  }

  #fail(error: Error): void {
    if (this.#closing) return
    this.#closing = true
    this.socket.destroy()
    this.#failed(error)
  }
}

function upgradeRequest(port: number, path: string): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ]
  return lines.join('\r\n') + endOfHead
}
