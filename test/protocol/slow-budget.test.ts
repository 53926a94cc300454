import { describe, expect, it } from 'vitest'
import { defineRoom } from 'greenroom'
import { askingConnection } from '../asking-connection.ts'
import { Stage, type RawClient } from '../stage.ts'
import { unrulyConnection } from '../unruly-connection.ts'
import { ask, byName, claimOf, greet, replayed, serverEnds } from './cast.ts'

const say = (room: string, bytes: number, fields: object = {}): object => ({
  type: 'message',
  room,
  data: 'x'.repeat(bytes),
  ...fields,
})
/** What a socket holds that is not read. */
const socketBytes = 20_200

/** Members of a room each of its own beside the common one, who have stopped reading. */
async function stopped(stage: Stage, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = []
  for (let i = 0; i < count; i++) {
    const client = await stage.member('main', { token: `slow${i}` })
    await ask(stage, client, { type: 'join', room: `own${i}` })
    clients.push(client)
  }
  for (const { socket } of clients) socket.pause()
  return clients
}

/** A member of all those rooms. */
async function speaker(stage: Stage, count: number): Promise<RawClient> {
  const ada = await stage.member('main', { token: 'ada' })
  await ask(stage, ada, ...Array.from({ length: count }, (_, i) => ({ type: 'join', room: `own${i}` })))
  return ada
}

const codes = (clients: readonly RawClient[]): (number | undefined)[] => clients.map(({ closed }) => closed[0]?.code)

/** Lets everybody read to the end. */
async function readOn(stage: Stage, clients: readonly RawClient[]): Promise<void> {
  for (const { socket } of clients) socket.resume()
  await stage.clock.settle()
}

describe('what waits for all slow readers together', () => {
  it('[BOUND] counts once what waits for several', async () => {
    const stage = new Stage({ ...byName, outboxTotalBytes: 50 * socketBytes + 900_000 })
    const [ada, slow] = [await speaker(stage, 0), await stopped(stage, 50)]
    await ask(stage, ada, say('main', 20_000))
    for (let i = 0; i < 40; i++) await ask(stage, ada, say('main', 20_000))
    await readOn(stage, slow)
    expect(codes(slow)).toEqual(slow.map(() => undefined))
    for (const client of slow) expect(client.of('message')).toHaveLength(41)
  })

  it('[BOUND] costs the slowest their place, closed with 4208, and nobody else', async () => {
    const stage = new Stage({ ...byName, outboxTotalBytes: 6 * socketBytes + 500_000 })
    const [ada, slow] = [await speaker(stage, 6), await stopped(stage, 6)]
    await ask(stage, ada, say('main', 20_000))
    for (const [i, bytes] of [60_000, 10_000, 180_000, 20_000, 120_000, 30_000].entries()) {
      for (let sent = 0; sent < bytes; sent += 10_000) await ask(stage, ada, say(`own${i}`, 10_000))
    }
    // They hold 420,000. The largest goes first, then the next; the rest is within the limit again.
    for (let i = 0; i < 9; i++) await ask(stage, ada, say('own1', 10_000))
    await readOn(stage, slow)
    expect(codes(slow)).toEqual([undefined, undefined, 4208, undefined, undefined, undefined])
    expect(slow[2]?.closed).toEqual([{ code: 4208, reason: 'slow-consumer' }])
    expect(slow[2]?.of('message')).toHaveLength(1)
    expect(slow[1]?.of('message')).toHaveLength(11)
    expect(ada.closed).toEqual([])
    // Who was closed comes back and has missed nothing.
    const claim = claimOf(slow[2] as RawClient)
    const back = await greet(stage, { token: 'slow2', resume: claim })
    const epoch = slow[2]?.of('joined')[1]?.['epoch']
    const [joined] = await ask(stage, back, { type: 'join', room: 'own2', since: { epoch, offset: 0 } })
    expect(joined).toMatchObject({ recovered: true })
    expect(replayed(joined)).toHaveLength(18)
  })

  it('[BOUND] costs nobody else their place when the slowest is the one that speaks', async () => {
    const stage = new Stage({ ...byName, outboxTotalBytes: 4 * socketBytes + 200_000 })
    const slow = await stopped(stage, 4)
    const loudest = slow[0] as RawClient
    const ada = await speaker(stage, 4)
    await ask(stage, ada, say('main', 20_000), ...[1, 2, 3].map((i) => say(`own${i}`, 10_000)))
    for (let i = 0; i < 30; i++) await ask(stage, loudest, say('own0', 10_000))
    await readOn(stage, slow)
    expect(codes(slow)).toEqual([4208, undefined, undefined, undefined])
  })

  it('[BOUND] is let go of with whom it waited for: round after round costs nobody else', async () => {
    const stage = new Stage({ ...byName, outboxTotalBytes: 3 * socketBytes + 150_000 })
    const [ada, [modest]] = [await speaker(stage, 2), await stopped(stage, 1)]
    await ask(stage, ada, say('main', 20_000), say('main', 10_000))
    for (let round = 0; round < 30; round++) {
      const greedy = await stage.member('own1', { token: 'greedy' })
      greedy.socket.pause()
      for (let i = 0; i < 20; i++) await ask(stage, ada, say('own1', 20_000))
      greedy.socket.resume()
      await stage.clock.advance(1_000)
      expect(codes([greedy])).toEqual([4208])
    }
    await readOn(stage, [modest as RawClient])
    expect([codes([modest as RawClient]), modest?.of('message').length]).toEqual([[undefined], 2])
  })

  it('[BOUND] counts also the messages that wait in the place of others', async () => {
    const rooms = { '*': defineRoom({ slow: 'latest' }) }
    const stage = new Stage({ ...byName, rooms, outboxTotalBytes: 2 * socketBytes + 100_000 })
    const [ada, slow] = [await speaker(stage, 2), await stopped(stage, 2)]
    await ask(stage, ada, say('main', 20_000))
    for (let i = 0; i < 50; i++) await ask(stage, ada, say('own0', 10_000, { key: 'same' }))
    for (let i = 0; i < 8; i++) await ask(stage, ada, say('own1', 10_000, { key: `${i}` }))
    for (const { socket } of slow) expect(socket.readyState).toBe(1)
    for (let i = 8; i < 20; i++) await ask(stage, ada, say('own1', 10_000, { key: `${i}` }))
    await readOn(stage, slow)
    expect(codes(slow)).toEqual([undefined, 4208])
  })
})

describe('a machine of one’s own', () => {
  it.each([
    ['that says nothing of overflowing: it is closed with 4208', unrulyConnection, [4208]],
    ['that hears of overflowing and does nothing: its socket is ended', askingConnection, []],
  ])('[BOUND] does not hold more than it may, as one %s', async (_what, connection, closeFrames) => {
    for (const options of [{ outboxBytes: 100_000 }, { outboxTotalBytes: 100_000 }]) {
      const stage = new Stage({ ...options, connection })
      const ends = serverEnds(stage)
      const [slow, loud] = [await stage.member(), await stage.member()]
      slow.socket.pause()
      for (let i = 0; i < 20; i++) {
        await ask(stage, loud, say('main', 20_000))
        expect(ends[0]?.link.outbox.bytes).toBeLessThan(130_000)
      }
      expect(ends[0]?.closeFrames).toEqual(closeFrames)
      await stage.clock.advance(1_000)
      expect([stage.runtime.census.connections, loud.of('message').length]).toEqual([1, 20])
      await stage.close()
    }
  })
})
