import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { answerRunner } from './control-channel.ts'

/** What is said to a room. */
interface Publish {
  readonly room: string
  readonly data: string
}

const http = createServer()
const io = new Server(http, {
  transports: ['websocket'],
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
  // No server is to probe anybody while it is measured.
  pingInterval: 600_000,
})

io.on('connection', (socket) => {
  socket.on('join', (room: string) => {
    void socket.join(room)
    socket.emit('joined', { room })
  })
  socket.on('message', ({ room, data }: Publish, acknowledge?: () => void) => {
    io.to(room).emit('message', { room, from: socket.id, data })
    acknowledge?.()
  })
})

http.listen(0, '127.0.0.1', () => answerRunner((http.address() as AddressInfo).port))
