import { createRuntime, defineRoom } from 'greenroom'
import { lmdb } from 'greenroom/lmdb'

// A process of its own, to be killed: a server whose rooms and sessions are on disk. Started with a folder and a port.

const [path = '', port = '0'] = process.argv.slice(2)
const store = lmdb({ path })
const runtime = createRuntime({
  authenticate: ({ token = '' }) => ({ id: token }),
  history: store,
  sessions: store,
  rooms: { '*': defineRoom({ history: 10_000 }) },
  replayCount: 10_000,
  // Two hundred come from one address.
  connectionsPerAddress: Infinity,
  telemetry: (event) => {
    if ('error' in event) process.send?.({ error: `${event.type}: ${String(event.error)}` })
  },
})
process.send?.({ port: await runtime.listen(Number(port), { host: '127.0.0.1' }) })
