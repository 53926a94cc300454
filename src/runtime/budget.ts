/**
 * What a process holds for its clients beside outboxes and logs, all of it together (bytes, roughly): what waits behind
 * handlers and for logs, presence states, replies that are remembered. Each of these has a limit of its own; many of
 * them at their limits would still be too much.
 */
export class Budget {
  readonly #limitBytes: number
  #held = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** What is held now. */
  get held(): number {
    return this.#held
  }

  /** Whether there is no more room. */
  get spent(): boolean {
    return this.#held >= this.#limitBytes
  }

  /** Takes something in, if there is room. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.#limitBytes) return false
    this.#held += bytes
    return true
  }

  /** Takes something in that cannot be turned away. */
  force(bytes: number): void {
    this.#held += bytes
  }

  /** It is held no more. */
  give(bytes: number): void {
    this.#held -= bytes
  }
}
