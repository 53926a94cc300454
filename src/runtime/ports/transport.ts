import type { Frame } from './frame.ts'

/**
 * One raw socket, as a transport shows it to the runtime. No method throws; after the end of the socket they do
 * nothing.
 */
export interface TransportSocket {
  /** Writes all frames in one piece. */
  write(frames: readonly Frame[]): void
  /** Whether the socket takes more. When it does not, {@link SocketSink.drained} tells when it does again. */
  readonly ready: boolean
  /** What has been written but has not left the process, in bytes. */
  readonly bufferedBytes: number
  /** Sends a ping that the other side's WebSocket implementation answers by itself. */
  ping(): void
  /** Stops reading, so that the other side has to wait; what has been read already may still be told. */
  pause(): void
  /** Reads on. */
  resume(): void
  /** Starts the close handshake. */
  close(code: number, reason: string): void
  /** Ends the socket without a word. */
  terminate(): void
}

/** What a transport tells the runtime about one socket. */
export interface SocketSink {
  message(text: string): void
  /** A binary frame. */
  binary(bytes: Uint8Array): void
  /** The other side has sent a ping, which the transport answers by itself. */
  ping(): void
  pong(): void
  drained(): void
  /**
   * The socket is gone; said exactly once.
   * @param code - the close code received, 1006 when there was none, or what the transport itself found wrong
   */
  closed(code: number): void
}

/** How a socket came in. */
export interface ConnectRequest {
  /** The subprotocol agreed upon; empty when none was. */
  readonly protocol: string
  /** Credentials that came with the upgrade request: in `Authorization`, as a subprotocol, or as `?token=…`. */
  readonly token?: string | undefined
  /** The other side's address, for logs and limits. */
  readonly address: string
  /** The request's path and query, without `token`. */
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/**
 * Why a socket is not let in: it comes from a page of an `origin` that is not allowed; there are as many connections as
 * there may be in `total`, that are `unauthenticated` as yet, of one `address`, or of one `user`; or too many `upgrades` a
 * second.
 */
export type RefusedFor = 'origin' | 'total' | 'unauthenticated' | 'address' | 'upgrades' | 'user'

/** What somebody is told who is not let in. */
export interface Refused {
  readonly reason: RefusedFor
  /** When to come back (s). */
  readonly retryAfterSeconds: number
}

/** Where transports bring their sockets. */
export interface Acceptor {
  /**
   * Asked before a socket is made of a request. Who is not refused is expected to be accepted in the same turn.
   *
   * @param address - the other side's
   */
  refuses?(address: string): Refused | undefined
  /** A transport has refused somebody by its own rules. */
  noteRefusal?(reason: RefusedFor): void
  accept(socket: TransportSocket, request: ConnectRequest): SocketSink
}
