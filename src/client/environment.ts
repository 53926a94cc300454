/** What a client depends on that no message says: time and randomness. */
export interface ClientEnvironment {
  readonly clock: {
    /** The time in ms since the epoch. */
    now(): number
    setTimeout(callback: () => void, ms: number): unknown
    clearTimeout(timer: unknown): void
  }
  /** A number in [0, 1). */
  random(): number
}

/** The platform's own. */
export function platformEnvironment(): ClientEnvironment {
  return {
    clock: {
      now: () => Date.now(),
      // Platforms take a delay of more than 31 bits for none at all.
      setTimeout: (callback, ms) => setTimeout(callback, Math.min(ms, 2 ** 31 - 1)),
      clearTimeout: (timer) => {
        clearTimeout(timer as ReturnType<typeof setTimeout>)
      },
    },
    random: () => Math.random(),
  }
}

/** Lets an error of a listener surface where uncaught errors do, without disturbing who called the listener. */
export function reportError(error: unknown): void {
  setTimeout(() => {
    throw error
  })
}
