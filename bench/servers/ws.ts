import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { answerRunner } from './control-channel.ts'

/** What a client of this server may send. */
interface Request {
  readonly type: 'join' | 'message'
  readonly room: string
  readonly data?: string
  readonly id?: number
}

// What one writes on an afternoon when rooms are all that is wanted: the least that does the same work.
const rooms = new Map<string, Set<WebSocket>>()
let lastUser = 0

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })

server.on('connection', (socket) => {
  const from = `user-${++lastUser}`
  socket.on('message', (bytes) => {
    const { type, room, data, id } = JSON.parse(String(bytes)) as Request
    if (type === 'join') join(socket, room)
    else publish(room, from, data)
    if (id !== undefined) socket.send(JSON.stringify({ type: 'ack', id }))
  })
  socket.on('close', () => {
    for (const members of rooms.values()) members.delete(socket)
  })
})

function join(socket: WebSocket, room: string): void {
  const members = rooms.get(room)
  if (members === undefined) rooms.set(room, new Set([socket]))
  else members.add(socket)
  socket.send(JSON.stringify({ type: 'joined', room }))
}

function publish(room: string, from: string, data: string | undefined): void {
  const text = JSON.stringify({ type: 'message', room, from, data })
  for (const member of rooms.get(room) ?? []) member.send(text)
}

server.once('listening', () => answerRunner((server.address() as AddressInfo).port))
