import { createServer } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createRuntime, type Acceptor, type Runtime, type RuntimeOptions } from 'greenroom'
import { wsTransport } from 'greenroom/ws'

/** Whom the tokens of these tests belong to. */
const users: Readonly<Record<string, string>> = { 'the-token-of-ada': 'ada', 'the-token-of-bob': 'bob' }

/** What a run needs to come in as two users. */
export const tokens = { token: 'the-token-of-ada', otherToken: 'the-token-of-bob' } as const

/** A server that knows two users, and nobody else. */
export const byToken: RuntimeOptions = {
  authenticate: async ({ token = '' }) => {
    const id = users[token]
    if (id === undefined) throw new Error('nobody')
    return { id }
  },
}

/** What lets one client say as much as it likes. */
const unlimited = {
  messagesPerSecond: Infinity,
  bytesPerSecond: Infinity,
  userMessagesPerSecond: Infinity,
  userBytesPerSecond: Infinity,
} satisfies RuntimeOptions

/** A server of this process, and how it ends. */
export interface Served {
  readonly url: string
  readonly runtime: Runtime
  close(): Promise<void>
}

export async function serve(options: RuntimeOptions = {}): Promise<Served> {
  // A check may speak faster than a person does.
  const runtime = createRuntime({ ...unlimited, ...options })
  const port = await runtime.listen(0, { host: '127.0.0.1' })
  return { url: `ws://127.0.0.1:${port}/ws`, runtime, close: () => runtime.close() }
}

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const closing = (server: Server): Promise<void> => new Promise((resolve) => void server.close(() => resolve()))

/** A runtime whose sockets are reached through another acceptor, which may do with them as it likes. */
export async function serveBehind(
  options: RuntimeOptions,
  stand: (runtime: Runtime) => Acceptor,
): Promise<Omit<Served, 'runtime'>> {
  const runtime = createRuntime({ ...unlimited, ...options })
  const server = createServer()
  wsTransport(stand(runtime), server)
  const url = `ws://127.0.0.1:${await listening(server)}/ws`
  return {
    url,
    close: async () => {
      const closed = closing(server)
      await runtime.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** What is altered of the bytes between a server and its clients. */
export interface Alteration {
  /** The head of the upgrade request. */
  readonly request?: (head: string) => string
  /** That of its answer. */
  readonly answer?: (head: string) => string
  /** What the server sends later. */
  readonly later?: (chunk: Buffer) => Buffer
  /** Whether the client is not told that the server has ended the socket. */
  readonly staysOpen?: boolean
}

/** A server whose bytes are altered on their way. */
export async function serveAltered(
  options: RuntimeOptions,
  { request = (head) => head, answer = (head) => head, later = (chunk) => chunk, staysOpen = false }: Alteration,
): Promise<Omit<Served, 'runtime'>> {
  const behind = await serve(options)
  const sockets = new Set<Socket>()
  const server = createTcpServer((near) => {
    const far = connect(Number(new URL(behind.url).port), '127.0.0.1')
    for (const socket of [near, far]) socket.on('error', () => {})
    sockets.add(near).add(far)
    near.once('data', (head) => {
      far.write(request(head.toString('latin1')), 'latin1')
      near.on('data', (chunk) => far.write(chunk))
    })
    far.once('data', (head) => {
      near.write(answer(head.toString('latin1')), 'latin1')
      far.on('data', (chunk) => near.write(later(chunk)))
    })
    near.on('end', () => far.end()).on('close', () => far.destroy())
    if (!staysOpen) far.on('end', () => near.end()).on('close', () => near.destroy())
  })
  const port = await listening(server)
  return {
    url: `ws://127.0.0.1:${port}/ws`,
    close: async () => {
      const closed = closing(server)
      for (const socket of sockets) socket.destroy()
      await Promise.all([closed, behind.close()])
    },
  }
}
