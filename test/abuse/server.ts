import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Census, RuntimeOptions } from 'greenroom'

/** What is left when nobody does anything: what there may be at most. */
export interface Rest {
  readonly census: Census
  /** Timers that are pending in the runtime. */
  readonly timers: number
  /** TCP sockets of the process. */
  readonly sockets: number
}

/** What the server holds, after its garbage has been collected. */
export interface Sample extends Rest {
  /** On the heap and beside it (buffers). */
  readonly heldBytes: number
  readonly rss: number
  /** The most that `rss` has ever been. */
  readonly maxRss: number
  readonly cpuMicros: number
  /** How many connections have ended, by reason. */
  readonly ended: Readonly<Record<string, number>>
  /** How often telemetry has told something else than comings, goings and refusals, by its type. */
  readonly told: Readonly<Record<string, number>>
  /** What nobody has caught. */
  readonly faults: readonly string[]
}

/** What a server can be asked. */
export type Asked =
  | { readonly type: 'sample' }
  | { readonly type: 'rest'; readonly rest: Rest; readonly withinMs: number }
  | { readonly type: 'ended' }
  | { readonly type: 'slow' }
  | { readonly type: 'memory' }
  | { readonly type: 'hide'; readonly text: string }
  | { readonly type: 'close' }

/** What the server is told: what JSON can say of its options, and how it knows its users. */
export type ServerOptions = RuntimeOptions & {
  /** The secret of JSON Web Tokens. @default tokens are names, and whoever has none is a guest */
  readonly jwtSecret?: string
}

/** A server in a process of its own, so that what it holds, and how it fails, is its own. */
export class AbusedServer {
  readonly port: number
  readonly process: ChildProcess
  #output = ''
  #exit: string | undefined
  #asked = 0

  static async start(options: ServerOptions): Promise<AbusedServer> {
    const path = fileURLToPath(new URL('server-process.ts', import.meta.url))
    const child = fork(path, [JSON.stringify(options)], {
      execArgv: ['--expose-gc', '--import', 'tsx'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const server = new AbusedServer(child)
    const [{ port }] = (await Promise.race([once(child, 'message'), server.#ended()])) as [{ port: number }]
    return Object.assign(server, { port })
  }

  private constructor(child: ChildProcess) {
    this.process = child
    this.port = 0
    child.stdout?.on('data', (text) => (this.#output += String(text)))
    child.stderr?.on('data', (text) => (this.#output += String(text)))
    child.on('exit', (code, signal) => (this.#exit = `The server ended: ${signal ?? code}. ${this.#output}`))
  }

  async #ended(): Promise<never> {
    await once(this.process, 'exit')
    throw new Error(`${this.#exit}`)
  }

  /** What it has written, or how it has ended; empty when all is well. */
  get complaint(): string {
    return this.#exit ?? this.#output
  }

  sample(): Promise<Sample> {
    return this.#ask({ type: 'sample' })
  }

  /** A sample from when nothing more is left than this, or from when there has been time enough for it. */
  rest({ census, timers, sockets }: Rest, withinMs = 5_000): Promise<Sample> {
    return this.#ask({ type: 'rest', rest: { census, timers, sockets }, withinMs })
  }

  /** How many connections have ended, by reason. */
  ended(): Promise<Readonly<Record<string, number>>> {
    return this.#ask({ type: 'ended' })
  }

  /** How many readers are slow just now. */
  slowReaders(): Promise<number> {
    return this.#ask({ type: 'slow' })
  }

  /** The memory that the process has now, garbage included. */
  memory(): Promise<number> {
    return this.#ask({ type: 'memory' })
  }

  /** Says what must not be told to telemetry from now on, and learns whether what was hidden before has been. */
  hide(text: string): Promise<boolean> {
    return this.#ask({ type: 'hide', text })
  }

  /** Closes the runtime, and resolves with the process's exit code. */
  async close(): Promise<number | null> {
    const exited = once(this.process, 'exit')
    void this.#ask({ type: 'close' }).catch(() => {})
    const [code] = (await exited) as [number | null]
    return code
  }

  kill(): void {
    this.process.kill('SIGKILL')
  }

  async #ask<Answer>(asked: Asked): Promise<Answer> {
    if (this.#exit !== undefined) throw new Error(this.#exit)
    const id = ++this.#asked
    return new Promise<Answer>((resolve, reject) => {
      const onMessage = (message: { id: number; answer: Answer }): void => {
        if (message.id !== id) return
        done()
        resolve(message.answer)
      }
      const onExit = (): void => {
        done()
        reject(new Error(this.#exit))
      }
      const done = (): void => {
        this.process.off('message', onMessage)
        this.process.off('exit', onExit)
      }
      this.process.on('message', onMessage)
      this.process.on('exit', onExit)
      this.process.send({ id, asked })
    })
  }
}
