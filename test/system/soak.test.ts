import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createClient, type Client } from 'greenroom/client'
import { measuredServer, type MeasuredServer, type Sample } from './measured-server.ts'

const mebibyte = 1024 * 1024
const cycles = 10_000
const atOnce = 50

/** One visit: connects, joins, says something, hears it, and goes, in one way or another. */
async function visit(port: number, visitor: number): Promise<void> {
  const sockets: WebSocket[] = []
  class Observed extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols)
      sockets.push(this)
    }
  }
  const client: Client = createClient(`ws://127.0.0.1:${port}/ws`, {
    token: `user ${visitor % 97}`,
    WebSocket: Observed,
    backoffMs: 5,
  })
  const room = client.join(`room ${visitor % 7}`, { presence: { visitor } })
  const heard = new Promise<void>((resolve) => {
    room.on('message', ({ data }) => {
      if (data === visitor) resolve()
    })
  })
  room.typing()
  await room.send(visitor)
  await heard
  if (visitor % 4 === 1) {
    // Comes back once, and goes on where it was.
    const back = new Promise((resolve) => void room.on('joined', resolve))
    sockets[0]?.terminate()
    await back
    await room.send('back')
  }
  if (visitor % 4 === 2) {
    // Goes without a word.
    const { promise, resolve } = withResolver()
    client.on('status', resolve)
    sockets.at(-1)?.terminate()
    await promise
  }
  client.close()
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

async function visits(port: number, from: number, to: number): Promise<void> {
  let next = from
  const visitor = async (): Promise<void> => {
    while (next < to) await visit(port, next++)
  }
  await Promise.all(Array.from({ length: atOnce }, visitor))
}

/** What is left when everybody has gone and every window has passed. */
async function atRest(server: MeasuredServer): Promise<Sample> {
  for (;;) {
    const sample = await server.sample()
    const { connections, sessions, rooms } = sample.census
    if (connections + sessions + rooms === 0) return sample
  }
}

describe('10,000 visits', () => {
  it('[CLOSED] leave nothing: no actor, no timer, and the heap as it was', { timeout: 180_000 }, async () => {
    const server = await measuredServer({ resumeWindowMs: 300, presenceGraceMs: 100, roomLingerMs: 200 })
    await visits(server.port, 0, cycles / 5)
    const warm = await atRest(server)
    await visits(server.port, cycles / 5, cycles)
    const after = await atRest(server)
    const grown = after.heldBytes - warm.heldBytes
    console.log(
      `held after ${cycles / 5} visits ${(warm.heldBytes / mebibyte).toFixed(2)} MiB, ` +
        `after ${cycles} ${(after.heldBytes / mebibyte).toFixed(2)} MiB`,
    )
    // On a busy machine some come back later than their sessions wait; they get fresh ones.
    expect(after.others.filter(({ type }) => type !== 'resume.refused')).toEqual([])
    expect(Object.values(after.ended).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(cycles)
    // Compiled code and what statistics V8 keeps come and go; a kilobyte a visit would be 8 MiB.
    expect(grown).toBeLessThanOrEqual(mebibyte)
    expect(after.timers).toBe(0)
    expect(await server.close()).toBe(0)
  })
})
