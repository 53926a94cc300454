import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { SimulateOptions } from './options.ts'
import type { Told, WorkerMessage } from './worker.ts'

/**
 * Shares runs among processes.
 *
 * @param heard - is told of each run; returns whether there is need for more
 * @returns what all runs have reached of the machines, when that was asked for
 * @throws Error when a process ends otherwise than by being done
 */
export async function shareRuns(
  options: SimulateOptions,
  heard: (told: Told) => boolean,
): Promise<ReadonlySet<string>> {
  const reached = new Set<string>()
  const stride = Math.min(options.workers, options.runs)
  let isEnough = false
  const share = (first: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = fork(
        fileURLToPath(new URL('worker.ts', import.meta.url)),
        [JSON.stringify({ ...options, first, stride })],
        {
          // What a run leaves behind outlives a small nursery.
          execArgv: ['--import', 'tsx', '--max-semi-space-size=64'],
          env: { ...process.env, NODE_ENV: 'production' },
        },
      )
      worker.on('message', (message: WorkerMessage) => {
        if (isEnough) return
        if ('reached' in message) for (const each of message.reached) reached.add(each)
        else if (!heard(message.told)) {
          isEnough = true
          for (const each of workers) each.kill()
        }
      })
      worker.once('exit', (code, signal) => {
        if (code === 0 || isEnough) resolve()
        else reject(new Error(`A process of the simulation ended with ${signal ?? code}.`))
      })
      worker.once('error', reject)
      workers.push(worker)
    })
  const workers: ReturnType<typeof fork>[] = []
  await Promise.all(Array.from({ length: stride }, (_, index) => share(options.seed + index)))
  return reached
}
