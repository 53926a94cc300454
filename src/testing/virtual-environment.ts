import type { Environment } from '../runtime/ports/environment.ts'
import { SeededRandom } from './random.ts'
import { VirtualClock, type TaskScheduler } from './virtual-clock.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-'

/** An environment in which nothing is left to chance: two runs with the same seed are the same run. */
export interface VirtualEnvironment extends Environment {
  readonly clock: VirtualClock
}

/** How an environment is made. */
export interface VirtualEnvironmentOptions {
  /** Chooses in which order promises settle that it is given: fast-check's `fc.scheduler()` makes one. */
  readonly scheduler?: TaskScheduler
}

/**
 * @param seed - chooses all randomness and ids. Default 1
 */
export function createVirtualEnvironment(seed = 1, { scheduler }: VirtualEnvironmentOptions = {}): VirtualEnvironment {
  const random = new SeededRandom(seed)
  return { clock: new VirtualClock(undefined, scheduler), random: random.next, newId: () => idFrom(random.next) }
}

/** An id of the length of a real one. */
export function idFrom(random: () => number): string {
  let id = ''
  for (let i = 0; i < 22; i++) id += alphabet[Math.floor(random() * alphabet.length)]
  return id
}
