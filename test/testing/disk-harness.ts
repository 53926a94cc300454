import type { History } from '../../src/runtime/ports/history.ts'
import type { SessionStore } from '../../src/runtime/ports/session-store.ts'
import {
  SeededRandom,
  VirtualClock,
  VirtualDisk,
  VirtualProcess,
  type VirtualDiskOptions,
} from '../../src/testing/index.ts'

/** A disk and the process that has it mounted. */
export class MountedDisk {
  readonly clock = new VirtualClock()
  readonly disk: VirtualDisk
  process: VirtualProcess
  history: History
  sessions: SessionStore

  constructor(options: VirtualDiskOptions = {}) {
    this.disk = new VirtualDisk(this.clock, options)
    this.process = new VirtualProcess(this.clock, new SeededRandom(1))
    ;({ history: this.history, sessions: this.sessions } = this.disk.mount(this.process))
  }

  /** Kills the process, and starts another in its place. */
  kill(): void {
    this.process.kill()
    this.process = new VirtualProcess(this.clock, new SeededRandom(1))
    ;({ history: this.history, sessions: this.sessions } = this.disk.mount(this.process))
  }

  /** Moves the time on until a promise is settled. */
  async soon<T>(promise: T | Promise<T>): Promise<T> {
    const outcome = { settled: false }
    void Promise.allSettled([promise]).then(() => (outcome.settled = true))
    await this.clock.until(() => outcome.settled, 10_000)
    if (!outcome.settled) throw new Error('It has not come.')
    return promise
  }
}

/** A disk as the suites of stores want it: its time goes on by itself, a millisecond with each turn of the event loop. */
export class DiskHarness extends MountedDisk {
  #closed = false
  readonly #running: Promise<void>

  constructor(options: VirtualDiskOptions = {}) {
    super(options)
    this.#running = this.#run()
  }

  async restart(): Promise<void> {
    await this.sessions.close?.()
    this.kill()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#closed) await this.clock.advance(1)
  }
}
