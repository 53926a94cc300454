import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createClient, type ClientRoom } from 'greenroom/client'
import { measuredServer, type Sample } from './measured-server.ts'

const mebibyte = 1024 * 1024
const count = 200_000
/** Messages that one publisher has in the air. */
const window = 256

/** Publishes in a raw connection, as fast as acknowledgements come. */
async function publish(port: number, between: (said: number) => Promise<void>): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?token=loud`)
  onTestFinished(() => socket.terminate())
  await once(socket, 'message')
  socket.send('{"type":"join","room":"main"}')
  await once(socket, 'message')
  const data = 'x'.repeat(1_000)
  for (let said = 0; said < count;) {
    const batch = Math.min(window, count - said)
    for (let i = 0; i < batch; i++) socket.send(JSON.stringify({ type: 'message', room: 'main', data }))
    said += batch
    socket.send(`{"type":"ping","id":${said}}`)
    await new Promise<void>((resolve) => {
      const onMessage = (text: Buffer): void => {
        if (!text.subarray(0, 20).toString().startsWith('{"type":"pong"')) return
        socket.off('message', onMessage)
        resolve()
      }
      socket.on('message', onMessage)
    })
    if (said % (window * 40) === 0) await between(said)
  }
}

describe('a client that stops reading', () => {
  // Socket.IO held 305 MB for such a client and went on (socketio/socket.io #4435).
  it(
    '[BOUND] costs 5 MB at most under 200,000 messages of 1 KB, is closed with 4208, and is told what it has missed',
    { timeout: 120_000 },
    async () => {
      const server = await measuredServer()
      const sockets: WebSocket[] = []
      class Observed extends WebSocket {
        constructor(url: string, protocols?: string | string[]) {
          super(url, protocols)
          sockets.push(this)
        }
      }
      const url = `ws://127.0.0.1:${server.port}/ws`
      const client = createClient(url, { token: 'deaf', WebSocket: Observed, backoffMs: 20 })
      onTestFinished(() => client.close())
      const room: ClientRoom = client.join('main')
      const shown: number[] = []
      room.on('message', ({ offset }) => void shown.push(offset ?? NaN))
      const gaps: unknown[] = []
      room.on('gap', (gap) => void gaps.push(gap))
      await new Promise((resolve) => void room.on('joined', resolve))
      const before = await server.sample()
      sockets[0]?.pause()
      const samples: Sample[] = []
      await publish(server.port, async () => void samples.push(await server.sample()))
      const most = Math.max(...samples.map(({ heldBytes }) => heldBytes)) - before.heldBytes
      console.log(`a paused reader cost ${(most / mebibyte).toFixed(2)} MiB at most, over ${samples.length} samples`)
      expect(samples.length).toBeGreaterThan(10)
      expect(most).toBeLessThanOrEqual(5 * mebibyte)
      expect(samples.at(-1)?.ended).toEqual({ 'slow-consumer': 1 })

      const rejoined = new Promise<unknown>((resolve) => void room.on('joined', resolve))
      sockets[0]?.resume()
      expect(await rejoined).toMatchObject({ recovered: false })
      const last = shown.at(-1) ?? 0
      expect(shown).toEqual(Array.from({ length: last }, (_, i) => i + 1))
      expect(gaps).toMatchObject([{ from: { offset: last }, to: { offset: count } }])
      const { messages } = await room.history()
      expect(messages.map(({ offset }) => offset)).toEqual(Array.from({ length: 100 }, (_, i) => count - 99 + i))
      const after = await server.sample()
      expect(after.heldBytes - before.heldBytes).toBeLessThanOrEqual(2 * mebibyte)
      expect(after.others).toEqual([])
    },
  )
})
