import type { EndReason } from '../../../machines/index.ts'
import type { Settings } from '../options.ts'
import { Allowance } from './allowance.ts'
import { TokenBucket } from './token-bucket.ts'

/** Refusals that a client is forgiven each second. */
const refusalsPerSecond = 10

/**
 * What becomes of a message by how much its client has said: nothing special; it is refused, for so long (ms); or its
 * connection is closed.
 */
export type Verdict = undefined | { readonly retryAfterMs: number } | { readonly end: EndReason }

/** How much one client says, and how much of it cannot be read. */
export class Intake {
  readonly #allowance: Allowance
  readonly #settings: Settings
  /** From the first refusal on: most connections have none, and this is held for each. */
  #refusals: TokenBucket | undefined
  /** Messages in a row that could not be read. */
  #malformed = 0

  constructor(settings: Settings, now: number) {
    this.#allowance = connectionAllowance(settings, now)
    this.#settings = settings
  }

  /** Until when it is worth remembering: then everything may be said again (ms). */
  get fullAt(): number {
    return this.#allowance.fullAt
  }

  /**
   * Judges a message, or a control frame.
   *
   * @param readable - whether it could be read; undefined of a control frame, in which there is nothing to read: whoever
   * sends some among messages that cannot be read is not to go on for ever
   * @param shared - what its user may say by all connections
   */
  judge(now: number, bytes: number, readable: boolean | undefined, shared: Allowance | undefined): Verdict {
    const waitMs = this.#allowance.take(now, bytes) || shared?.take(now, bytes) || 0
    if (waitMs > 0) {
      this.#refusals ??= new TokenBucket(refusalsPerSecond, this.#settings.refusalBurst, now)
      return this.#refusals.take(now) ? { retryAfterMs: waitMs } : { end: 'rate-limited' }
    }
    if (readable === undefined) return undefined
    this.#malformed = readable ? 0 : this.#malformed + 1
    return this.#malformed > this.#settings.malformedCount ? { end: 'limit-reached' } : undefined
  }
}

function connectionAllowance(settings: Settings, now: number): Allowance {
  const { messagesPerSecond, messageBurst, bytesPerSecond, bytesBurst, frameBytes } = settings
  // A frame that is taken at all must fit once.
  const limits = { messagesPerSecond, messageBurst, bytesPerSecond, bytesBurst: Math.max(bytesBurst, frameBytes) }
  return new Allowance(limits, now)
}

/** What a user may say by all connections together. */
export function userAllowance(settings: Settings, now: number): Allowance {
  const { userMessagesPerSecond, userMessageBurst, userBytesPerSecond, userBytesBurst, frameBytes } = settings
  const limits = {
    messagesPerSecond: userMessagesPerSecond,
    messageBurst: userMessageBurst,
    bytesPerSecond: userBytesPerSecond,
    bytesBurst: Math.max(userBytesBurst, frameBytes),
  }
  return new Allowance(limits, now)
}

/** Whether a user who has one connection could say less than it: else the connection's own limits are enough. */
export function isStricterByUser(settings: Settings): boolean {
  return (
    settings.userMessagesPerSecond < settings.messagesPerSecond ||
    settings.userMessageBurst < settings.messageBurst ||
    settings.userBytesPerSecond < settings.bytesPerSecond ||
    settings.userBytesBurst < settings.bytesBurst
  )
}
