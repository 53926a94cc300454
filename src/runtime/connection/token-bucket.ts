/** What is lost by counting in fractions: who waited as long as they were told is not to be refused for it. */
const rounding = 1e-6

/**
 * A rate with a burst: it fills by `ratePerSecond` up to `burst`, and whoever takes more than is in it has to wait. It
 * has no timer; it is told the time (ms, of whatever beginning), and one that goes back fills nothing.
 */
export class TokenBucket {
  readonly #ratePerMs: number
  readonly #burst: number
  #tokens: number
  #at: number

  /**
   * @param ratePerSecond - `Infinity` for no limit
   * @param burst - what it holds when it is full, and holds at first
   */
  constructor(ratePerSecond: number, burst: number, now: number) {
    this.#ratePerMs = ratePerSecond / 1_000
    this.#burst = burst
    this.#tokens = burst
    this.#at = now
  }

  /** When it is full again, if nothing more is taken (ms). */
  get fullAt(): number {
    return this.#ratePerMs === Infinity ? this.#at : this.#at + (this.#burst - this.#tokens) / this.#ratePerMs
  }

  /** Whether so many are in it. */
  has(now: number, count = 1): boolean {
    this.#fill(now)
    return this.#ratePerMs === Infinity || this.#tokens + rounding >= count
  }

  /** Takes `count`, all or nothing. */
  take(now: number, count = 1): boolean {
    if (!this.has(now, count)) return false
    if (this.#ratePerMs < Infinity) this.#tokens -= count
    return true
  }

  /** How long until `count` are in it (ms), at least 1; `Infinity` when it will never hold so many. */
  retryAfterMs(now: number, count = 1): number {
    this.#fill(now)
    if (count > this.#burst) return Infinity
    return Math.max(1, Math.ceil((count - this.#tokens - rounding) / this.#ratePerMs))
  }

  #fill(now: number): void {
    const elapsed = now - this.#at
    this.#at = now
    if (elapsed > 0) this.#tokens = Math.min(this.#burst, this.#tokens + elapsed * this.#ratePerMs)
  }
}
