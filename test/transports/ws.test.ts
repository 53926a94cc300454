import { createServer, request as httpRequest, type Server } from 'node:http'
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { Frame } from '../../src/runtime/ports/frame.ts'
import type { Acceptor } from '../../src/runtime/ports/transport.ts'
import { wsTransport } from '../../src/transports/ws.ts'
import { describeTransport } from './contract.ts'
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

/** A socket that shakes hands and then sends whatever bytes it is given. */
async function rawSocket(server: Server): Promise<{ tcp: Socket; received: () => Buffer }> {
  const tcp = connectTcp(portOf(server), '127.0.0.1')
  const chunks: Buffer[] = []
  tcp.on('data', (chunk) => chunks.push(chunk))
  tcp.on('error', () => {})
  tcp.write(
    'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await until(() => Buffer.concat(chunks).includes('\r\n\r\n'))
  const handshake = Buffer.concat(chunks).indexOf('\r\n\r\n') + 4
  return { tcp, received: () => Buffer.concat(chunks).subarray(handshake) }
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

const masked = (opcode: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload])

describe('ws transport, byte by byte', () => {
  it.each([
    ['an unmasked frame', Buffer.from([0x81, 0x01, 0x61]), 1002],
    ['a reserved opcode', masked(0x83, Buffer.from('a')), 1002],
    ['a reserved bit', masked(0xc1, Buffer.from('a')), 1002],
    ['an orphan continuation', masked(0x80, Buffer.from('a')), 1002],
    ['bytes that are not UTF-8', masked(0x81, Buffer.from([0xff, 0xfe])), 1007],
    ['a close code that does not exist', masked(0x88, Buffer.from([0x03, 0xee])), 1002],
    [
      'fragments without end',
      Buffer.concat([
        masked(0x01, Buffer.from('a')),
        ...Array.from({ length: 70 }, () => masked(0x00, Buffer.from('a'))),
      ]),
      1008,
    ],
  ])('[CLOSED] closes on %s, and tells the runtime why', async (_name, bytes, code) => {
    const { acceptor, server } = await scene()
    const { tcp, received } = await rawSocket(server)
    tcp.write(bytes)
    await until(() => received().length >= 4)
    expect([received()[0], received().readUInt16BE(2)]).toEqual([0x88, code])
    tcp.destroy()
    await until(() => acceptor.sink.closes.length > 0)
    expect(acceptor.sink.closes).toEqual([code])
  })

  it('[CLOSED] says 1006 once when the client resets', async () => {
    const { acceptor, server } = await scene()
    const { tcp } = await rawSocket(server)
    tcp.resetAndDestroy()
    await until(() => acceptor.sink.closes.length > 0)
    expect(acceptor.sink.closes).toEqual([1006])
  })

  it('frames as RFC 6455 has it, with the shortest length', async () => {
    const { acceptor, server } = await scene()
    const { tcp, received } = await rawSocket(server)
    const texts = ['a', 'b'.repeat(126), 'c'.repeat(65_536)]
    acceptor.socket?.write(texts.map((text) => new Frame(text)))
    const expected = Buffer.concat([
      Buffer.from([0x81, 1]),
      Buffer.from('a'),
      Buffer.from([0x81, 126, 0, 126]),
      Buffer.from(texts[1] ?? ''),
      Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
      Buffer.from(texts[2] ?? ''),
    ])
    await until(() => received().length >= expected.length)
    expect(received().equals(expected)).toBe(true)
    tcp.destroy()
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
})
