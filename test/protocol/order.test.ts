import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'
import { ask, byName, heard, replayed } from './cast.ts'

const say = (data: unknown, fields: object = {}): object => ({ type: 'message', room: 'main', data, ...fields })
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('the order of a room', () => {
  it('[ORDER] is one for all members, that of the offsets, whoever speaks, pauses, fails and comes in between', async () => {
    const step = fc.record({
      who: fc.nat({ max: 3 }),
      what: fc.constantFrom('say', 'say', 'say', 'pause', 'resume', 'rejoin', 'type', 'turn', 'newcomer'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const stage = new Stage(byName)
        const cast = await Promise.all(range(0, 3).map((n) => stage.member('main', { token: `user ${n}` })))
        const sent = cast.map(() => 0)
        for (const { who, what } of steps) {
          const client = cast[who]
          if (client === undefined) continue
          if (what === 'say') client.send(say([who, ++sent[who]!], who % 2 === 0 ? { id: sent[who] } : {}))
          else if (what === 'pause') client.socket.pause()
          else if (what === 'resume') client.socket.resume()
          else if (what === 'rejoin') client.send({ type: 'join', room: 'main' })
          else if (what === 'type') client.send({ type: 'typing', room: 'main', typing: true })
          else if (what === 'turn') await stage.clock.settle()
          else if (cast.length < 8) cast.push(await stage.member('main', { token: `user ${cast.length}` }))
        }
        for (const { socket } of cast) socket.resume()
        await stage.clock.settle()

        const total = sent.reduce((sum, count) => sum + count, 0)
        const texts = new Map<unknown, string>()
        for (const client of cast) {
          // From its first `joined` on: each offset once, without a gap, and the same message under it for all.
          const from = Number(client.of('joined')[0]?.['offset']) + 1
          expect(heard(client).map(([offset]) => offset)).toEqual(range(from, total))
          for (const message of client.of('message')) {
            const text = JSON.stringify(message)
            expect(texts.get(message['offset']) ?? text).toBe(text)
            texts.set(message['offset'], text)
          }
          for (const who of range(0, 3)) {
            const own = heard(client).flatMap(([, data]) =>
              (data as number[])[0] === who ? [(data as number[])[1]] : [],
            )
            expect(own).toEqual(own.toSorted((a, b) => Number(a) - Number(b)))
          }
        }
        await stage.close()
      }),
      { numRuns: 80 },
    )
  })

  it('[ORDER] is the same by history, and by the acknowledgements', async () => {
    const stage = new Stage()
    const cast = await Promise.all(range(0, 4).map(() => stage.member()))
    for (const n of range(1, 10)) for (const [who, client] of cast.entries()) client.send(say(`${who}:${n}`, { id: n }))
    await stage.clock.settle()
    const [first] = cast
    if (first === undefined) return
    const [page] = await ask(stage, first, { type: 'history', room: 'main' })
    const logged = replayed(page).map(({ offset, data }) => [offset, data])
    expect(logged).toEqual(heard(first))
    for (const [who, client] of cast.entries()) {
      for (const { id, offset } of client.of('ack')) expect(logged).toContainEqual([offset, `${who}:${String(id)}`])
    }
  })
})
