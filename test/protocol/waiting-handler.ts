import type { Handler, HandlerContext } from '../../src/runtime/connection/handlers.ts'

/** One call of a {@link waitingHandler}. */
export interface WaitingCall {
  readonly data: unknown
  readonly context: HandlerContext
  /** Lets it return. */
  finish(result?: unknown): void
  /** Lets it throw. */
  fail(error: unknown): void
}

/** A handler that is at work until it is told to end, whatever its signal says; and its calls. */
export function waitingHandler() {
  const calls: WaitingCall[] = []
  const handle: Handler = (data, context) =>
    new Promise((resolve, reject) => {
      calls.push({ data, context, finish: resolve, fail: reject })
    })
  /** A call that there has been. */
  const call = (index: number): WaitingCall => {
    const found = calls[index]
    if (found === undefined) throw new Error(`There were ${calls.length} calls, no ${index}.`)
    return found
  }
  return { calls, call, handle }
}
