import fc from 'fast-check'
import type { Handlers } from 'greenroom'
import { createTestRuntime } from 'greenroom/testing'
import type { Bank, Ticket } from './sale.ts'
import { Story } from './story.ts'

const customers = ['ada', 'bob', 'cyd'] as const

/** Something that a customer does, or that is done to one, and how long after the step before (ms). */
export interface Step {
  readonly afterMs: number
  readonly who: (typeof customers)[number]
  readonly what: 'buys a ticket' | 'is cut off'
}

const step = fc.record<Step>({
  afterMs: fc.nat(1_000),
  who: fc.constantFrom(...customers),
  what: fc.constantFrom('buys a ticket', 'is cut off'),
})

/** Whatever happens to customers and their connections: they are charged once for each ticket, and for nothing else. */
export const fairBills = (boxOffice: (bank: Bank, seats: number) => Handlers) =>
  fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.scheduler(), async (steps, scheduler) => {
    const story = new Story(() => stage.clock.now())
    const charge = (user: string): Promise<void> => {
      story.charge(user)
      const thinking = new Promise<void>((resolve) => void stage.clock.setTimeout(resolve, 300))
      return stage.clock.schedule(thinking, `the bank on ${user}`)
    }
    await using stage = createTestRuntime({
      scheduler, // chooses which promise settles first
      network: { latencyMs: [20, 20] },
      authenticate: async ({ token = '' }) => ({ id: token }),
      handlers: boxOffice({ charge }, 4),
    })
    const clients = new Map(customers.map((who) => [who, stage.client({ device: who, token: who })]))
    await stage.clock.advance(1_000)

    for (const [who, client] of clients) {
      client.on('status', (status) => status === 'open' && story.tell(`${who} is back`))
    }

    story.begin()
    for (const { afterMs, who, what } of steps) {
      await stage.clock.advance(afterMs)
      story.tell(`${who} ${what}`)
      if (what === 'is cut off') stage.network.device(who).cut()
      else void story.wait(who, clients.get(who)!.request<Ticket>('buy'))
    }
    await stage.clock.advance(30_000)
    story.check()
  })
