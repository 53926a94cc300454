import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRuntime, defineRoom } from 'greenroom'
import { lmdb } from 'greenroom/lmdb'
import { decodeIdentity } from './identity.ts'
import { createSite } from './site.ts'

const hourMs = 3_600_000

// `DATA=./data npm start` keeps what is said, and who is here, over a restart.
const path = process.env['DATA']
const store = path === undefined ? undefined : lmdb({ path })

const runtime = createRuntime({
  ...(store && { history: store, sessions: store }),
  // An example's identity, not security: see identity.ts.
  authenticate: ({ token = '' }) => ({ id: decodeIdentity(token).id }),
  // So that `npx wscat -c ws://localhost:8080/ws` takes part without credentials.
  guest: () => ({ id: `guest-${randomBytes(3).toString('hex')}` }),
  rooms: { '*': defineRoom({ history: 200, historyMs: 24 * hourMs }) },
  roomLingerMs: hourMs,
  frameBytes: 32_768,
  telemetry: (event) => {
    if ('error' in event) console.error(event.type, event.error)
  },
})

const server = createServer(await createSite())
runtime.attach(server, { path: '/ws' })

const host = process.env['HOST']
server.on('error', (error) => {
  console.error(error.message)
  process.exitCode = 1
  void runtime.close()
})
server.listen(Number(process.env['PORT'] ?? 8080), host, () => {
  const { port } = server.address() as AddressInfo
  console.log(`http://${host ?? 'localhost'}:${port}`)
})

async function end(goes: Promise<void>): Promise<void> {
  // Takes no more visitors; those who are here are still served.
  server.close()
  await goes
  // Browsers hold spare connections open on which nothing was ever asked; those would keep the process.
  server.closeAllConnections()
}

// Asked politely, it hands its clients over, each told when to come back; at the keyboard, or asked twice, it is quick.
const goodbyes = { SIGTERM: () => runtime.drain(), SIGINT: () => runtime.close() }
let asked = false
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (asked) process.exit(1)
    asked = true
    void end(goodbyes[signal]())
  })
}
