import { Buffer } from 'node:buffer'
import { RuntimeTrunk } from '../../src/runtime/runtime.ts'
import type { TransportSocket } from '../../src/runtime/ports/transport.ts'

// A process of its own, with `--expose-gc`: what a room keeps of a message whose frame is nearly all of it something that
// does not count.

const socket: TransportSocket = {
  ready: true,
  bufferedBytes: 0,
  write: () => {},
  ping: () => {},
  pause: () => {},
  resume: () => {},
  close: () => {},
  terminate: () => {},
}

function heapBytes(): number {
  for (let i = 0; i < 4; i++) globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

const count = 500
const runtime = new RuntimeTrunk({
  rooms: { main: { history: count } },
  messagesPerSecond: Infinity,
  bytesPerSecond: Infinity,
})
const sink = runtime.accept(socket, { protocol: '', address: '127.0.0.1', url: '/ws', headers: {} })
await turn()
sink.message('{"type":"join","room":"main"}')

async function say(): Promise<void> {
  for (let i = 0; i < count; i++) {
    const frame = `{"type":"message","room":"main","junk":"${'y'.repeat(60_000)}","data":"what is said, number ${i}"}`
    // As a transport has it: text that was made of bytes, and of no other text.
    sink.message(Buffer.from(frame).toString())
    await turn()
  }
}

const before = heapBytes()
await say()
const after = heapBytes()
console.log(JSON.stringify({ bytesPerMessage: Math.round((after - before) / count) }))
process.exit(0)
