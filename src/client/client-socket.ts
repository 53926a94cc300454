import {
  closeCodes,
  decodeBinary,
  encodeBinary,
  subprotocol,
  utf8Length,
  type ServerMessage,
} from '../protocol/index.ts'
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

  /**
   * Sends a message; one with `bytes` goes as a binary frame.
   *
   * @returns false for a message over the limit: it would cost the connection
   */
  write(message: object, limitBytes: number): boolean {
    const { bytes, ...header } = message as { bytes?: Uint8Array }
    const text = JSON.stringify(header)
    const frame = bytes === undefined ? text : encodeBinary(text, bytes)
    if ((typeof frame === 'string' ? utf8Length(frame) : frame.length) > limitBytes) return false
    this.#socket.send(frame)
    return true
  }

  /** Says that the client will not come back, and hears no more. */
  leave(): void {
    this.#fallSilent()
    this.#socket.close(closeCodes.normal)
  }

  /** Gives the socket up, and hears no more of it. Without a code the session waits for its client. */
  drop(): void {
    this.#fallSilent()
    this.#socket.close()
  }

  #fallSilent(): void {
    this.#socket.onopen = null
    this.#socket.onmessage = null
    this.#socket.onclose = null
  }
}

/** What a frame from the server says, and the bytes that it carries. A frame that says nothing is passed over. */
function readFrame(data: unknown): { message: ServerMessage; bytes?: Uint8Array } | undefined {
  try {
    if (typeof data === 'string') return asMessage(JSON.parse(data))
    const parts = decodeBinary(data instanceof Uint8Array ? data : new Uint8Array(data as ArrayBuffer))
    return parts && { ...asMessage(JSON.parse(parts.header)), bytes: parts.bytes }
  } catch {
    return undefined
  }
}

/** @throws TypeError when it is not a message at all */
function asMessage(value: unknown): { message: ServerMessage } {
  if (typeof (value as ServerMessage | null)?.type !== 'string') throw new TypeError('A message has a type.')
  return { message: value as ServerMessage }
}
