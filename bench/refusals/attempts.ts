import { Buffer } from 'node:buffer'
import { createHmac } from 'node:crypto'
import { connect } from 'node:net'
import type { RuntimeOptions } from 'greenroom'

/** What the server is told. */
export type RefusingOptions = RuntimeOptions & {
  /** What tokens are signed with. */
  readonly secret: string
  /** How long a request may take to come (ms). @default 10_000 */
  readonly headersTimeoutMs?: number
}

/** A way to try to come in. */
export interface AttemptKind {
  readonly name: string
  readonly title: string
  /** What the server is told besides its secret. */
  readonly options: Omit<RefusingOptions, 'secret'>
  /** What is sent at first. */
  readonly request: string
  /** The beginning of what the server must answer; nothing for those who are only cut off. */
  readonly answer: string
}

export const secret = 'a secret of thirty-two bytes, or more'

const base64url = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url')

function signed(claims: object, key: string): string {
  const content = `${base64url({ alg: 'HS256' })}.${base64url(claims)}`
  return `${content}.${createHmac('sha256', key).update(content).digest('base64url')}`
}

function upgradeRequest({ path = '/ws', headers = [] as readonly string[] } = {}): string {
  const usual = [
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ]
  return [`GET ${path} HTTP/1.1`, ...usual, ...headers, '', ''].join('\r\n')
}

const bearer = (key: string): string[] => [`Authorization: Bearer ${signed({ sub: 'eve' }, key)}`]
const good = upgradeRequest({ headers: bearer(secret) })
const silent = upgradeRequest({ headers: ['Sec-WebSocket-Protocol: greenroom.v1'] })

/** What an accepted connection is compared with. The first is the accepted one: it is welcomed, and leaves. */
export const attemptKinds: readonly AttemptKind[] = [
  { name: 'accepted', title: 'accepted and welcomed', options: {}, request: good, answer: 'HTTP/1.1 101' },
  {
    name: 'origin',
    title: 'refused for its origin',
    options: {},
    request: upgradeRequest({ headers: [...bearer(secret), 'Origin: https://evil.example'] }),
    answer: 'HTTP/1.1 403',
  },
  {
    name: 'path',
    title: 'refused for its path',
    options: {},
    request: upgradeRequest({ path: '/elsewhere' }),
    answer: 'HTTP/1.1 404',
  },
  {
    name: 'total',
    title: 'refused as one too many',
    options: { connectionsTotal: 0 },
    request: good,
    answer: 'HTTP/1.1 503',
  },
  {
    name: 'address',
    title: 'refused as one too many of its address',
    options: { connectionsPerAddress: 0 },
    request: good,
    answer: 'HTTP/1.1 429',
  },
  {
    name: 'rate',
    title: 'refused as too fast',
    options: { upgradesPerSecond: 0, upgradeBurst: 0 },
    request: good,
    answer: 'HTTP/1.1 503',
  },
  {
    name: 'token',
    title: 'upgraded, and refused for its token',
    options: {},
    request: upgradeRequest({ headers: bearer(`${secret}!`) }),
    answer: 'HTTP/1.1 101',
  },
  {
    name: 'silent',
    title: 'upgraded, and silent until its time is up',
    options: { credentialsTimeoutMs: 200 },
    request: silent,
    answer: 'HTTP/1.1 101',
  },
  {
    name: 'mute',
    title: 'connected, and silent until its time is up',
    options: { headersTimeoutMs: 200 },
    request: '',
    answer: 'HTTP/1.1 408',
  },
]

const closeNormally = Buffer.from('88820000000003e8', 'hex')
const answerClose = Buffer.from('888000000000', 'hex')

/**
 * Tries once, and resolves when the socket has ended.
 *
 * @throws Error when the server answers something else than it should
 */
export function attempt(port: number, { name, request, answer }: AttemptKind): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let heard = ''
    let over = false
    socket.write(request)
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1')
      if (over || !heard.includes('\r\n\r\n')) return
      // Whoever is let in leaves, as one should; whoever is closed answers the close frame.
      if (name === 'accepted' && heard.includes('"welcome"')) socket.write(closeNormally)
      else if (heard.startsWith('HTTP/1.1 101') && heard.includes('\u0088')) socket.write(answerClose)
      else return
      over = true
    })
    socket.on('error', reject)
    socket.on('close', () => {
      if (heard.startsWith(answer)) resolve()
      else reject(new Error(`${name} was answered '${heard.slice(0, 60)}'.`))
    })
  })
}
