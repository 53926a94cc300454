import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createRuntime, type RuntimeOptions } from 'greenroom'

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** A runtime on a port, and a client that has joined a room. */
async function scene(options: RuntimeOptions) {
  const runtime = createRuntime({ messagesPerSecond: Infinity, bytesPerSecond: Infinity, ...options })
  const port = await runtime.listen(0, { host: '127.0.0.1' })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
  onTestFinished(async () => {
    socket.terminate()
    await runtime.close()
  })
  const heard: unknown[] = []
  let closed: number | undefined
  socket.on('close', (code) => (closed = code))
  socket.on('message', (data) => {
    const { type, data: said } = JSON.parse(String(data)) as { type: string; data?: { n: number } }
    if (type === 'message') heard.push(said?.n)
  })
  await once(socket, 'open')
  const send = (message: object): void => socket.send(JSON.stringify(message))
  send({ type: 'join', room: 'main' })
  return { runtime, socket, heard, send, closed: () => closed }
}

describe('a client on a port that sends more than is handled', () => {
  it('[CALL-2] [BOUND] is held up by TCP while a handler is at work, and loses nothing', async () => {
    let finish = (): void => {}
    const count = 1_000
    const padding = 'x'.repeat(60_000)
    const { socket, heard, send, closed } = await scene({
      inboxCount: 20,
      // A client that answers, and is not read, would be lost after the second of two pings.
      heartbeatMs: 500,
      heartbeatTimeoutMs: 1_000,
      rooms: { main: { slow: 'drop' } },
      handlers: { slow: () => new Promise<void>((resolve) => (finish = resolve)) },
    })
    send({ type: 'slow' })
    for (let n = 0; n < count; n++) {
      send({ type: 'message', room: 'main', data: { n }, padding })
      if (n % 50 === 0) await turn()
    }
    // 60 MB do not fit into what the kernel holds: what has not been read is still here.
    await once(socket, 'ping')
    expect(socket.bufferedAmount).toBeGreaterThan(30_000_000)
    expect([heard, closed()]).toEqual([[], undefined])
    finish()
    while (heard.length < count && closed() === undefined) await turn()
    expect(heard).toEqual(Array.from({ length: count }, (_, n) => n))
    expect(socket.bufferedAmount).toBe(0)
  })

  it('[CLOSED] that goes while it is not read is let go of when it is read again', async () => {
    let [began, finish] = [(): void => {}, (): void => {}]
    const begun = new Promise<void>((resolve) => (began = resolve))
    const { runtime, socket, send } = await scene({
      inboxCount: 2,
      handlers: {
        slow: () => {
          began()
          return new Promise<void>((resolve) => (finish = resolve))
        },
      },
    })
    send({ type: 'slow' })
    for (let n = 0; n < 100; n++) send({ type: 'message', room: 'main', data: { n } })
    await begun
    // Nobody reads its close frame before the handler is done.
    socket.close(1000)
    finish()
    expect(await once(socket, 'close')).toMatchObject([1000, {}])
    while (runtime.census.connections + runtime.census.sessions > 0) await turn()
  })
})
