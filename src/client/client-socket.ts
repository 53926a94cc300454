import { closeCodes, decodeBinary, encodeBinary, subprotocol, type ServerMessage } from '../protocol/index.ts'
import type { WebSocketClass, WebSocketLike } from './web-socket.ts'

/** What a socket tells the client. */
export interface SocketListener {
  opened(): void
  received(message: ServerMessage, bytes: Uint8Array | undefined): void
  closed(code: number, reason: string): void
}

/** One attempt to be connected: messages instead of frames, and silence once it has been dropped. */
export class ClientSocket {
  readonly #socket: WebSocketLike

  constructor(WebSocket: WebSocketClass, url: string, listener: SocketListener) {
    const socket = new WebSocket(url, [subprotocol])
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => listener.opened()
    socket.onmessage = ({ data }: { data: unknown }) => {
      const frame = readFrame(data)
      if (frame !== undefined) listener.received(frame.message, frame.bytes)
    }
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => listener.closed(code, reason)
    // A `close` event follows every error.
    socket.onerror = () => {}
  }

  /** Sends a message; one with `bytes` goes as a binary frame. */
  write(message: object): void {
    const { bytes, ...header } = message as { bytes?: Uint8Array }
    const text = JSON.stringify(header)
    this.#socket.send(bytes === undefined ? text : encodeBinary(text, bytes))
  }

  /** Closes, and hears no more of it. */
  drop(): void {
    this.#socket.onopen = null
    this.#socket.onmessage = null
    this.#socket.onclose = null
    this.#socket.close(closeCodes.normal)
  }
}

/** What a frame from the server says, and the bytes that it carries. A frame that says nothing is passed over. */
function readFrame(data: unknown): { message: ServerMessage; bytes?: Uint8Array } | undefined {
  try {
    if (typeof data === 'string') return { message: JSON.parse(data) as ServerMessage }
    const parts = decodeBinary(data instanceof Uint8Array ? data : new Uint8Array(data as ArrayBuffer))
    return parts && { message: JSON.parse(parts.header) as ServerMessage, bytes: parts.bytes }
  } catch {
    return undefined
  }
}
