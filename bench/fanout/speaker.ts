import { Buffer } from 'node:buffer'
import type { Marker } from '../clients/frame-scanner.ts'
import type { RawClient } from '../clients/raw-client.ts'
import { RequestRing } from '../clients/request-ring.ts'
import type { Dialect } from '../dialects.ts'
import type { Workload } from './workloads.ts'

const dataBytes = 100

/** The last character of what the n-th speaker of a room says. */
const signature = (ordinal: number): string => String.fromCharCode('A'.charCodeAt(0) + ordinal)

/** By what the n-th speaker of a room knows its own messages. */
export function markerOf(ordinal: number, { dataTailBytes }: Dialect): Marker {
  return { byte: Buffer.from(signature(ordinal))[0] ?? 0, tailBytes: dataTailBytes }
}

/** A member who speaks: a closed loop, which says the next thing when the last is back. */
export class Speaker {
  readonly client: RawClient
  /** Messages said so far. */
  sent = 0
  readonly #ring: RequestRing
  readonly #inFlight: number
  readonly #acknowledged: boolean
  #running = false

  constructor(client: RawClient, ordinal: number, dialect: Dialect, { inFlight, acknowledged }: Workload) {
    const { room } = client
    const data = 'x'.repeat(dataBytes - 1) + signature(ordinal)
    const textOf = (id: number): string =>
      acknowledged ? dialect.request(room, data, id) : dialect.publish(room, data)
    this.client = client
    this.#ring = new RequestRing(textOf, inFlight)
    this.#inFlight = inFlight
    this.#acknowledged = acknowledged
    client.progress = () => this.#refill()
  }

  /** How much of what was said is back. An acknowledgement follows its message, so every second frame is one. */
  get back(): number {
    const { frames, own } = this.client.scanner
    return this.#acknowledged ? frames >> 1 : own
  }

  /** Whether every message came back, and each once. */
  get isEven(): boolean {
    return this.back === this.sent && this.client.scanner.own === this.sent
  }

  start(): void {
    this.#running = true
    this.#refill()
  }

  stop(): void {
    this.#running = false
  }

  /** Says one thing now, whatever else is on its way. */
  say(count = 1): void {
    this.sent += count
    this.#ring.write(this.client.socket, count)
  }

  #refill(): void {
    if (!this.#running) return
    const free = this.#inFlight - (this.sent - this.back)
    if (free > 0) this.say(free)
  }
}
