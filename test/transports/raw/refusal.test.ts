import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { ByteStage } from './byte-stage.ts'
import { text } from './raw-frame.ts'
import { upgradeRequest, type RawRequest } from './raw-request.ts'
import { echo } from './sayings.ts'

const v1 = 'greenroom.v1'
const key = (value: string | readonly string[] | undefined): RawRequest => ({ headers: { 'sec-websocket-key': value } })
const keyOf = (bytes: number): string => Buffer.alloc(bytes, 7).toString('base64')
const version = (value: string | readonly string[] | undefined): RawRequest => ({
  headers: { 'sec-websocket-version': value },
})
const offer = (value: string | readonly string[]): RawRequest => ({ headers: { 'sec-websocket-protocol': value } })

const refused: readonly (readonly [name: string, request: RawRequest, status: number])[] = [
  ...['POST', 'HEAD', 'PUT', 'OPTIONS'].map((method) => [`the method ${method}`, { method }, 405] as const),
  ['HTTP/1.0', { httpVersion: '1.0' }, 400],
  ['HTTP/0.9', { httpVersion: '0.9' }, 400],
  ['HTTP/2.0', { httpVersion: '2.0' }, 400],
  ['no host', { headers: { host: undefined } }, 400],
  ['two hosts', { headers: { host: ['a', 'b'] } }, 400],
  ['another protocol to upgrade to', { headers: { upgrade: 'h2c' } }, 400],
  ['two protocols to upgrade to', { headers: { upgrade: ['websocket', 'websocket'] } }, 400],
  ['no key', key(undefined), 400],
  ['an empty key', key(''), 400],
  ['a key of 15 bytes', key(keyOf(15)), 400],
  ['a key of 17 bytes', key(keyOf(17)), 400],
  ['a key that is not base64', key('dGhlIHNhbXBsZSBub25jZ-=='), 400],
  ['two keys', key([keyOf(16), keyOf(16)]), 400],
  ['no version', version(undefined), 426],
  ...['', '0', '8', '12', '14', '13.0', '0xd', '013', '13, 8', 'thirteen'].map(
    (value) => [`version '${value}'`, version(value), 426] as const,
  ),
  ['two versions', version(['13', '13']), 426],
  ['an empty subprotocol', offer(''), 400],
  ['a subprotocol twice', offer(`${v1}, ${v1}`), 400],
  ['a subprotocol twice, in two lines', offer([v1, v1]), 400],
  ['a list of subprotocols that goes on', offer(`${v1},`), 400],
  ['subprotocols without a comma', offer(`a ${v1}`), 400],
  ['a subprotocol in quotes', offer(`"${v1}"`), 400],
  ['a header of 17 KB', { headers: { cookie: 'x'.repeat(17_000) } }, 431],
  ['5000 headers', { headers: Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`h${i}`, 'x'])) }, 431],
]

describe('an upgrade request', () => {
  const stage = new ByteStage()

  it.each(['/', '/ws/', '/WS', '/ws/x', '//ws', '/%77s', '/ws;x', '*', '/x?/ws', 'http://127.0.0.1', 'http://x/?/ws'])(
    '[UPGRADE-1] [CLOSED] is answered 404 for %s',
    async (target) => {
      const client = await stage.connect()
      client.write(upgradeRequest({ target }))
      await client.until(() => client.ended)
      expect(client.response).toMatchObject({ status: 404, headers: { connection: 'close' } })
    },
  )

  it.each(refused)('[UPGRADE-6] [CLOSED] [ISOLATE] is refused when it has %s', async (_name, request, status) => {
    const client = await stage.connect()
    client.write(upgradeRequest(request))
    await client.until(() => client.ended)
    expect(client.response).toMatchObject({ status, headers: { connection: expect.stringContaining('close') } })
    expect(client.frames).toEqual([])
  })

  it('[UPGRADE-6] says, when it is refused, which version and which method are wanted', async () => {
    const old = await stage.connect()
    old.write(upgradeRequest(version('8')))
    await old.until(() => old.ended)
    expect(old.response?.headers).toMatchObject({
      upgrade: 'websocket',
      connection: 'close, Upgrade',
      'sec-websocket-version': '13',
    })
    const post = await stage.connect()
    post.write(upgradeRequest({ method: 'POST' }))
    await post.until(() => post.ended)
    expect(post.response?.headers).toMatchObject({ allow: 'GET' })
  })

  it.each([
    ['no Upgrade', { upgrade: undefined }],
    ['an empty Upgrade', { upgrade: '' }],
    ['no Connection', { connection: undefined }],
    ['another connection option', { connection: 'keep-alive' }],
  ])('is a request like others when it has %s, and is told to upgrade', async (_name, headers) => {
    const client = await stage.connect()
    client.write(upgradeRequest({ headers }))
    expect(await client.answered()).toMatchObject({ status: 426, headers: { upgrade: 'websocket' } })
  })

  it('has no frames behind it that are heard when it is refused', async () => {
    const client = await stage.connect()
    client.write(Buffer.concat([Buffer.from(upgradeRequest(version('8'))), text(echo('hello').payload)]))
    await client.until(() => client.ended)
    expect([client.response?.status, client.frames]).toEqual([426, []])
  })

  it.each([
    ['a frame', text(echo('hello').payload)],
    ['bytes of no meaning', Buffer.alloc(100, 0xff)],
    ['the greeting of TLS', Buffer.from('16030100050100000100', 'hex')],
    ['a line without a header', 'GET /ws HTTP/1.1\r\nnothing\r\n\r\n'],
    ['a header without a name', 'GET /ws HTTP/1.1\r\n: x\r\n\r\n'],
    ['a zero in a header', upgradeRequest({ headers: { x: 'a\0b' } })],
    ['a space before a colon', upgradeRequest({ headers: { 'x ': 'a' } })],
    ['lines that end in a line feed alone', upgradeRequest().replaceAll('\r\n', '\n')],
    ['a target of 17 KB', upgradeRequest({ target: `/ws?${'x'.repeat(17_000)}` })],
    ['a target that is neither a path nor a URL', upgradeRequest({ target: 'ws' })],
    ['a target with half a URL', upgradeRequest({ target: 'http:/ws' })],
  ])('[CLOSED] [ISOLATE] is not %s, which is answered 4xx and ended', async (_name, bytes) => {
    const client = await stage.connect()
    client.write(bytes)
    await client.until(() => client.ended)
    expect(client.response?.status).toBeGreaterThanOrEqual(400)
    expect(client.response?.status).toBeLessThan(500)
  })

  it('[CLOSED] [ISOLATE] is not CONNECT, which is not answered', async () => {
    const client = await stage.connect()
    client.write(upgradeRequest({ method: 'CONNECT', target: '127.0.0.1:80' }))
    await client.until(() => client.ended)
    expect(client.response).toBeUndefined()
  })
})
