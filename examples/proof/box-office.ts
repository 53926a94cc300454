import { RequestError, type Handlers } from 'greenroom'
import type { Bank, Ticket } from './sale.ts'

/**
 * Sells seats, the next free one to whoever asks first: `client.request<Ticket>('buy')` resolves with a ticket, or is
 * rejected as `sold-out` or `declined`; `client.request<number>('free')` says how many seats there are still.
 */
export function boxOffice(bank: Bank, seats: number): Handlers {
  const free = Array.from({ length: seats }, (_, index) => index + 1)

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
    buy: (_data, { connection }) => sell(connection.user.id),
    free: () => free.length,
  }
}
