import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Census, RuntimeOptions, TelemetryEvent } from 'greenroom'

/** What a server in a process of its own holds, after its garbage has been collected. */
export interface Sample {
  /** On the heap and beside it (buffers). */
  readonly heldBytes: number
  readonly rss: number
  readonly census: Census
  /** How many connections have ended, by reason. */
  readonly ended: Readonly<Record<string, number>>
  /** What telemetry has told besides. */
  readonly others: readonly TelemetryEvent[]
  /** Timers that are pending in the runtime. */
  readonly timers: number
}

/** A server in a process of its own. */
export interface MeasuredServer {
  readonly port: number
  sample(): Promise<Sample>
  /** Closes the runtime, and resolves with the process's exit code. */
  close(): Promise<number | null>
}

/** Starts one; options are what JSON can say. */
export async function measuredServer(options: RuntimeOptions = {}): Promise<MeasuredServer> {
  const path = fileURLToPath(new URL('measured-server-process.ts', import.meta.url))
  const child = fork(path, [JSON.stringify(options)], { execArgv: ['--expose-gc', '--import', 'tsx'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const { port } = await told<{ port: number }>(child)
  return {
    port,
    sample: () => {
      child.send('sample')
      return told<Sample>(child)
    },
    close: async () => {
      child.send('close')
      const [code] = (await once(child, 'exit')) as [number | null]
      return code
    },
  }
}

async function told<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, 'message')) as [T]
  return message
}
