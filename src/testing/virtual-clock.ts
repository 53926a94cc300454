import type { Clock } from '../runtime/ports/environment.ts'

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

  /** @param startMs - the first moment (ms since the epoch). Default 2000-01-01 UTC */
  constructor(startMs = 946_684_800_000) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  /** How many calls are pending; none are when everything has been closed. */
  get pending(): number {
    return this.#pending + this.#turn.length
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const timer = { callback, at: this.#now + Math.max(0, ms), order: ++this.#order, cleared: ms === Infinity }
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

  /** Lets everything happen that needs no time: promises, and turns of the event loop until none is left. */
  async settle(): Promise<void> {
    do {
      await microtasks()
      const turn = this.#turn
      this.#turn = []
      for (const callback of turn) callback()
      await microtasks()
    } while (this.#turn.length > 0)
  }

  /** Moves the time on, stopping at every call on the way and letting everything settle there. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    await this.settle()
    for (let next = this.#peek(); next !== undefined && next.at <= until; next = this.#peek()) {
      this.#now = Math.max(this.#now, next.at)
      for (let due = this.#peek(); due !== undefined && due.at <= this.#now; due = this.#peek()) {
        this.#pop()
        this.clearTimeout(due)
        due.callback()
      }
      await this.settle()
    }
    this.#now = until
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

/** Resolves when every promise that is ready has been followed up: a real turn of the event loop, without a delay. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
