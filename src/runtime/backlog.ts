/** Bounds what waits in one room for its log: to be opened, to be written, or for an earlier request. */
export class Backlog {
  readonly #limitBytes: number
  #bytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** Takes something in, if there is room. */
  add(message: object | undefined): boolean {
    const bytes = sizeOf(message)
    if (this.#bytes + bytes > this.#limitBytes) return false
    this.#bytes += bytes
    return true
  }

  /** Whether there is no more room. */
  get full(): boolean {
    return this.#bytes >= this.#limitBytes
  }

  /** Takes something in that cannot be turned away any more. */
  force(message: object | undefined): void {
    this.#bytes += sizeOf(message)
  }

  /** It waits no more. */
  remove(message: object | undefined): void {
    this.#bytes -= sizeOf(message)
  }
}

/** What a message that waits costs besides its data (bytes, roughly). */
const overheadBytes = 100

// Only of what was checked when it was decoded: a field that nobody knows may be nested deeper than a stack.
function sizeOf(message: object | undefined): number {
  const { bytes, data, presence, state } = (message ?? {}) as Partial<Record<string, unknown>> & { bytes?: Uint8Array }
  return overheadBytes + (bytes?.byteLength ?? JSON.stringify(data ?? presence ?? state ?? null).length)
}
