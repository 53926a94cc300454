import { Buffer } from 'node:buffer'
import { nanoid } from 'nanoid'
import { TimingWheel } from '../actors/timing-wheel.ts'

/** Time, as the runtime sees it. A virtual one makes every run repeatable. */
export interface Clock {
  /** The time in ms since the epoch. */
  now(): number
  /** Calls once, after at least `ms`. A delay of `Infinity` never comes and needs no timer. */
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
  /** Calls at the end of this turn of the event loop, after the input that is at hand has been read. */
  setImmediate(callback: () => void): void
}

/** Everything a run depends on that no message says: time, randomness and ids. */
export interface Environment {
  readonly clock: Clock
  /** A number in [0, 1). */
  random(): number
  /** An unguessable text of at least 128 bits. */
  newId(): string
}

/** The real one: the system's time on a timing wheel, and nanoid's ids. Its timers do not keep the process alive. */
export function systemEnvironment(): Environment {
  const now = (): number => Date.now()
  const wheel = new TimingWheel({
    // A wheel counts time that passed, so it must not jump when somebody sets the system's clock.
    now: () => performance.now(),
    setTimeout: (callback, ms) => setTimeout(callback, ms).unref(),
  })
  return {
    clock: {
      now,
      setTimeout: (callback, ms) => wheel.set(callback, ms),
      clearTimeout: (timer) => wheel.clear(timer),
      setImmediate: (callback) => {
        setImmediate(callback)
      },
    },
    random: () => Math.random(),
    // 22 characters of 6 bits are 132 bits. nanoid adds one to the other, and V8 would keep each of those sums (700
    // bytes) for as long as the id lives; a text that comes out of a buffer is flat.
    newId: () => Buffer.from(nanoid(22), 'latin1').toString('latin1'),
  }
}
