import { RuntimeTrunk } from '../../src/runtime/runtime.ts'
import type { SocketSink, TransportSocket } from '../../src/runtime/ports/transport.ts'

// A process of its own, with `--expose-gc`: what one idle open connection holds on the heap, its socket aside. All
// sockets are one object that does nothing.

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

const runtime = new RuntimeTrunk()
const sinks: SocketSink[] = []

async function connect(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const sink = runtime.accept(socket, { protocol: '', address: '127.0.0.1', url: '/ws', headers: {} })
    sinks.push(sink)
    if (i % 500 === 499) await turn()
  }
  await turn()
  for (const sink of sinks.slice(-count)) sink.message('{"type":"join","room":"main"}')
  await turn()
}

await connect(100)
const before = heapBytes()
const count = 3_000
await connect(count)
const after = heapBytes()
if (runtime.census.sessions !== sinks.length) throw new Error(`only ${runtime.census.sessions} sessions are open`)
console.log(JSON.stringify({ bytesPerConnection: Math.round((after - before) / count) }))
process.exit(0)
