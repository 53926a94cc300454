import { RequestError, type Handlers } from 'greenroom'
import type { Bank, Ticket } from './sale.ts'

/**
 * Sells seats, the next free one to whoever asks first: `client.request<Ticket>('buy')` resolves with a ticket, or is
 * rejected as `sold-out` or `declined`; `client.request<number>('free')` says how many seats there are still.
 */
export function boxOffice(bank: Bank, seats: number): Handlers {
  const free = Array.from({ length: seats }, (_, index) => index + 1)
  const sales = new Map<string, Promise<Ticket>>()

  async function sell(user: string): Promise<Ticket> {
    // Taken before anything is awaited: nobody else can get this seat while the bank thinks.
    const seat = free.shift()
    if (seat === undefined) throw new RequestError('sold-out')
    try {
      await bank.charge(user)
    } catch {
      free.push(seat)
      throw new RequestError('declined')
    }
    return { seat }
  }

  return {
    buy: (_data, { connection, id }) => {
      // Whoever was cut off asks again, under the same id: that is the same sale, under way or done.
      const request = `${connection.session} ${id}`
      const sale = sales.get(request) ?? sell(connection.user.id)
      sales.set(request, sale)
      return sale
    },
    free: () => free.length,
  }
}
