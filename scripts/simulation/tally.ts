import type { Told } from './worker.ts'

/** What runs amount to together. */
export class Tally {
  readonly #begunAt = performance.now()
  #runs = 0
  #virtualMs = 0
  #events = 0
  #heals = 0
  readonly #done = new Map<string, number>()

  add({ virtualMs, events, heals, done }: Told): void {
    this.#runs++
    this.#virtualMs += virtualMs
    this.#events += events
    this.#heals += heals
    for (const [kind, count] of Object.entries(done)) this.#done.set(kind, (this.#done.get(kind) ?? 0) + count)
  }

  toString(): string {
    const seconds = (performance.now() - this.#begunAt) / 1_000
    const kinds = [...this.#done].toSorted((a, b) => b[1] - a[1]).map(([kind, count]) => `${kind} ${count}`)
    return [
      `${this.#runs} runs in ${seconds.toFixed(1)} s, ${(this.#runs / seconds).toFixed(0)} a second`,
      `${(this.#virtualMs / 3_600_000).toFixed(1)} h of virtual time, ${(this.#virtualMs / this.#runs / 1_000).toFixed(0)} s a run`,
      `${this.#events} messages on the wire, ${this.#heals} losses found and healed by clients`,
      `done: ${kinds.join(', ')}`,
    ].join('\n')
  }
}
