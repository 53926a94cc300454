import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What came of a talk. */
export interface Talk {
  /** How long each message took, to all of them and back to its speaker (ms). */
  readonly latencies: readonly number[]
  /** What they heard twice, not at all or out of order, and what else they were told. */
  readonly faults: readonly string[]
}

/** How long a talk may take beyond all reason (ms). */
const patienceMs = 20_000

/** Four who do nothing wrong, in a process of their own, and talk in a room of their own. */
export class Bystanders {
  readonly #process: ChildProcess

  /**
   * @param port - the server's
   * @param origin - the page that they say they are
   */
  static async enter(port: number, tokens: readonly string[], origin: string): Promise<Bystanders> {
    const path = fileURLToPath(new URL('bystanders-process.ts', import.meta.url))
    const child = fork(path, [String(port), JSON.stringify(tokens), origin], { execArgv: ['--import', 'tsx'] })
    await once(child, 'message')
    return new Bystanders(child)
  }

  private constructor(child: ChildProcess) {
    this.#process = child
  }

  /**
   * Lets them say so many messages, at a steady rate.
   *
   * @param onBeat - called with every seventh, about every 21 ms
   */
  talk(count: number, onBeat = (): void => {}): Promise<Talk> {
    return new Promise((resolve, reject) => {
      const onMessage = (told: Talk | 'beat'): void => {
        if (told === 'beat') return onBeat()
        done()
        resolve(told)
      }
      const done = (): void => {
        clearTimeout(timer)
        this.#process.off('message', onMessage)
      }
      const timer = setTimeout(() => {
        done()
        reject(new Error('The bystanders have not heard everything that they said.'))
      }, patienceMs)
      this.#process.on('message', onMessage)
      this.#process.send(count)
    })
  }

  leave(): void {
    this.#process.kill('SIGKILL')
  }
}

/** What 99 of 100 messages took at most (ms). */
export function p99({ latencies }: Pick<Talk, 'latencies'>): number {
  const sorted = latencies.toSorted((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? NaN
}
