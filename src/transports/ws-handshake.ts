import { Buffer } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Refused } from '../runtime/ports/transport.ts'

/** The version of the protocol: that of RFC 6455, and no draft's. */
const version = '13'

/** The head of an answer that turns an upgrade request away. */
export interface Refusal {
  readonly status: string
  readonly headers: readonly string[]
}

/**
 * Why an upgrade request is refused that `ws` would take: it takes HTTP/1.0, which has no upgrade (RFC 9110 §7.8),
 * requests without a host (RFC 9112 §3.2), and version 8, which was a draft.
 */
export function refusalOf(request: IncomingMessage): Refusal | undefined {
  const { method, httpVersion, headers, headersDistinct } = request
  if (method !== 'GET') return { status: '405 Method Not Allowed', headers: ['Allow: GET'] }
  if (httpVersion !== '1.1' || headersDistinct['host']?.length !== 1) return { status: '400 Bad Request', headers: [] }
  if (headers['sec-websocket-version'] !== version) {
    return {
      status: '426 Upgrade Required',
      headers: ['Connection: Upgrade', 'Upgrade: websocket', `Sec-WebSocket-Version: ${version}`],
    }
  }
  return undefined
}

/** What is said to somebody whom the runtime does not let in. */
export function busyRefusal({ reason, retryAfterSeconds }: Refused): Refusal {
  const status = reason === 'address' ? '429 Too Many Requests' : '503 Service Unavailable'
  return { status, headers: [`Retry-After: ${retryAfterSeconds}`] }
}

/** What is said to a page of an origin that may not connect. */
export const originRefusal: Refusal = { status: '403 Forbidden', headers: [] }

/** What a subprotocol begins with that carries a token, in base64url, from where no header can be set. */
const tokenProtocol = 'greenroom.token.'

/**
 * The token that came with an upgrade request: in `Authorization`, as a subprotocol that is never answered with, or in
 * the query.
 */
export function tokenOf({ headers }: IncomingMessage, query: URLSearchParams): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return bearer
  for (const offered of (headers['sec-websocket-protocol'] ?? '').split(',')) {
    const name = offered.trim()
    // What is no base64url is read as far as it is; a token that is not whole is nobody's.
    if (name.startsWith(tokenProtocol)) return Buffer.from(name.slice(tokenProtocol.length), 'base64url').toString()
  }
  return query.get('token') ?? undefined
}

/**
 * The path and the query of an upgrade request. Its target need not be a URL, but may be a whole one (RFC 6455 §4.2.1),
 * which says the same as its path.
 */
export function parseTarget({ url = '' }: IncomingMessage): { path: string; query: URLSearchParams } {
  const [target, path, query] = /^(?:https?:\/\/[^/?]*)?([^?]*)\??(.*)$/i.exec(url) ?? [url, url, '']
  return { path: path ?? target, query: new URLSearchParams(query) }
}
