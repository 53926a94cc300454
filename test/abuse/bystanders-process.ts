import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Talk } from './bystanders.ts'

// A process of its own, so that the attacker's work is not taken for the server's: some who talk in a room, in turn and
// at a steady rate. For each message it is timed how long it takes until all have heard it and its speaker has the ack.

const [port = '', names = '[]', origin = ''] = process.argv.slice(2)
/** Four who speak so often stay below what a connection may say. */
const intervalMs = 3
/** What the attacker keeps time by. */
const messagesPerBeat = 7

interface Heard {
  readonly type: string
  readonly offset?: number
  readonly data?: number
  readonly id?: number
}

const faults: string[] = []
const latencies: number[] = []
const inTheAir = new Map<number, { readonly at: number; heard: number }>()
const members: WebSocket[] = []
let said = 0
let goal = 0
let timer: NodeJS.Timeout | undefined

async function enter(token: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['greenroom.v1'], { origin })
  let last = 0
  let joined = (): void => {}
  const isIn = new Promise<void>((resolve) => (joined = resolve))
  socket.on('message', (bytes) => {
    const { type, offset = 0, data, id } = JSON.parse(String(bytes)) as Heard
    if (type === 'message') {
      if (offset !== last + 1) faults.push(`${token} heard ${offset} after ${last}`)
      last = offset
      note(data)
    } else if (type === 'ack') note(id)
    else if (type === 'joined') {
      last = offset
      joined()
    } else if (type !== 'welcome' && type !== 'presence') faults.push(`${token} was sent ${String(bytes)}`)
  })
  socket.on('close', (code, reason) => faults.push(`${token} was closed with ${code} ${String(reason)}`))
  socket.on('error', (error) => faults.push(`${token}: ${error.message}`))
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'hello', token }))
  socket.send(JSON.stringify({ type: 'join', room: 'hall' }))
  await isIn
  return socket
}

/** A member has heard a message, or its speaker has the ack. */
function note(id = 0): void {
  const message = inTheAir.get(id)
  if (message === undefined) faults.push(`message ${id} was heard once too often`)
  else if (++message.heard === members.length + 1) {
    inTheAir.delete(id)
    latencies.push(performance.now() - message.at)
  }
  if (said === goal && inTheAir.size === 0) report()
}

function report(): void {
  clearInterval(timer)
  process.send?.({ latencies: latencies.splice(0), faults: faults.splice(0) } satisfies Talk)
}

function speak(): void {
  if (said === goal) return
  const id = ++said
  inTheAir.set(id, { at: performance.now(), heard: 0 })
  members[id % members.length]?.send(JSON.stringify({ type: 'message', room: 'hall', data: id, id }))
  if (id % messagesPerBeat === 0) process.send?.('beat')
}

for (const token of JSON.parse(names) as string[]) members.push(await enter(token))
process.on('message', (count: number) => {
  goal = said + count
  timer = setInterval(speak, intervalMs)
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
