/** What a timing wheel stands on. */
export interface WheelHost {
  /** A time in ms that never goes backwards. */
  now(): number
  setTimeout(callback: () => void, ms: number): unknown
}

/** One pending call: a node in the ring of its slot. */
class WheelTimer {
  callback: (() => void) | undefined
  dueTick: number
  previous: WheelTimer | undefined
  next: WheelTimer | undefined
  constructor(callback: (() => void) | undefined, dueTick: number) {
    this.callback = callback
    this.dueTick = dueTick
  }
}

/**
 * Serves any number of delays with one timer of the host (hashed wheel, scheme 6 of Varghese and Lauck 1987): setting
 * and clearing take constant time, and a connection's delays cost an object instead of a Node timer each. A call
 * comes at its time or up to one tick later, never earlier.
 */
export class TimingWheel {
  readonly #host: WheelHost
  readonly #tickMs: number
  readonly #slots: (WheelTimer | undefined)[]
  readonly #mask: number
  readonly #origin: number
  #tick = 0
  #size = 0
  #running = false

  /**
   * @param tickMs - resolution. Default 50
   * @param slots - a power of two; a delay longer than `tickMs × slots` goes round more than once. Default 1024
   */
  constructor(host: WheelHost, tickMs = 50, slots = 1024) {
    this.#host = host
    this.#tickMs = tickMs
    this.#slots = Array.from({ length: slots }, () => undefined)
    this.#mask = slots - 1
    this.#origin = host.now()
  }

  /** How many calls are pending. */
  get size(): number {
    return this.#size
  }

  set(callback: () => void, ms: number): unknown {
    const timer = new WheelTimer(callback, Infinity)
    if (ms === Infinity) return timer
    if (!this.#running) this.#tick = this.#currentTick()
    const due = Math.ceil((this.#host.now() - this.#origin + Math.max(0, ms)) / this.#tickMs)
    timer.dueTick = Math.max(due, this.#tick + 1)
    this.#link(timer)
    this.#size++
    this.#run()
    return timer
  }

  clear(timer: unknown): void {
    if (!(timer instanceof WheelTimer) || timer.callback === undefined) return
    timer.callback = undefined
    if (timer.dueTick === Infinity) return
    this.#unlink(timer)
    this.#size--
  }

  #currentTick(): number {
    return Math.floor((this.#host.now() - this.#origin) / this.#tickMs)
  }

  #run(): void {
    if (this.#running || this.#size === 0) return
    this.#running = true
    const untilNext = this.#origin + (this.#tick + 1) * this.#tickMs - this.#host.now()
    this.#host.setTimeout(this.#advance, Math.max(1, Math.ceil(untilNext)))
  }

  readonly #advance = (): void => {
    const target = this.#currentTick()
    // After a long stop of the process every slot is visited once, not once per tick that was missed.
    const steps = Math.min(target - this.#tick, this.#slots.length)
    this.#tick = target
    const due: WheelTimer[] = []
    for (let tick = target - steps + 1; tick <= target; tick++) this.#collect(tick & this.#mask, target, due)
    due.sort((a, b) => a.dueTick - b.dueTick)
    try {
      for (const timer of due) {
        const { callback } = timer
        // A call that came before may have cleared this one.
        if (callback === undefined) continue
        this.clear(timer)
        callback()
      }
    } finally {
      this.#running = false
      this.#run()
    }
  }

  /** Finds what is due in a slot, in the order in which it was set. */
  #collect(slot: number, until: number, due: WheelTimer[]): void {
    const found: WheelTimer[] = []
    for (let timer = this.#slots[slot]; timer !== undefined; timer = timer.next) {
      if (timer.dueTick <= until) found.push(timer)
    }
    // The newest stands first.
    due.push(...found.toReversed())
  }

  #link(timer: WheelTimer): void {
    const slot = timer.dueTick & this.#mask
    const head = this.#slots[slot]
    timer.next = head
    if (head !== undefined) head.previous = timer
    this.#slots[slot] = timer
  }

  #unlink(timer: WheelTimer): void {
    if (timer.previous !== undefined) timer.previous.next = timer.next
    else this.#slots[timer.dueTick & this.#mask] = timer.next
    if (timer.next !== undefined) timer.next.previous = timer.previous
    timer.previous = undefined
    timer.next = undefined
  }
}
