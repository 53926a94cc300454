import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The chat example in a process of its own, which can be stopped and started again on the same port. */
export class ChatServer {
  readonly port: number
  /** What it wrote to its standard error. */
  complaints = ''
  #process: ChildProcess | undefined

  constructor(port: number) {
    this.port = port
  }

  /** Finds a free port and starts there. */
  static async start(): Promise<ChatServer> {
    const server = new ChatServer(await freePort())
    await server.start()
    return server
  }

  get url(): string {
    return `http://localhost:${this.port}`
  }

  /** Resolves when the server has said where it listens. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, ['--import', 'tsx', 'examples/chat/server.ts'], {
      cwd: root,
      env: { ...process.env, PORT: String(this.port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.complaints += text))
    this.#process = child
    const lines = createInterface({ input: child.stdout })
    const [said] = (await Promise.race([once(lines, 'line'), once(child, 'close')])) as [unknown]
    if (said !== this.url) throw new Error(`The server says ${String(said)}, not ${this.url}. ${this.complaints}`)
  }

  /** Sends a signal, and does not wait for what comes of it. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** Asks the server to stop, and resolves with its exit code when it has gone by itself. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#process
    if (child === undefined) return null
    this.#process = undefined
    const exit = once(child, 'exit') as Promise<[number | null]>
    child.kill(signal)
    return (await exit)[0]
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
