import { memoryHistory } from '../../runtime/room/memory-history.ts'
import type { History, HistoryLimits, RoomLog } from '../../runtime/ports/history.ts'
import type { SessionRecord, SessionStore } from '../../runtime/ports/session-store.ts'
import { SeededRandom } from '../random.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { idFrom } from '../virtual-environment.ts'
import type { VirtualProcess } from '../virtual-process.ts'
import { DiskLog } from './disk-log.ts'
import { DiskSessions } from './disk-sessions.ts'

/** What a disk is like. */
export interface VirtualDiskOptions {
  /** Chooses what is left to chance. @default 1 */
  readonly seed?: number
  /** Between these an operation takes (ms). @default [0, 0] */
  readonly latencyMs?: readonly [number, number]
}

/**
 * What a disk can be told to fail at, once. Of a message whose `append` fails it may be that it was kept all the same;
 * at `crash` the store throws, as one does that is out of its mind.
 */
export type DiskFault = 'append' | 'crash' | 'read' | 'open' | 'create' | 'claim' | 'restore'

/** What an operation of a disk needs of it. */
export interface DiskTerms {
  readonly random: SeededRandom
  readonly process: VirtualProcess
  /** The time, whatever the process takes it for (ms). */
  now(): number
  /** How long the next operation takes (ms). */
  latencyMs(): number
  /** Does something in the process after a while. */
  after(action: () => void, ms: number): void
  /** Lets a promise settle in its turn. */
  schedule<T>(task: Promise<T>, label: string): Promise<T>
  /** Resolves after the time that an operation takes; never, when the process is killed meanwhile. */
  later(label: string): Promise<void>
  /** Whether this operation is to fail. */
  fails(fault: DiskFault): boolean
}

/** A session as it stands on the disk. */
export interface StoredSession {
  record: SessionRecord
  readonly secret: string
  fence: number
}

/**
 * Rooms' logs and sessions that outlive the process that uses them, on virtual time: slow, and failing when told to.
 * What a process has not been told to be kept when it is killed may be kept or not, the earlier before the later.
 *
 * @example
 * ```ts
 * const disk = new VirtualDisk(clock, { latencyMs: [1, 30] })
 * const process = new VirtualProcess(clock, new SeededRandom(1))
 * createRuntime({ ...disk.mount(process), environment: process.environment })
 * process.kill() // the next process that mounts the disk finds what was kept
 * ```
 */
export class VirtualDisk {
  /** Between these an operation takes (ms). */
  latencyMs: readonly [number, number]
  readonly #clock: VirtualClock
  readonly #random: SeededRandom
  readonly #faults: DiskFault[] = []
  readonly #logs = new Map<string, RoomLog>()
  readonly #sessions = new Map<string, StoredSession>()
  readonly #memory: History

  constructor(clock: VirtualClock, { seed = 1, latencyMs = [0, 0] }: VirtualDiskOptions = {}) {
    this.#clock = clock
    this.#random = new SeededRandom(seed)
    this.latencyMs = latencyMs
    this.#memory = memoryHistory(() => idFrom(this.#random.next))
  }

  /** Fails the next operation of a kind. */
  failNext(fault: DiskFault): void {
    this.#faults.push(fault)
  }

  /** How many faults have yet to happen. */
  get pendingFaults(): number {
    return this.#faults.length
  }

  /** How many sessions stand on it. */
  get sessionCount(): number {
    return this.#sessions.size
  }

  /** It fails at nothing any more. */
  mend(): void {
    this.#faults.length = 0
  }

  /** A room's log is gone: opened again, it is empty and has another epoch. */
  loseLog(room: string): void {
    this.#logs.delete(room)
  }

  /** The stores of one process. */
  mount(process: VirtualProcess): { readonly history: History; readonly sessions: SessionStore } {
    const terms = this.#terms(process)
    const history: History = {
      open: async (room, limits) => {
        await terms.later('open')
        if (terms.fails('open')) throw new Error(`The disk failed to open the log of '${room}'.`)
        return new DiskLog(this.#log(room, limits), terms)
      },
    }
    return { history, sessions: new DiskSessions(this.#sessions, terms) }
  }

  #log(room: string, limits: HistoryLimits): RoomLog {
    let log = this.#logs.get(room)
    if (log === undefined) this.#logs.set(room, (log = this.#memory.open(room, limits) as RoomLog))
    return log
  }

  #terms(process: VirtualProcess): DiskTerms {
    const latencyMs = (): number => this.#random.between(...this.latencyMs)
    const after = (action: () => void, ms: number): void => {
      this.#clock.setTimeout(() => process.run(action), ms)
    }
    return {
      after,
      random: this.#random,
      process,
      schedule: (task, label) => this.#clock.schedule(task, label),
      now: () => this.#clock.now(),
      latencyMs,
      later: (label) => {
        const passed = new Promise<void>((resolve) => {
          after(resolve, latencyMs())
        })
        return this.#clock.schedule(passed, label)
      },
      fails: (fault) => {
        const index = this.#faults.indexOf(fault)
        if (index < 0) return false
        this.#faults.splice(index, 1)
        return true
      },
    }
  }
}
