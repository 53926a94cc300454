import { createRuntime, systemEnvironment, type TelemetryEvent } from 'greenroom'
import { countedEnvironment } from './counted-environment.ts'

// A process of its own, started with `--expose-gc`: a server that says on request what it holds.

const ended: Record<string, number> = {}
const others: TelemetryEvent[] = []

const { environment, pending } = countedEnvironment(systemEnvironment())
const runtime = createRuntime({
  environment,
  authenticate: ({ token = '' }) => ({ id: token }),
  telemetry: (event) => {
    if (event.type === 'connection.closed') ended[event.reason] = (ended[event.reason] ?? 0) + 1
    else if (event.type !== 'connection.opened') others.push(event)
  },
  // All come from one address, and some say more than a person would.
  connectionsPerAddress: Infinity,
  messagesPerSecond: Infinity,
  bytesPerSecond: Infinity,
  userMessagesPerSecond: Infinity,
  userBytesPerSecond: Infinity,
  ...(JSON.parse(process.argv[2] ?? '{}') as object),
})
const port = await runtime.listen(0, { host: '127.0.0.1' })

process.on('message', (asked: 'sample' | 'close') => {
  if (asked === 'close') {
    void runtime.close().then(() => process.disconnect())
    return
  }
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const { census } = runtime
  process.send?.({ heldBytes: heapUsed + external, rss, census, ended, others, timers: pending() })
})
process.send?.({ port })
