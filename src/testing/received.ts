import type { VirtualClock } from './virtual-clock.ts'

/** A message as it stood on the wire. */
export interface WireMessage {
  readonly type: string
  readonly [field: string]: unknown
}

/** How long something may take to arrive. */
export interface ReceiveOptions {
  /** How far the clock is moved on at most until it has (ms). @default 1_000 */
  readonly withinMs?: number
}

/** What somebody has received, and what can be asked of that. */
export class Received {
  /** All messages, oldest first. */
  readonly received: WireMessage[] = []
  readonly #clock: VirtualClock
  readonly #name: string

  constructor(clock: VirtualClock, name: string) {
    this.#clock = clock
    this.#name = name
  }

  /** What was received of one type. */
  of(type: string): WireMessage[] {
    return this.received.filter((message) => message.type === type)
  }

  /**
   * What was received of one type last.
   *
   * @throws Error when there is none, with what was received instead
   */
  last(type: string): WireMessage {
    const found = this.of(type).at(-1)
    if (found === undefined) throw new Error(`no ${type} among ${JSON.stringify(this.received)}`)
    return found
  }

  /**
   * Waits for a message: moves the clock on until one has been received that fits, now or before.
   *
   * @param fields - what must stand in it, at least; objects within it likewise, lists as they are
   * @example
   * ```ts
   * await ada.receives('message', { from: { user: 'bob' }, data: 'hi' })
   * ```
   * @throws Error when none has come in time, with what was received instead
   */
  async receives(
    type: string,
    fields: Readonly<Record<string, unknown>> = {},
    { withinMs = 1_000 }: ReceiveOptions = {},
  ): Promise<WireMessage> {
    const find = (): WireMessage | undefined => this.of(type).findLast((message) => contains(message, fields))
    const found = await this.#clock.until(find, withinMs)
    if (found !== undefined) return found
    const sought = JSON.stringify({ type, ...fields })
    const received = this.received.map((message) => JSON.stringify(message)).join('\n  ')
    const end = this.ending()
    throw new Error(
      `${this.#name} did not receive ${sought} within ${withinMs} ms, but\n  ${received || 'nothing'}${end && `\n${end}`}`,
    )
  }

  /** How what is received has ended, as a sentence; empty while it has not. */
  protected ending(): string {
    return ''
  }
}

/** Whether a value holds what is expected of it, at least. */
function contains(actual: unknown, expected: unknown): boolean {
  if (Object.is(actual, expected)) return true
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null) return false
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return false
    return expected.every((item, index) => contains(actual[index], item))
  }
  return Object.entries(expected).every(([name, value]) => contains((actual as Record<string, unknown>)[name], value))
}

/** What a frame says as text: of a binary one the header, as what follows it is the application's. */
export function textOf(data: unknown): string {
  return data instanceof Uint8Array ? headerOf(data) : String(data)
}

/** Of a binary frame the header, and what is there of it when it is shorter than it says. */
export function headerOf(frame: Uint8Array): string {
  if (frame.byteLength < 4) return ''
  const length = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0)
  return new TextDecoder().decode(frame.subarray(4, 4 + length))
}
