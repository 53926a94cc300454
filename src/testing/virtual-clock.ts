import type { Clock } from '../runtime/ports/environment.ts'

/** What decides which of the promises that it was given settles next: as much of fast-check's `Scheduler` as it takes. */
export interface TaskScheduler {
  schedule<T>(task: Promise<T>, label?: string): Promise<T>
  /** How many wait. */
  count(): number
  /** Lets so many of them settle. */
  waitNext(count: number): Promise<void>
}

interface VirtualTimer {
  readonly callback: () => void
  readonly at: number
  readonly order: number
  cleared: boolean
}

/**
 * A clock that only moves when it is told to. Calls come at their exact time and, at the same time, in the order in
 * which they were set; a chain of delays ends when the sum of its links says.
 */
export class VirtualClock implements Clock {
  #now: number
  #order = 0
  #pending = 0
  // A binary heap, earliest first.
  readonly #heap: VirtualTimer[] = []
  #turn: (() => void)[] = []
  readonly #scheduler: TaskScheduler | undefined

  /**
   * @param startMs - the first moment (ms since the epoch). Default 2000-01-01 UTC
   * @param scheduler - settles the promises that {@link VirtualClock.schedule} is given, in an order of its own
   */
  constructor(startMs = 946_684_800_000, scheduler?: TaskScheduler) {
    this.#now = startMs
    this.#scheduler = scheduler
  }

  now(): number {
    return this.#now
  }

  /** How many calls are pending; none are when everything has been closed. */
  get pending(): number {
    return this.#pending + this.#turn.length
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const timer = { callback, at: this.#now + (ms > 0 ? ms : 0), order: ++this.#order, cleared: ms === Infinity }
    if (timer.cleared) return timer
    this.#pending++
    this.#push(timer)
    return timer
  }

  clearTimeout(timer: unknown): void {
    const known = timer as VirtualTimer | undefined
    if (known === undefined || known.cleared) return
    known.cleared = true
    this.#pending--
  }

  setImmediate(callback: () => void): void {
    this.#turn.push(callback)
  }

  /** Hands a promise to the scheduler, if there is one: once it is settled, it waits for its turn to be heard of. */
  schedule<T>(task: Promise<T>, label?: string): Promise<T> {
    const scheduler = this.#scheduler
    if (scheduler === undefined) return task
    // Not before: the scheduler would wait for it, and with it the time that it may depend on.
    const turn = (): Promise<void> => scheduler.schedule(Promise.resolve(), label)
    return task.then(
      (value) => turn().then(() => value),
      (error: unknown) =>
        // A rejection that waited with the scheduler would be nobody's until its turn.
        turn().then(() => {
          throw error
        }),
    )
  }

  /**
   * Lets everything happen that needs no time: promises, and turns of the event loop until none is left. Real input, of
   * a disk or a socket, is not waited for.
   */
  async settle(): Promise<void> {
    await realTurn()
    await this.#settle()
  }

  async #settle(): Promise<void> {
    for (;;) {
      await microtasks()
      if (this.#turn.length > 0) {
        const turn = this.#turn
        this.#turn = []
        for (const callback of turn) callback()
      } else if (this.#scheduler !== undefined && this.#scheduler.count() > 0) {
        await this.#scheduler.waitNext(1)
      } else {
        return
      }
    }
  }

  /** Moves the time on, stopping at every call on the way and letting everything settle there. */
  async advance(ms: number): Promise<void> {
    await this.until(() => false, ms)
  }

  /**
   * Moves the time on until something is found, at most so far; stops at every call on the way.
   *
   * @returns what was found, or undefined when it has not been
   */
  async until<T>(find: () => T | undefined | false, withinMs: number): Promise<T | undefined> {
    if (!(withinMs < Infinity)) throw new RangeError(`The clock cannot be moved on by ${withinMs} ms.`)
    const latest = this.#now + withinMs
    await this.settle()
    for (;;) {
      const found = find()
      if (found !== undefined && found !== false) return found
      const next = this.#peek()
      if (next === undefined || next.at > latest) break
      this.#now = Math.max(this.#now, next.at)
      for (let due = this.#peek(); due !== undefined && due.at <= this.#now; due = this.#peek()) {
        this.#pop()
        this.clearTimeout(due)
        due.callback()
      }
      await this.#settle()
    }
    // Whoever waits beside us may have moved it on further.
    this.#now = Math.max(this.#now, latest)
    return undefined
  }

  #peek(): VirtualTimer | undefined {
    while (this.#heap[0]?.cleared === true) this.#pop()
    return this.#heap[0]
  }

  #push(timer: VirtualTimer): void {
    const heap = this.#heap
    let index = heap.push(timer) - 1
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || isBefore(parent, timer)) break
      heap[index] = parent
      index = above
    }
    heap[index] = timer
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const [a, b] = [heap[left], heap[left + 1]]
      const child = b !== undefined && a !== undefined && isBefore(b, a) ? b : a
      if (child === undefined || isBefore(last, child)) break
      heap[index] = child
      index = child === a ? left : left + 1
    }
    heap[index] = last
  }
}

function isBefore(a: VirtualTimer, b: VirtualTimer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/**
 * Resolves when every promise that is ready has been followed up, and whatever became ready by that. Node runs its next
 * ticks when it has no microtask left to do.
 */
function microtasks(): Promise<void> {
  return new Promise((resolve) => {
    queueMicrotask(() => process.nextTick(resolve))
  })
}

/** A real turn of the event loop, without a delay: what is at hand of real input is taken in. */
function realTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
