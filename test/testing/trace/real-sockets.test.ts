import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, type RawData } from 'ws'
import { createRuntime, type RuntimeOptions } from 'greenroom'
import { decodeBinary, encodeBinary, subprotocol } from 'greenroom/protocol'
import { readTrace, recordTrace, replayTrace, writeTrace, type WireMessage } from 'greenroom/testing'
import { wsTransport } from 'greenroom/ws'

const options: RuntimeOptions = {
  authenticate: async ({ token = '' }) => ({ id: token }),
  rooms: { 'chat:*': { history: 50 } },
  handlers: { shout: async (data) => String(data).toUpperCase() },
  typingMs: 100,
}

/** A recorded server on a port. */
async function serve() {
  const recorder = recordTrace({ redact: (token) => token })
  const runtime = createRuntime({ ...options, environment: recorder.environment })
  const server = createServer()
  wsTransport(recorder.around(runtime), server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    await runtime.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { recorder, port: (server.address() as AddressInfo).port }
}

/** A client by hand: what it has received, and the wait for something. */
async function connect(port: number, { token, hello }: { token?: string; hello?: object }) {
  const url = `ws://127.0.0.1:${port}/ws${token === undefined ? '' : `?token=${token}`}`
  const socket = new WebSocket(url, hello === undefined ? [] : [subprotocol])
  onTestFinished(() => socket.terminate())
  const received: WireMessage[] = []
  socket.on('message', (data: RawData, isBinary: boolean) => {
    const text = isBinary ? (decodeBinary(data as Buffer)?.header ?? '') : (data as Buffer).toString()
    received.push(JSON.parse(text) as WireMessage)
  })
  await once(socket, 'open')
  const send = (...messages: object[]): void => {
    for (const message of messages) socket.send(message instanceof Uint8Array ? message : JSON.stringify(message))
  }
  const heard = async (type: string, fields: object = {}): Promise<WireMessage> => {
    const fits = (message: WireMessage): boolean =>
      message.type === type &&
      Object.entries(fields).every(([name, value]) => JSON.stringify(message[name]) === JSON.stringify(value))
    for (;;) {
      const found = received.find(fits)
      if (found !== undefined) return found
      await once(socket, 'message')
    }
  }
  if (hello !== undefined) send({ ...hello, type: 'hello' })
  return { socket, received, send, heard, closed: once(socket, 'close'), welcome: await heard('welcome') }
}

/** What matters of what was received: all but when it was. */
const said = (messages: readonly WireMessage[]): unknown =>
  messages.map(({ at: _, messages, ...rest }) =>
    messages === undefined ? rest : { ...rest, messages: said(messages as WireMessage[]) },
  )

describe('a trace of real sockets', () => {
  it('is replayed on virtual time: what each client was sent comes in the same order, offsets, acks and secrets alike', async () => {
    const { recorder, port } = await serve()
    const room = 'chat:main'
    const ada = await connect(port, { token: 'ada' })
    const bob = await connect(port, { hello: { token: 'bob' } })
    ada.send({ type: 'join', room, id: 1 })
    await ada.heard('joined')
    bob.send({ type: 'join', room, id: 1 })
    await ada.heard('presence')
    ada.send({ type: 'typing', room, typing: true })
    await bob.heard('typing', { typing: false })
    for (let i = 0; i < 10; i++) {
      ada.send({ type: 'message', room, data: i, id: `a${i}` }, { type: 'shout', data: `x${i}`, id: `s${i}` })
    }
    ada.send(encodeBinary(JSON.stringify({ type: 'message', room, id: 'bytes' }), Uint8Array.of(0, 255)))
    await ada.heard('ack', { id: 'bytes' })
    await bob.heard('message', { offset: 11 })
    bob.socket.terminate()
    ada.send({ type: 'message', room, data: 'meanwhile', id: 'm' })
    await ada.heard('ack', { id: 'm' })
    const { session, secret } = bob.welcome
    const again = await connect(port, { hello: { token: 'bob', resume: { session, secret } } })
    const { epoch } = await bob.heard('joined')
    again.send({ type: 'join', room, since: { epoch, offset: 11 } })
    await again.heard('joined', { recovered: true })
    again.send({ type: 'message', room, data: 'back', id: 'b' })
    await ada.heard('message', { offset: 13 })
    again.socket.close(1000)
    await again.closed
    await ada.heard('presence', { left: ['bob'] })
    const text = writeTrace(recorder)

    const { connections, unrecorded } = await replayTrace(readTrace(text), { options })
    expect(unrecorded).toBe(0)
    // What was sent to a client that was gone already went into its socket all the same.
    const arrived = [ada, bob, again].map(({ received }) => received)
    const sent = connections.map(({ messages }, index) => messages.slice(0, arrived[index]?.length))
    expect(sent.map(said)).toEqual(arrived.map(said))
    expect(connections.map(({ messages }) => messages.length)).toEqual([
      ada.received.length,
      expect.toSatisfy((length: number) => length - bob.received.length <= 1),
      again.received.length,
    ])
    expect(connections.map(({ closed }) => closed?.code)).toEqual([undefined, 1006, 1000])
  })
})
