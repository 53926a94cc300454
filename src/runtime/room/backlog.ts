/** Bounds what waits in one room for its log: to be opened, to be written, or for an earlier request. */
export class Backlog {
  readonly #limitBytes: number
  #bytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** Takes something in, if there is room. */
  add(bytes: number): boolean {
    if (this.#bytes + bytes > this.#limitBytes) return false
    this.#bytes += bytes
    return true
  }

  /** Whether there is no more room. */
  get full(): boolean {
    return this.#bytes >= this.#limitBytes
  }

  /** Takes something in that cannot be turned away any more. */
  force(bytes: number): void {
    this.#bytes += bytes
  }

  /** It waits no more. */
  remove(bytes: number): void {
    this.#bytes -= bytes
  }
}
