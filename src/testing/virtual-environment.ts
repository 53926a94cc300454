import type { Environment } from '../runtime/ports/environment.ts'
import { VirtualClock } from './virtual-clock.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-'

/** An environment in which nothing is left to chance: two runs with the same seed are the same run. */
export interface VirtualEnvironment extends Environment {
  readonly clock: VirtualClock
}

/**
 * @param seed - chooses all randomness and ids. Default 1
 */
export function createVirtualEnvironment(seed = 1): VirtualEnvironment {
  const random = mulberry32(seed)
  return {
    clock: new VirtualClock(),
    random,
    newId: () => Array.from({ length: 22 }, () => alphabet[Math.floor(random() * alphabet.length)]).join(''),
  }
}

/** A small generator with a period of 2³²: Tommy Ettinger's mulberry32. Not for secrets. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
