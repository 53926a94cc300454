import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'
import { ask, brittleHistory, byName, claimOf, clientSockets, greet, heard, replayed } from './cast.ts'

const say = (id: number): object => ({ type: 'message', room: 'main', data: id, id })

describe('a message that is sent again until it is acknowledged', () => {
  it('[ONCE] is in the log once, over any run of repetitions, cuts, returns and failures', async () => {
    const step = fc.constantFrom('say', 'say', 'repeat', 'repeat', 'cut', 'deaf', 'fail', 'turn', 'wait')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { history, faults } = brittleHistory()
        const stage = new Stage({ ...byName, history, roomRestartIntensity: 1_000 })
        const bob = await stage.member('main', { token: 'bob' })
        let ada = await stage.member('main', { token: 'ada' })
        const [claim, acks] = [claimOf(ada), new Map<unknown, unknown>()]
        let last = 0
        const note = (): void => {
          for (const { id, offset } of ada.of('ack')) {
            // Whatever is acknowledged twice is acknowledged with one place.
            expect(acks.get(id) ?? offset).toBe(offset)
            acks.set(id, offset)
          }
        }
        const comeBack = async (): Promise<void> => {
          note()
          ada.socket.cut()
          ada = await greet(stage, { token: 'ada', resume: claim })
          ada.send({ type: 'join', room: 'main' })
        }
        for (const what of steps) {
          if (what === 'say') ada.send(say(++last))
          else if (what === 'repeat' && last > 0) ada.send(say(last))
          else if (what === 'cut') await comeBack()
          // What it says arrives, what it is answered does not.
          else if (what === 'deaf') {
            ada.socket.pause()
            ada.send(say(++last))
            await stage.clock.settle()
            await comeBack()
          } else if (what === 'fail') faults.appends = 1
          else if (what === 'turn') await stage.clock.settle()
          else await stage.clock.advance(20_000)
        }
        faults.appends = 0
        for (let id = 1; id <= last; id++) if (!acks.has(id)) ada.send(say(id))
        await stage.clock.settle()
        note()
        const [page] = await ask(stage, bob, { type: 'history', room: 'main', limit: 300 })
        const logged = replayed(page).map(({ data, offset }) => [data, offset])
        expect(logged.toSorted()).toEqual([...acks].toSorted())
        expect(heard(bob).map(([offset, data]) => [data, offset])).toEqual(logged)
        await stage.close()
      }),
      { numRuns: 100 },
    )
  })

  it('[ONCE] is kept by a client library that gave its socket up and has its session back', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const { sockets, WebSocket } = clientSockets(stage)
    const client = stage.client({ token: 'ada', backoffMs: 1, WebSocket })
    const room = client.join('main')
    await stage.clock.advance(100)
    const { session } = client
    sockets[0]?.pause()
    const sent = room.send('hello')
    await stage.clock.settle()
    client.actor.send({ type: 'network.offline' })
    await stage.clock.settle()
    client.actor.send({ type: 'network.online' })
    await stage.clock.advance(100)
    expect(await sent).toMatchObject({ offset: 1 })
    expect(client.session).toBe(session)
    expect(heard(bob)).toEqual([[1, 'hello']])
    expect(bob.of('presence')).toHaveLength(1)
  })

  it('[ONCE] is what the client library does by itself', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const { sockets, WebSocket } = clientSockets(stage)
    const room = stage.client({ token: 'ada', backoffMs: 1, WebSocket }).join('main')
    await stage.clock.advance(100)
    // Three times it is taken, and the answer does not arrive.
    const sent = [1, 2, 3].map((data) => room.send(data))
    for (let i = 0; i < 3; i++) {
      sockets[i]?.pause()
      await stage.clock.settle()
      sockets[i]?.cut()
      await stage.clock.advance(100)
    }
    expect(sockets).toHaveLength(4)
    expect((await Promise.all(sent)).map(({ offset }) => offset)).toEqual([1, 2, 3])
    expect(heard(bob)).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ])
  })
})
