/** A value that is there already, or is still to come. Memory answers at once, and no turn is lost by it. */
export type Eventually<T> = T | Promise<T>

export function isPromise<T>(value: Eventually<T>): value is Promise<T> {
  return value instanceof Promise
}
