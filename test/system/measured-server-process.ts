import { createRuntime, systemEnvironment, type Environment, type TelemetryEvent } from 'greenroom'

// A process of its own, started with `--expose-gc`: a server that says on request what it holds.

const ended: Record<string, number> = {}
const others: TelemetryEvent[] = []
const pending = new Set<object>()

/** The system's environment, with its timers counted. */
function counted({ clock, ...environment }: Environment): Environment {
  return {
    ...environment,
    clock: {
      now: () => clock.now(),
      setImmediate: (callback) => clock.setImmediate(callback),
      setTimeout: (callback, ms) => {
        const timer: { inner?: unknown } = {}
        timer.inner = clock.setTimeout(() => {
          pending.delete(timer)
          callback()
        }, ms)
        if (ms !== Infinity) pending.add(timer)
        return timer
      },
      clearTimeout: (timer) => {
        pending.delete(timer as object)
        clock.clearTimeout((timer as { inner: unknown }).inner)
      },
    },
  }
}

const runtime = createRuntime({
  environment: counted(systemEnvironment()),
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
  process.send?.({ heldBytes: heapUsed + external, rss, census, ended, others, timers: pending.size })
})
process.send?.({ port })
