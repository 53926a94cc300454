import type { Environment } from '../../runtime/ports/environment.ts'
import { SeededRandom } from '../random.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { idFrom } from '../virtual-environment.ts'
import type { Trace, TraceEvent } from './trace.ts'

/**
 * Lets the events of a trace happen when they did: at their time, after as many of the runtime's own calls as then, and in
 * the same breath as what they came with. Where the runtime does less than it did then, they come when it has nothing
 * more to do at that time.
 */
export class Conductor {
  /** For the runtime: it gives out what was given out then. */
  readonly environment: Environment
  /** How many ids and random numbers were asked for that nobody had asked for then. */
  unrecorded = 0
  readonly #clock: VirtualClock
  readonly #trace: Trace
  readonly #act: (event: TraceEvent) => void
  /** The number of the event that is next, and of the last that has been waited for. */
  #next = 0
  #awaited = -1
  /** The runtime's own calls since the last event, and in all. */
  #steps = 0
  #stepsInAll = 0

  /** @param act - has an event happen */
  constructor(clock: VirtualClock, trace: Trace, act: (event: TraceEvent) => void) {
    this.#clock = clock
    this.#trace = trace
    this.#act = act
    const spare = new SeededRandom(trace.startedAt)
    const given = <Value>(recorded: readonly Value[], otherwise: () => Value): (() => Value) => {
      let index = 0
      return () => {
        if (index < recorded.length) return recorded[index++] as Value
        this.unrecorded++
        return otherwise()
      }
    }
    this.environment = {
      clock: {
        now: () => clock.now(),
        setTimeout: (callback, ms) => clock.setTimeout(() => this.#step(callback), ms),
        clearTimeout: (timer) => clock.clearTimeout(timer),
        setImmediate: (callback) => clock.setImmediate(() => this.#step(callback)),
      },
      random: given(trace.randoms, spare.next),
      newId: given(trace.ids, () => idFrom(spare.next)),
    }
  }

  /** The time since the start (ms). */
  get now(): number {
    return this.#clock.now() - this.#trace.startedAt
  }

  /** Begins to wait for the first event. */
  begin(): void {
    this.#follow()
  }

  /** Lets happen what happened during a call that the runtime makes to a socket. */
  during(connection: number, within: 'resume' | 'terminate'): void {
    for (let event = this.#event; event?.connection === connection && event.within === within; event = this.#event) {
      if (!this.#isDue(event)) break
      this.#perform(event)
    }
    // It may be a promise that made the runtime call, and nothing else of its own may follow.
    this.#waitForNext()
  }

  get #event(): TraceEvent | undefined {
    return this.#trace.events[this.#next]
  }

  #isDue({ at, steps }: TraceEvent): boolean {
    return this.now >= at && this.#steps >= steps
  }

  #perform(event: TraceEvent): void {
    this.#next++
    this.#steps = 0
    this.#act(event)
  }

  /** The runtime's own call has come. What came before it then comes before it now. */
  #step(callback: () => void): void {
    for (let event = this.#event; event !== undefined && this.#isDue(event); event = this.#event) this.#perform(event)
    this.#steps++
    this.#stepsInAll++
    callback()
    this.#follow()
  }

  /** What came in the same breath as what has just run comes at once. */
  #follow(): void {
    for (let event = this.#event; event?.joined === true && this.#isDue(event); event = this.#event)
      this.#perform(event)
    this.#waitForNext()
  }

  #waitForNext(): void {
    const [next, event] = [this.#next, this.#event]
    if (event === undefined) return
    if (this.#isDue(event)) {
      this.#clock.setImmediate(() => this.#come(next))
    } else if (this.#awaited !== next) {
      this.#awaited = next
      if (event.at > this.now) this.#clock.setTimeout(() => this.#await(next, event), event.at - this.now)
      else this.#await(next, event)
    }
  }

  /** Has an event happen, unless it has. */
  #come(next: number): void {
    if (this.#next !== next || this.#event === undefined) return
    this.#perform(this.#event)
    this.#follow()
  }

  /** Its time has come, but perhaps not its turn. */
  #await(next: number, event: TraceEvent): void {
    if (this.#next !== next) return
    if (this.#isDue(event)) this.#come(next)
    else this.#wait(next, event, this.#stepsInAll)
  }

  /** Waits as long as the runtime goes on by itself: for a turn, and for calls without a delay. */
  #wait(next: number, event: TraceEvent, steps: number): void {
    const orElse = (otherwise: () => void) => (): void => {
      if (this.#next !== next) return
      if (this.#stepsInAll > steps) this.#await(next, event)
      else otherwise()
    }
    const come = orElse(() => this.#come(next))
    this.#clock.setImmediate(orElse(() => void this.#clock.setTimeout(come, 0)))
  }
}
