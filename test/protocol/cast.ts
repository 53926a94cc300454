import type { ConnectionLink } from '../../src/runtime/connection/connection-link.ts'
import type { History } from '../../src/runtime/ports/history.ts'
import { memoryHistory } from '../../src/runtime/room/memory-history.ts'
import type { RuntimeOptions } from '../../src/runtime/options.ts'
import type { TransportSocket } from '../../src/runtime/ports/transport.ts'
import type { MemoryWebSocket } from '../../src/transports/memory.ts'
import type { RawClient, Stage } from '../stage.ts'

/** A token is the name of its user; one that begins with `bad` is refused. */
export const byName = {
  authenticate: ({ token = 'bad' }) => {
    if (token.startsWith('bad')) throw new Error('Who is this?')
    return { id: token }
  },
} satisfies RuntimeOptions

/** Offers the subprotocol. */
export const v1 = { protocol: 'greenroom.v1' }

/** Connects with the subprotocol and says hello. */
export async function greet(stage: Stage, hello: object = {}): Promise<RawClient> {
  const client = await stage.connect(v1)
  await ask(stage, client, { type: 'hello', ...hello })
  return client
}

/** Sends, lets everything settle, and gives what the client received meanwhile. */
export async function ask(stage: Stage, client: RawClient, ...messages: (object | string)[]) {
  const before = client.received.length
  for (const message of messages) client.send(message)
  await stage.clock.settle()
  return client.received.slice(before)
}

/** What a client shows to get its session back. */
export function claimOf(client: RawClient): { session: unknown; secret: unknown } {
  const { session, secret } = client.of('welcome')[0] ?? client.last('welcome')
  return { session, secret }
}

/** Takes what a member has received of messages: where each stands, and what it says. */
export function heard(client: RawClient): unknown[][] {
  return client.of('message').map(({ offset, data }) => [offset, data])
}

/** The messages that a `joined` or a `history` replays. */
export function replayed(reply: object | undefined): { readonly offset: number; readonly data: unknown }[] {
  const { messages } = reply as { messages?: { offset: number; data: unknown }[] }
  if (messages === undefined) throw new Error(`nothing is replayed by ${JSON.stringify(reply)}`)
  return messages
}

/** One socket as the runtime sees it. */
interface ServerEnd {
  readonly socket: TransportSocket
  readonly link: ConnectionLink
  /** The close frames that the runtime asked for. */
  readonly closeFrames: number[]
}

/** Shows the server's ends of the sockets that come from now on. */
export function serverEnds(stage: Stage): ServerEnd[] {
  const ends: ServerEnd[] = []
  const accept = stage.runtime.accept.bind(stage.runtime)
  stage.runtime.accept = (socket, request) => {
    const closeFrames: number[] = []
    // A front, so that only what the runtime asks for is counted, not what the transport does by itself.
    const front: TransportSocket = {
      get ready() {
        return socket.ready
      },
      get bufferedBytes() {
        return socket.bufferedBytes
      },
      write: (frames) => socket.write(frames),
      ping: () => socket.ping(),
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      terminate: () => socket.terminate(),
      close: (code, reason) => {
        closeFrames.push(code)
        socket.close(code, reason)
      },
    }
    const link = accept(front, request) as ConnectionLink
    ends.push({ socket: front, link, closeFrames })
    return link
  }
  return ends
}

/** A class of sockets for the client library, and those that it has opened. */
export function clientSockets(stage: Stage) {
  const sockets: MemoryWebSocket[] = []
  class WebSocket extends stage.transport.WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols)
      sockets.push(this)
    }
  }
  return { sockets, WebSocket }
}

/** A store in memory whose logs fail when they are told to. */
export function brittleHistory() {
  let epochs = 0
  const memory = memoryHistory(() => `epoch ${++epochs}`)
  /** How many of the next messages to fail at, and the name of a room whose log does not open. */
  const faults: { appends: number; closed?: string } = { appends: 0 }
  const history: History = {
    open: async (room, limits) => {
      if (room === faults.closed) throw new Error('The log does not open.')
      const log = await memory.open(room, limits)
      const append = log.append.bind(log)
      log.append = (...entry) => {
        if (faults.appends-- > 0) throw new Error('The log is broken.')
        faults.appends = 0
        return append(...entry)
      }
      return log
    },
  }
  return { history, faults }
}
