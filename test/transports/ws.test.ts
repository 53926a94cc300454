import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { Frame } from '../../src/runtime/ports/frame.ts'
import type { Acceptor } from '../../src/runtime/ports/transport.ts'
import { wsTransport } from '../../src/transports/ws.ts'
import { describeTransport } from './contract.ts'
import { ByteClient } from './raw/byte-client.ts'
import { close, cut, fragments, frame, opcodes, text } from './raw/raw-frame.ts'
import { upgradeRequest } from './raw/raw-request.ts'
import { RecordingAcceptor, type FarEnd } from './scene.ts'

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

async function until(condition: () => boolean): Promise<void> {
  do await turn()
  while (!condition())
}

async function listen(acceptor: Acceptor, limits: { frameBytes: number } = { frameBytes: 65_536 }): Promise<Server> {
  const server = createServer()
  wsTransport(acceptor, server, limits)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

describeTransport('ws', async (acceptor, limits) => {
  const server = await listen(acceptor, limits)
  const clients: WebSocket[] = []
  return {
    connect: ({ protocol, token }) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
      const protocols = protocol === undefined ? [] : [protocol]
      const socket = new WebSocket(`ws://127.0.0.1:${portOf(server)}/ws`, protocols, { headers })
      clients.push(socket)
      return farEnd(socket)
    },
    until,
    close: async () => {
      for (const client of clients) client.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  }
})

function farEnd(socket: WebSocket): FarEnd {
  const received: string[] = []
  const closed: { code: number; reason: string }[] = []
  socket.on('message', (data) => received.push(String(data)))
  socket.on('close', (code, reason) => closed.push({ code, reason: String(reason) }))
  socket.on('error', () => {})
  return {
    received,
    closed,
    send: (data) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(data)
      else socket.once('open', () => socket.send(data))
    },
    close: (code) => {
      if (socket.readyState === WebSocket.OPEN) socket.close(code)
      else socket.once('open', () => socket.close(code))
    },
    cut: () => socket.terminate(),
    pause: () =>
      void (socket.readyState === WebSocket.OPEN ? socket.pause() : socket.once('open', () => socket.pause())),
    resume: () => socket.resume(),
  }
}

/** A client that has shaken hands, and then sends whatever bytes it is given. */
async function byteClient(server: Server): Promise<ByteClient> {
  const client = await ByteClient.connect(portOf(server))
  client.write(upgradeRequest())
  await client.answered()
  return client
}

async function scene(): Promise<{ acceptor: RecordingAcceptor; server: Server }> {
  const acceptor = new RecordingAcceptor()
  const server = await listen(acceptor)
  onTestFinished(async () => {
    acceptor.socket?.terminate()
    await new Promise((resolve) => server.close(resolve))
  })
  return { acceptor, server }
}

describe('ws transport, byte by byte', () => {
  it.each([
    ['a malformed frame', frame({ opcode: 3 }), 1002],
    ['a malformed close', close(1006), 1002],
    ['bytes that are not UTF-8', text(Buffer.of(0xff)), 1007],
    ['more fragments than are held', Buffer.concat(fragments(opcodes.text, cut('', 65))), 1008],
    ['a frame that is too big', frame({ opcode: opcodes.text, length: 65_537 }), 1009],
    ['a frame whose length cannot be counted', frame({ opcode: opcodes.text, length: 2n ** 63n }), 1009],
  ])('[CLOSED] tells the runtime the code that it closes with on %s', async (_name, bytes, code) => {
    const { acceptor, server } = await scene()
    const client = await byteClient(server)
    client.write(bytes)
    await client.until(() => client.ended)
    await until(() => acceptor.sink.closes.length > 0)
    expect([client.closing, acceptor.sink.closes]).toEqual([{ code, reason: '' }, [code]])
  })

  it('[CLOSED] says 1006 once when the client resets', async () => {
    const { acceptor, server } = await scene()
    const client = await byteClient(server)
    client.tcp.resetAndDestroy()
    await until(() => acceptor.sink.closes.length > 0)
    expect(acceptor.sink.closes).toEqual([1006])
  })

  it('frames as RFC 6455 has it', async () => {
    const { acceptor, server } = await scene()
    const client = await byteClient(server)
    const texts = [0, 1, 125, 126, 127, 65_535, 65_536].map((length) => 'x'.repeat(length))
    // In one piece and each for itself: they are not put into bytes by the same code.
    acceptor.socket?.write(texts.map((each) => new Frame(each)))
    for (const each of texts) acceptor.socket?.write([new Frame(each)])
    acceptor.socket?.close(4001, 'not-authenticated')
    await client.until(() => client.closing !== undefined)
    const received = client.frames.map(({ opcode, payload }) => [opcode, payload.length])
    const lengths = texts.map(({ length }) => [opcodes.text, length])
    expect(received).toEqual([...lengths, ...lengths, [opcodes.close, 19]])
    client.tcp.destroy()
  })

  it('answers 404 on another path, and keeps a token in the query to itself', async () => {
    const { acceptor, server } = await scene()
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket' }
    const status = await new Promise((resolve) => {
      httpRequest({ port: portOf(server), path: '/other', headers }, (response) => resolve(response.statusCode)).end()
    })
    expect(status).toBe(404)
    const socket = new WebSocket(`ws://127.0.0.1:${portOf(server)}/ws?token=secret&lang=en`)
    socket.on('error', () => {})
    await until(() => acceptor.request !== undefined)
    expect(acceptor.request).toMatchObject({ token: 'secret', url: '/ws?lang=en', protocol: '' })
    socket.terminate()
  })

  it('[UPGRADE-3] takes the token as it is from a target that is a whole URL, or has a question mark in its query', async () => {
    const { acceptor, server } = await scene()
    const client = await ByteClient.connect(portOf(server))
    client.write(upgradeRequest({ target: 'http://127.0.0.1/ws?token=a?b' }))
    await client.answered()
    expect(acceptor.request).toMatchObject({ token: 'a?b', url: '/ws' })
    client.tcp.destroy()
  })

  it('[UPGRADE-3] takes the token from a subprotocol, which it does not answer with, after the header’s', async () => {
    const token = 'eyJhbGciOiJub25lIn0.€'
    const offered = `greenroom.v1, greenroom.token.${Buffer.from(token).toString('base64url')}`
    for (const [headers, expected] of [
      [{ 'sec-websocket-protocol': offered }, token],
      [{ 'sec-websocket-protocol': `greenroom.token.,${offered}` }, ''],
      [{ 'sec-websocket-protocol': offered, authorization: 'Bearer other' }, 'other'],
      [{ 'sec-websocket-protocol': 'greenroom.v1' }, 'of the query'],
    ] as const) {
      const { acceptor, server } = await scene()
      const client = await ByteClient.connect(portOf(server))
      client.write(upgradeRequest({ target: '/ws?token=of%20the%20query', headers }))
      const response = await client.answered()
      expect(response).toMatchObject({ status: 101, headers: { 'sec-websocket-protocol': 'greenroom.v1' } })
      expect(acceptor.request).toMatchObject({ token: expected, protocol: 'greenroom.v1' })
      client.tcp.destroy()
    }
  })
})
