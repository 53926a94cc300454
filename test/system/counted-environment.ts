import type { Environment } from 'greenroom'

/** An environment, and how many of its timers are pending. */
export interface CountedEnvironment {
  readonly environment: Environment
  /** Those that never fire do not count. */
  pending(): number
}

/** Counts the timers of an environment. */
export function countedEnvironment({ clock, ...environment }: Environment): CountedEnvironment {
  const timers = new Set<object>()
  return {
    pending: () => timers.size,
    environment: {
      ...environment,
      clock: {
        now: () => clock.now(),
        setImmediate: (callback) => clock.setImmediate(callback),
        setTimeout: (callback, ms) => {
          const timer: { inner?: unknown } = {}
          timer.inner = clock.setTimeout(() => {
            timers.delete(timer)
            callback()
          }, ms)
          if (ms !== Infinity) timers.add(timer)
          return timer
        },
        clearTimeout: (timer) => {
          // What was never set may be cleared.
          if (timer === undefined) return
          timers.delete(timer as object)
          clock.clearTimeout((timer as { inner: unknown }).inner)
        },
      },
    },
  }
}
