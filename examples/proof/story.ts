import type { Ticket } from './sale.ts'

/** Somebody was charged more or less often than for their tickets. */
export class WrongBill extends Error {
  readonly expected: string
  readonly came: string
  /** What happened, and when, as lines. */
  readonly story: readonly string[]

  constructor(expected: string, came: string, story: readonly string[]) {
    super(`expected ${expected}, came ${came}`)
    this.expected = expected
    this.came = came
    this.story = story
  }
}

/** What happened to the customers of a box office, and what they and their bank know of it. */
export class Story {
  readonly #now: () => number
  readonly #lines: string[] = []
  readonly #charges = new Map<string, number>()
  readonly #tickets = new Map<string, number>()
  #startedAt = 0

  constructor(now: () => number) {
    this.#now = now
  }

  begin(): void {
    this.#startedAt = this.#now()
  }

  tell(what: string): void {
    const at = Math.round(this.#now() - this.#startedAt)
    this.#lines.push(`${String(at).padStart(6)} ms  ${what}`)
  }

  charge(who: string): void {
    this.tell(`the bank charges ${who}`)
    this.#charges.set(who, (this.#charges.get(who) ?? 0) + 1)
  }

  /** A customer waits for a ticket: it comes, or the customer is told why not. */
  async wait(who: string, answer: Promise<Ticket>): Promise<void> {
    try {
      const { seat } = await answer
      this.tell(`${who} has a ticket for seat ${seat}`)
      this.#tickets.set(who, (this.#tickets.get(who) ?? 0) + 1)
    } catch (error) {
      this.tell(`${who} is told: ${(error as { code?: string }).code}`)
    }
  }

  /** @throws WrongBill when somebody has been charged more or less often than for their tickets */
  check(): void {
    for (const who of new Set([...this.#tickets.keys(), ...this.#charges.keys()])) {
      const tickets = this.#tickets.get(who) ?? 0
      const charges = this.#charges.get(who) ?? 0
      if (charges === tickets) continue
      const has = `${who} has ${tickets === 1 ? '1 ticket' : `${tickets} tickets`}, and was charged`
      throw new WrongBill(`${has} ${times(tickets)}`, `${has} ${times(charges)}`, this.#lines)
    }
  }
}

const times = (count: number): string => ['never', 'once', 'twice'][count] ?? `${count} times`
