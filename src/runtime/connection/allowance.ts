import { TokenBucket } from './token-bucket.ts'

/** How much may be said: messages and their bytes, each a rate with a burst. */
export interface AllowanceLimits {
  readonly messagesPerSecond: number
  readonly messageBurst: number
  readonly bytesPerSecond: number
  readonly bytesBurst: number
}

/** What a connection, or a user by all connections together, may still say just now. */
export class Allowance {
  readonly #messages: TokenBucket
  readonly #bytes: TokenBucket

  constructor({ messagesPerSecond, messageBurst, bytesPerSecond, bytesBurst }: AllowanceLimits, now: number) {
    this.#messages = new TokenBucket(messagesPerSecond, messageBurst, now)
    this.#bytes = new TokenBucket(bytesPerSecond, bytesBurst, now)
  }

  /** When as much may be said as ever (ms). */
  get fullAt(): number {
    return Math.max(this.#messages.fullAt, this.#bytes.fullAt)
  }

  /** Takes a message of that many bytes. 0, or how long it would have had to wait (ms). What is refused costs nothing. */
  take(now: number, bytes: number): number {
    if (!this.#bytes.has(now, bytes)) return this.#bytes.retryAfterMs(now, bytes)
    if (!this.#messages.take(now)) return this.#messages.retryAfterMs(now)
    this.#bytes.take(now, bytes)
    return 0
  }
}
