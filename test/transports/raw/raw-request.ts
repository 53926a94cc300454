import { createHash } from 'node:crypto'

/** An upgrade request, of which every part may be wrong. */
export interface RawRequest {
  /** @default 'GET' */
  readonly method?: string
  /** @default '/ws' */
  readonly target?: string
  /** @default '1.1' */
  readonly httpVersion?: string
  /** Takes the place of the usual header of that name, whatever its case; undefined leaves it out, a list repeats it. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** What a server answers. */
export interface Response {
  readonly status: number
  /** By their names in lower case; those that were sent twice, as a list. */
  readonly headers: Readonly<Record<string, string>>
}

/** The key of RFC 6455 §1.3. */
const key = 'dGhlIHNhbXBsZSBub25jZQ=='

/** What a server must answer to that key (RFC 6455 §4.2.2). */
export const acceptOfKey = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

const usual = {
  host: '127.0.0.1',
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-key': key,
  'sec-websocket-version': '13',
}

/** The bytes of an upgrade request. */
export function upgradeRequest({ method = 'GET', target = '/ws', httpVersion = '1.1', headers = {} }: RawRequest = {}) {
  const lines = Object.entries({ ...usual, ...headers }).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((each) => `${name}: ${each}`),
  )
  return `${method} ${target} HTTP/${httpVersion}\r\n${lines.join('\r\n')}\r\n\r\n`
}

/** Reads the head of an answer. */
export function responseOf(head: string): Response {
  const [status = '', ...lines] = head.split('\r\n')
  const found = /^HTTP\/1\.1 (\d{3}) [ -~]+$/.exec(status)
  if (found === null) throw new Error(`The server answered '${status}'.`)
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~\w-]+): ?([ -~]*)$/.exec(line) ?? []
    if (name === '') throw new Error(`The server sent the header '${line}'.`)
    const before = headers[name.toLowerCase()]
    headers[name.toLowerCase()] = before === undefined ? value : `${before}, ${value}`
  }
  return { status: Number(found[1]), headers }
}
