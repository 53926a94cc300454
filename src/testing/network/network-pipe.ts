import type { Delivery, Pipe } from '../../transports/memory.ts'
import type { SeededRandom } from '../random.ts'
import type { VirtualClock } from '../virtual-clock.ts'

/** What a pipe is made of. */
export interface PipeTerms {
  readonly clock: VirtualClock
  readonly random: SeededRandom
  /** How long what is carried now is under way (ms). */
  latencyMs(): number
  /** How often what was written in one piece arrives in two (0 to 1). */
  readonly splitChance: number
  /** Acts upon what has arrived, in the process that it arrived at. */
  perform(arrive: () => void): void
  sent(delivery: Delivery): void
  arrived(delivery: Delivery): void
}

/** One direction of a link: everything arrives in the order in which it was sent, late, or not at all. */
export class NetworkPipe implements Pipe {
  readonly #terms: PipeTerms
  /** When the last of what is under way arrives (ms). */
  #lastArrival = -Infinity
  #held: (readonly Delivery[])[] | undefined
  #toLose = 0
  #isDead = false
  /** How many messages it has lost, those on their way when it was cut not counted. */
  lost = 0

  constructor(terms: PipeTerms) {
    this.#terms = terms
  }

  get stalled(): boolean {
    return this.#held !== undefined
  }

  carry(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) this.#terms.sent(delivery)
    if (this.#isDead) return
    if (this.#held !== undefined) this.#held.push(deliveries)
    else this.#dispatch(deliveries)
  }

  /** Holds what is sent until {@link release}. */
  stall(): void {
    this.#held ??= []
  }

  /** Carries what was held, and what comes. */
  release(): void {
    const held = this.#held
    this.#held = undefined
    for (const deliveries of held ?? []) this.#dispatch(deliveries)
  }

  /** Every second message does not arrive, so many in all: what a faulty proxy does, and TCP never. */
  lose(count: number): void {
    this.#toLose += 2 * count
  }

  /** Nothing arrives any more. */
  cut(): void {
    this.#isDead = true
    this.#held = undefined
  }

  #dispatch(deliveries: readonly Delivery[]): void {
    const { random, splitChance } = this.#terms
    if (deliveries.length > 1 && splitChance > 0 && random.chance(splitChance)) {
      const at = random.between(1, deliveries.length - 1)
      this.#send(deliveries.slice(0, at))
      this.#send(deliveries.slice(at))
    } else {
      this.#send(deliveries)
    }
  }

  #send(deliveries: readonly Delivery[]): void {
    const { clock } = this.#terms
    const now = clock.now()
    const arrival = Math.max(now + this.#terms.latencyMs(), this.#lastArrival)
    this.#lastArrival = arrival
    const arrive = (): void => {
      for (const delivery of deliveries) this.#arrive(delivery)
    }
    if (arrival > now) clock.setTimeout(arrive, arrival - now)
    else clock.setImmediate(arrive)
  }

  #arrive(delivery: Delivery): void {
    if (this.#isDead) return
    if (delivery.kind === 'message' && this.#toLose > 0 && this.#toLose-- % 2 === 0) {
      this.lost++
      delivery.lost?.()
      return
    }
    this.#terms.perform(() => {
      if (this.#isDead) return
      this.#terms.arrived(delivery)
      delivery.arrive()
    })
  }
}
