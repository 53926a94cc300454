import { RuntimeTrunk } from '../../src/runtime/runtime.ts'
import { systemEnvironment } from '../../src/runtime/ports/environment.ts'
import { MemoryWebSocket, memoryTransport } from '../../src/transports/memory.ts'

// A process of its own: what one connect and close cost while so many others are open, over the memory transport.

const environment = systemEnvironment()
const unlimited = { upgradesPerSecond: Infinity, unauthenticatedConnections: Infinity, connectionsTotal: Infinity }
const runtime = new RuntimeTrunk({ environment, ...unlimited })
const transport = memoryTransport(runtime, environment)
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await turn()
}

async function open(count: number): Promise<MemoryWebSocket[]> {
  const sockets: MemoryWebSocket[] = []
  while (sockets.length < count) {
    for (let i = 0; i < 500 && sockets.length < count; i++) sockets.push(transport.connect())
    await settle()
  }
  return sockets
}

/** Makes it so that this many connections stand open. */
async function stand(count: number): Promise<void> {
  standers.push(...(await open(count - standers.length)))
  for (const socket of standers.splice(count)) socket.close(1000)
  await settle()
  if (runtime.census.connections !== count) throw new Error(`${runtime.census.connections} instead of ${count}`)
}

/** Microseconds for one connect and close, with `standing` connections open meanwhile. */
async function churn(standing: number): Promise<number> {
  await stand(standing)
  const durations: number[] = []
  for (let round = 0; round < 15; round++) {
    const begun = performance.now()
    const sockets = await open(500)
    for (const socket of sockets) socket.close(1000)
    await settle()
    durations.push(((performance.now() - begun) * 1_000) / sockets.length)
  }
  if (standers.some(({ readyState }) => readyState !== MemoryWebSocket.OPEN)) throw new Error('a bystander was closed')
  // The lower quartile: what it takes when nothing else wants the processor.
  return durations.toSorted((a, b) => a - b)[Math.floor(durations.length / 4)] ?? NaN
}

const standers: MemoryWebSocket[] = []
const before = await churn(1_000)
const many = await churn(50_000)
const after = await churn(1_000)
// The machine may be slower by now than it was at the beginning, or the other way round.
const few = (before + after) / 2
console.log(JSON.stringify({ fewMicros: Math.round(few), manyMicros: Math.round(many), ratio: many / few }))
process.exit(0)
