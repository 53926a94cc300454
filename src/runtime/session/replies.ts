import type { RequestId } from '../../protocol/index.ts'
import type { Budget } from '../budget.ts'
import type { Frame } from '../ports/frame.ts'
import type { Settings } from '../options.ts'

/**
 * What a session's requests were answered, so that one that is asked again after a reconnect is answered again and not
 * done again. The oldest go first.
 */
export class Replies {
  readonly #frames = new Map<RequestId, Frame>()
  readonly #limitCount: number
  readonly #limitBytes: number
  readonly #budget: Budget
  #bytes = 0

  constructor({ replyCacheCount, replyCacheBytes }: Settings, budget: Budget) {
    this.#limitCount = replyCacheCount
    this.#limitBytes = replyCacheBytes
    this.#budget = budget
  }

  get(id: RequestId): Frame | undefined {
    return this.#frames.get(id)
  }

  keep(id: RequestId, frame: Frame): void {
    this.#forget(id)
    // One that is too large by itself is not worth forgetting all the others for.
    if (frame.byteLength > this.#limitBytes) return
    this.#frames.set(id, frame)
    this.#bytes += frame.byteLength
    this.#budget.force(frame.byteLength)
    // A Map keeps the order of insertion: the first is the oldest.
    for (const oldest of this.#frames.keys()) {
      if (this.#frames.size <= this.#limitCount && this.#bytes <= this.#limitBytes && !this.#budget.spent) return
      this.#forget(oldest)
    }
  }

  /** Forgets everything: the session is over. */
  clear(): void {
    for (const id of this.#frames.keys()) this.#forget(id)
  }

  #forget(id: RequestId): void {
    const frame = this.#frames.get(id)
    if (frame === undefined) return
    this.#frames.delete(id)
    this.#bytes -= frame.byteLength
    this.#budget.give(frame.byteLength)
  }
}
