import type { Environment } from '../runtime/ports/environment.ts'
import type { SeededRandom } from './random.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { idFrom } from './virtual-environment.ts'

/**
 * A process in a virtual world: what it does by itself, it does through its environment, so that it can be stopped for a
 * while, be killed, and have its clock set, as an operating system does it to a real one.
 */
export class VirtualProcess {
  /** What the process takes time, randomness and ids from. */
  readonly environment: Environment
  readonly #clock: VirtualClock
  readonly #timers = new Set<{ timer: unknown }>()
  #state: 'running' | 'stopped' | 'dead' = 'running'
  /** What has come due while it was stopped. */
  #due: (() => void)[] = []
  #skewMs = 0
  readonly #atKill: (() => void)[] = []

  constructor(clock: VirtualClock, random: SeededRandom) {
    this.#clock = clock
    this.environment = {
      clock: {
        now: () => clock.now() + this.#skewMs,
        setTimeout: (callback, ms) => this.#setTimeout(callback, ms),
        clearTimeout: (handle) => {
          if (handle === undefined || !this.#timers.delete(handle as { timer: unknown })) return
          clock.clearTimeout((handle as { timer: unknown }).timer)
        },
        setImmediate: (callback) => {
          if (this.#state !== 'dead') clock.setImmediate(() => this.run(callback))
        },
      },
      random: random.next,
      newId: () => idFrom(random.next),
    }
  }

  get isAlive(): boolean {
    return this.#state !== 'dead'
  }

  /** How many delays it has set that have not come. */
  get pending(): number {
    return this.#timers.size
  }

  /** Does something in this process: now, when it goes on, or never. */
  run(action: () => void): void {
    if (this.#state === 'running') action()
    else if (this.#state === 'stopped') this.#due.push(action)
  }

  /** It does nothing until {@link continue}: `SIGSTOP`, a suspended tab, a machine that swaps. */
  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped'
  }

  /** It goes on, with all that has come due. */
  continue(): void {
    if (this.#state !== 'stopped') return
    this.#state = 'running'
    const due = this.#due
    this.#due = []
    for (const action of due) this.run(action)
  }

  /** It does nothing any more: `SIGKILL`. */
  kill(): void {
    if (this.#state === 'dead') return
    this.#state = 'dead'
    this.#due = []
    for (const listener of this.#atKill) listener()
    for (const { timer } of this.#timers) this.#clock.clearTimeout(timer)
    this.#timers.clear()
  }

  /** Is told when it is killed: what stands outside of it may have something in hand for it. */
  atKill(listener: () => void): void {
    this.#atKill.push(listener)
  }

  /** Somebody sets its clock on, or back. Delays that are under way take as long as they would have. */
  setClock(byMs: number): void {
    this.#skewMs += byMs
  }

  #setTimeout(callback: () => void, ms: number): unknown {
    if (this.#state === 'dead' || ms === Infinity) return undefined
    const handle: { timer: unknown } = { timer: undefined }
    const due = (): void => {
      // One that is cleared while the process is stopped is not called when it goes on.
      if (this.#timers.delete(handle)) callback()
    }
    handle.timer = this.#clock.setTimeout(() => this.run(due), ms)
    this.#timers.add(handle)
    return handle
  }
}
