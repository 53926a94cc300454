import { once } from 'node:events'
import { describe, expect } from 'vitest'
import { AbuseStage } from './abuse-stage.ts'
import type { Attacker } from './attacker.ts'

const mebibyte = 1024 * 1024
const data = 'x'.repeat(30_000)

/** Somebody in a room who reads no further. */
async function deaf(stage: AbuseStage, room: string): Promise<Attacker> {
  const attacker = await stage.enter()
  await attacker.ask({ type: 'join', room })
  attacker.bytes.tcp.pause()
  return attacker
}

/** Reads on until the end, which may come in the middle of a frame. */
async function over({ bytes }: Attacker): Promise<Attacker['bytes']> {
  bytes.tcp.resume()
  if (!bytes.ended) await once(bytes.tcp, 'close')
  return bytes
}

describe('a reader that stops', () => {
  const stage = new AbuseStage({ messageBurst: 5_000, outboxBytes: mebibyte / 4, replayBytes: mebibyte / 8 })

  stage.abuse(
    'reader.stopped',
    async () => {
      const room = stage.room()
      const speaker = await stage.enter()
      const { epoch } = await speaker.ask({ type: 'join', room })
      const { 'slow-consumer': before = 0 } = await stage.server.ended()
      const reader = await deaf(stage, room)
      const say = (): Promise<unknown> => speaker.ask({ type: 'message', room, data })
      // More than fits into what both kernels hold, and then more than the outbox does.
      while ((await stage.server.slowReaders()) === 0) await say()
      while ((await stage.server.slowReaders()) > 0) await say()
      const begun = performance.now()
      // Its close frame waits behind what it does not read, so the server waits for its end no longer than a second.
      while (((await stage.server.ended())['slow-consumer'] ?? 0) === before) await say()
      expect(performance.now() - begun).toBeLessThan(1_500)
      await over(reader)

      const back = await stage.enter()
      const told = await back.ask({ type: 'join', room, since: { epoch, offset: 0 } })
      expect(told).toMatchObject({ recovered: false, epoch, messages: [] })
      const { offset } = await speaker.ask({ type: 'message', room, data: 'on' })
      expect(await back.heard('message')).toMatchObject({ offset, data: 'on' })
      await back.leave()
      await speaker.leave()
    },
    { rehearsals: 2 },
  )
})

describe('many slow readers', () => {
  const budget = 2 * mebibyte
  const stage = new AbuseStage({ outboxTotalBytes: budget, messageBurst: 5_000 })

  stage.abuse(
    'reader.many',
    async () => {
      const rooms = [stage.room(), stage.room()] as const
      const speaker = await stage.enter()
      for (const room of rooms) await speaker.ask({ type: 'join', room })
      const memory = await stage.server.memory()
      const { 'slow-consumer': before = 0 } = await stage.server.ended()
      const readers = await Promise.all(Array.from({ length: 20 }, () => deaf(stage, rooms[0])))
      const slower = await deaf(stage, rooms[1])
      const count = async (): Promise<number> => ((await stage.server.ended())['slow-consumer'] ?? 0) - before
      let most = 0
      while ((await count()) === 0) {
        for (const room of rooms) await speaker.ask({ type: 'message', room, data })
        // Twice as much for the one as for all others.
        await speaker.ask({ type: 'message', room: rooms[1], data })
        most = Math.max(most, await stage.server.memory())
      }
      expect(await count()).toBe(1)
      const { ended } = await over(slower)
      expect([ended, readers.filter(({ bytes }) => bytes.ended)]).toEqual([true, []])
      expect(most - memory).toBeLessThan(64 * mebibyte)
      await speaker.leave()
    },
    { rehearsals: 1 },
  )
})
