/** A value that is there already, or is still to come. Memory answers at once, and no turn is lost by it. */
export type Eventually<T> = T | Promise<T>

/** Whether a value is still to come. Not only promises: what is awaited need be none. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
