import { createRuntime } from 'greenroom'
import { createClient } from 'greenroom/client'
import { WebSocket } from 'ws'

// A process of its own: after `close()` nothing may keep it alive, and nothing here calls `exit`.

const runtime = createRuntime({ authenticate: async ({ token }) => ({ id: token ?? 'nobody' }) })
const port = await runtime.listen(0, { host: '127.0.0.1' })
const url = `ws://127.0.0.1:${port}/ws`
const clients = ['ada', 'bob'].map((token) => createClient(url, { token, WebSocket }))
const rooms = clients.map((client) => client.join('main'))
rooms[0]?.typing()
await Promise.all(rooms.map((room) => room.send('hello')))
// One that never says who it is, and one that has gone without a word.
const silent = new WebSocket(url, ['greenroom.v1'])
await new Promise((resolve) => silent.once('open', resolve))
const gone = new WebSocket(`${url}?token=eve`)
await new Promise((resolve) => gone.once('message', resolve))
gone.terminate()
clients[1]?.close()
await runtime.close()
clients[0]?.close()
console.log(JSON.stringify({ ...runtime.census, resources: process.getActiveResourcesInfo() }))
