import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'

/** What a drain was for one client (ms since its beginning). */
interface Departure {
  readonly told: number
  readonly closed: number
  /** When it is to be back. */
  readonly back: number
}

/** Drains a runtime with so many clients, who stay until they are closed. */
async function departures(count: number, withinMs: number, drainPerSecond = 500): Promise<(Departure | undefined)[]> {
  const stage = new Stage({ drainPerSecond, upgradesPerSecond: Infinity, unauthenticatedConnections: Infinity })
  const seen: { told?: number; after: number; closed?: number }[] = []
  for (let i = 0; i < count; i++) {
    const client: (typeof seen)[number] = { after: NaN }
    seen.push(client)
    const socket = stage.transport.connect()
    socket.onmessage = ({ data }) => {
      if (!String(data).includes('"goodbye"')) return
      expect(client.told).toBeUndefined()
      client.told = stage.clock.now()
      client.after = (JSON.parse(String(data)) as { reconnectAfter: number }).reconnectAfter
    }
    socket.onclose = ({ code }) => {
      expect(code).toBe(1012)
      client.closed = stage.clock.now()
    }
  }
  await stage.clock.settle()
  expect(stage.runtime.census.connections).toBe(count)
  const begun = stage.clock.now()
  const drained = stage.runtime.drain({ withinMs })
  await stage.clock.advance(withinMs + 1_000)
  await drained
  expect(stage.clock.pending).toBe(0)
  return seen.map(({ told, closed, after }) =>
    told === undefined || closed === undefined
      ? undefined
      : { told: told - begun, closed: closed - begun, back: closed - begun + after },
  )
}

const timesOf = (clients: readonly (Departure | undefined)[], what: keyof Departure): number[] =>
  clients.map((client) => client?.[what] ?? NaN)

/** How many fall into each of the windows of that length, from the first to the last. */
function histogram(times: readonly number[], windowMs: number): number[] {
  const first = Math.min(...times)
  const bins = Array.from({ length: Math.floor((Math.max(...times) - first) / windowMs) + 1 }, () => 0)
  for (const time of times) {
    const bin = Math.floor((time - first) / windowMs)
    bins[bin] = (bins[bin] ?? 0) + 1
  }
  return bins
}

describe('the clients of a runtime that drains', () => {
  it('[GOODBYE-1] [GOODBYE-2] come back evenly over the time that it takes, at the rate agreed upon', async () => {
    const clients = await departures(10_000, 30_000)
    const back = timesOf(clients, 'back')
    expect(back.some(Number.isNaN)).toBe(false)
    const perSecond = histogram(back, 1_000)
    // 10,000 at 500 a second; the last window is not a whole one.
    expect(perSecond.length).toBeGreaterThanOrEqual(20)
    expect(perSecond.length).toBeLessThanOrEqual(21)
    for (const many of perSecond.slice(0, 19)) expect(Math.abs(many - 500)).toBeLessThan(50)
    // Also within a batch: no steps of a tenth of a second.
    const finely = histogram(back, 25)
    expect(Math.max(...finely)).toBeLessThan(40)
    expect(finely.slice(0, 760).filter((many) => many === 0)).toEqual([])
    for (const client of clients) expect(client?.closed).toBe((client?.told ?? 0) + 1_000)
    expect(Math.max(...back)).toBeLessThan(30_000)
    // In no order that those who came together would keep.
    const firstComers = back.slice(0, 1_000).reduce((sum, time) => sum + time, 0) / 1_000
    expect(firstComers).toBeGreaterThan(10_000)
    expect(firstComers).toBeLessThan(12_500)
  })

  it.each([3_000, 5_000, 10_000])('[GOODBYE-1] come back within the time that there is (%i ms)', async (withinMs) => {
    const clients = await departures(2_000, withinMs)
    const back = timesOf(clients, 'back')
    expect(back.some(Number.isNaN)).toBe(false)
    expect(Math.max(...back)).toBeLessThanOrEqual(withinMs)
    const told = timesOf(clients, 'told')
    const perWindow = histogram(back, 250).slice(0, -1)
    const mean = 2_000 / ((Math.max(...told) + 100) / 250)
    for (const many of perWindow) expect(Math.abs(many - mean)).toBeLessThan(0.2 * mean)
  })

  it.each([1, 3, 50, 250])('[GOODBYE-1] go as fast as they may when they are few (%i)', async (count) => {
    const clients = await departures(count, 30_000)
    expect(Math.max(...timesOf(clients, 'told'))).toBeLessThanOrEqual((count * 1_000) / 500)
    expect(Math.max(...timesOf(clients, 'back'))).toBeLessThanOrEqual((count * 1_000) / 500 + 1_100)
  })

  it.each([
    [10, 1],
    [30, 2],
    [210, 15],
  ])('[GOODBYE-1] keep to a rate that is lower than one for each batch (%i at %i a second)', async (count, rate) => {
    const told = timesOf(await departures(count, 30_000, rate), 'told').sort((a, b) => a - b)
    for (const [i, time] of told.entries()) expect(Math.abs(time - (i * 1_000) / rate)).toBeLessThan(250)
  })

  it('[GOODBYE-1] are each given another moment than the next', async () => {
    const back = timesOf(await departures(200, 30_000), 'back')
    expect(new Set(back).size).toBeGreaterThan(100)
  })
})
