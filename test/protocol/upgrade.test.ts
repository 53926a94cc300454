import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createRuntime } from '../../src/create-runtime.ts'
import type { RuntimeOptions } from '../../src/runtime/options.ts'
import { Stage } from '../stage.ts'
import { byName, v1 } from './cast.ts'

/** A server on a port of its own: what happens below messages shows on real sockets only. */
async function serve(options: RuntimeOptions = {}): Promise<string> {
  const runtime = createRuntime(options)
  onTestFinished(() => runtime.close())
  return `127.0.0.1:${await runtime.listen(0, { host: '127.0.0.1' })}`
}

function dial(url: string, protocols: string[] = [], headers: Record<string, string> = {}): WebSocket {
  const socket = new WebSocket(url, protocols, { headers })
  socket.on('error', () => {})
  onTestFinished(() => socket.terminate())
  return socket
}

/** The user that a client is welcomed as. */
async function welcomedAs(socket: WebSocket): Promise<unknown> {
  const [frame] = (await once(socket, 'message')) as [Buffer]
  return (JSON.parse(frame.toString()) as { user: unknown }).user
}

async function closeCode(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, 'close')) as [number]
  return code
}

describe('upgrade', () => {
  it('[UPGRADE-1] is for /ws; another path gets 404, and a plain request there 426', async () => {
    const host = await serve()
    for (const path of ['/', '/ws/', '/wss', '/WS', '//ws', '/%77s']) {
      const socket = dial(`ws://${host}${path}`)
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
      expect([path, response.statusCode]).toEqual([path, 404])
    }
    const [response] = (await once(get(`http://${host}/ws`), 'response')) as [{ statusCode: number; resume(): void }]
    response.resume()
    expect(response.statusCode).toBe(426)
    expect(await welcomedAs(dial(`ws://${host}/ws?a=b`))).toMatch(/^guest-/)
  })

  it('[UPGRADE-2] chooses the subprotocol among those offered, and no other', async () => {
    const host = await serve()
    // By hand: the client of `ws` breaks the handshake off when nothing is chosen of what it offered.
    const chosen = async (offered?: string): Promise<string | undefined> => {
      const request = get(`http://${host}/ws`, {
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': 13,
          'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
          ...(offered === undefined ? {} : { 'Sec-WebSocket-Protocol': offered }),
        },
      })
      const [{ headers, statusCode }, tcp] = (await once(request, 'upgrade')) as [IncomingMessage, Socket]
      tcp.destroy()
      expect(statusCode).toBe(101)
      return headers['sec-websocket-protocol']
    }
    expect(await chosen('chat, greenroom.v1, greenroom.v2')).toBe('greenroom.v1')
    expect(await chosen()).toBeUndefined()
    expect(await chosen('greenroom.v2, GREENROOM.V1')).toBeUndefined()
  })

  it('[UPGRADE-3] takes the token of `hello` before that of the header, and that before the query', async () => {
    const host = await serve(byName)
    const bearer = { authorization: 'Bearer header' }
    expect(await welcomedAs(dial(`ws://${host}/ws?token=query`))).toBe('query')
    expect(await welcomedAs(dial(`ws://${host}/ws`, [], bearer))).toBe('header')
    expect(await welcomedAs(dial(`ws://${host}/ws?token=query`, [], bearer))).toBe('header')
    expect(await welcomedAs(dial(`ws://${host}/ws?token=query`, [], { authorization: 'Basic b64' }))).toBe('query')
    const polite = dial(`ws://${host}/ws?token=query`, ['greenroom.v1'], bearer)
    await once(polite, 'open')
    polite.send('{"type":"hello","token":"hello"}')
    expect(await welcomedAs(polite)).toBe('hello')
  })

  it('[UPGRADE-4] negotiates no extension', async () => {
    const socket = dial(`ws://${await serve()}/ws`)
    await once(socket, 'open')
    expect(socket.extensions).toBe('')
  })

  it('[UPGRADE-5] turns new sockets away with 1012 while the server is closing', async () => {
    const stage = new Stage()
    const lingering = await stage.connect()
    lingering.socket.cut({ halfOpen: true })
    const closed = stage.runtime.close()
    const late = await stage.connect(v1)
    expect(late.closed).toEqual([{ code: 1012, reason: 'server-closing' }])
    expect(late.received).toEqual([])
    await stage.clock.advance(5_000)
    await closed
  })
})

describe('a socket', () => {
  it('[FRAME-4] is closed with 1009 for a frame that is too big, alone or in sum', async () => {
    const host = await serve({ frameBytes: 1_000 })
    const alone = dial(`ws://${host}/ws`)
    await once(alone, 'open')
    alone.send('x'.repeat(1_001))
    expect(await closeCode(alone)).toBe(1009)
    const summed = dial(`ws://${host}/ws`)
    await once(summed, 'open')
    for (let i = 0; i < 3; i++) summed.send('x'.repeat(400), { fin: false })
    expect(await closeCode(summed)).toBe(1009)
  })

  it.each([
    { breach: 'an unmasked frame', bytes: [0x81, 1, 0x61], code: 1002 },
    { breach: 'a reserved bit', bytes: [0xf1, 0x80, 0, 0, 0, 0], code: 1002 },
    { breach: 'an unknown opcode', bytes: [0x83, 0x80, 0, 0, 0, 0], code: 1002 },
    { breach: 'a continuation of nothing', bytes: [0x80, 0x80, 0, 0, 0, 0], code: 1002 },
    { breach: 'text that is not UTF-8', bytes: [0x81, 0x81, 0, 0, 0, 0, 0xff], code: 1007 },
    {
      breach: '65 fragments',
      bytes: [1, 0x80, 0, 0, 0, 0, ...Array.from({ length: 64 }, () => [0, 0x80, 0, 0, 0, 0]).flat()],
      code: 1008,
    },
  ])('[FRAME-6] is closed with $code for $breach', async ({ bytes, code }) => {
    const socket = dial(`ws://${await serve()}/ws`)
    await once(socket, 'open')
    ;(socket as unknown as { _socket: Socket })._socket.write(Uint8Array.from(bytes))
    expect(await closeCode(socket)).toBe(code)
  })
})
