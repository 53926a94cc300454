import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunnerRequest, ServerReport } from '../servers/control-channel.ts'

const startMs = 10_000
const answerMs = 10_000
const stopMs = 3_000

/** Those that run now. Whatever ends the runner ends them, each by its own id. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A server under test, in a process of its own. */
export class ServerProcess {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  /**
   * Starts a server and waits until it listens.
   *
   * @param command - the program and its arguments
   * @throws Error when it ends before, or takes too long
   */
  static async start([program = '', ...args]: readonly string[]): Promise<ServerProcess> {
    // Loaders that this process may run under are none of the server's business.
    const { NODE_OPTIONS: _options, ...env } = process.env
    const child = spawn(program, args, {
      env: { ...env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    running.add(child)
    child.once('exit', () => running.delete(child))
    try {
      const { port } = await heard(child, 'listening', startMs)
      return new ServerProcess(child, port)
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  /** CPU time spent by the server so far (µs). */
  async cpuMicros(): Promise<number> {
    if (!this.#child.connected) throw new Error('A server ended while it was measured.')
    const answer = heard(this.#child, 'cpu', answerMs)
    this.#child.send({ type: 'cpu' } satisfies RunnerRequest)
    const { micros } = await answer
    return micros
  }

  /** Ends the server: it goes when the channel closes, or else is made to. */
  async stop(): Promise<void> {
    if (!running.has(this.#child)) return
    const exited = once(this.#child, 'exit').then(() => true)
    if (this.#child.connected) this.#child.disconnect()
    if (await within(stopMs, exited)) return
    this.#child.kill('SIGKILL')
    await exited
  }
}

type ReportOf<Type extends ServerReport['type']> = Extract<ServerReport, { type: Type }>

async function heard<Type extends ServerReport['type']>(
  child: ChildProcess,
  type: Type,
  patienceMs: number,
): Promise<ReportOf<Type>> {
  const told = new AbortController()
  try {
    const report = await within(
      patienceMs,
      Promise.race([
        once(child, 'message', told).then(([message]) => message as ServerReport),
        once(child, 'exit', told).then(() => undefined),
      ]),
    )
    if (report?.type !== type) throw new Error(`A server did not say '${type}', but '${report?.type ?? 'nothing'}'.`)
    return report as ReportOf<Type>
  } finally {
    told.abort()
  }
}

async function within<Value>(ms: number, value: Promise<Value>): Promise<Value | undefined> {
  const inTime = new AbortController()
  try {
    return await Promise.race([value, sleep(ms, undefined, { signal: inTime.signal })])
  } finally {
    inTime.abort()
  }
}
