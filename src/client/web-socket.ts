/** As much of the WebSocket API as the client needs: browsers', `ws`'s and the memory transport's all have it. */
export interface WebSocketLike {
  readonly readyState: number
  binaryType: string
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
}

/** A class of such sockets. */
export type WebSocketClass = new (url: string, protocols?: string | string[]) => WebSocketLike

/**
 * The platform's WebSocket.
 *
 * @throws TypeError where the platform has none (Node 20) and none was handed in
 */
export function platformWebSocket(): WebSocketClass {
  const { WebSocket } = globalThis as { WebSocket?: WebSocketClass }
  if (WebSocket === undefined) {
    throw new TypeError("This platform has no WebSocket. Pass one, such as that of 'ws'.")
  }
  return WebSocket
}
