import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'
import { ask, greet, serverEnds } from './cast.ts'

describe('ping', () => {
  it('[PING-1] is answered by pong', async () => {
    const stage = new Stage()
    const ada = await stage.connect()
    expect(await ask(stage, ada, { type: 'ping' }, { type: 'ping', id: 1 })).toEqual([
      { type: 'pong' },
      { type: 'pong', id: 1 },
    ])
  })
})

describe('heartbeat', () => {
  it('[HEARTBEAT-1] keeps a connection that answers, however long it says nothing', async () => {
    const stage = new Stage()
    const ada = await greet(stage)
    await stage.clock.advance(1_000_000)
    expect(ada.closed).toEqual([])
    expect(ada.received).toHaveLength(1)
  })

  it('[HEARTBEAT-1] closes with 4201 when two pings in a row are not answered', async () => {
    const stage = new Stage()
    const ends = serverEnds(stage)
    const ada = await stage.connect()
    const [end] = ends
    let pings = 0
    const { ping } = end?.socket ?? {}
    if (end !== undefined) {
      end.socket.ping = () => {
        pings++
        ping?.call(end.socket)
      }
    }
    ada.socket.pause()
    await stage.clock.advance(25_000)
    expect(pings).toBe(1)
    await stage.clock.advance(5_000)
    expect(pings).toBe(2)
    await stage.clock.advance(4_999)
    expect(end?.closeFrames).toEqual([])
    await stage.clock.advance(1)
    expect(end?.closeFrames).toEqual([4201])
    ada.socket.resume()
    await stage.clock.settle()
    expect(ada.closed).toEqual([{ code: 4201, reason: 'heartbeat-lost' }])
  })

  it('[HEARTBEAT-1] takes any frame for an answer, also one that cannot be understood', async () => {
    const stage = new Stage()
    const ends = serverEnds(stage)
    const ada = await stage.connect()
    // Nothing comes through to it, not even pings; what it sends does.
    ada.socket.pause()
    for (let i = 0; i < 40; i++) {
      await stage.clock.advance(4_500)
      ada.send('what?')
    }
    expect(ends[0]?.closeFrames).toEqual([])
    await stage.clock.advance(40_000)
    expect(ends[0]?.closeFrames).toEqual([4201])
  })

  it('[HEARTBEAT-1] has the times that welcome says', async () => {
    const stage = new Stage({ heartbeatMs: 1_000, heartbeatTimeoutMs: 200 })
    const ada = await stage.connect()
    expect(ada.last('welcome')['heartbeat']).toEqual({ intervalMs: 1_000, timeoutMs: 200 })
    ada.socket.cut({ halfOpen: true })
    await stage.clock.advance(1_200)
    expect(stage.runtime.census.connections).toBe(1)
    await stage.clock.advance(5_000)
    expect(stage.runtime.census.connections).toBe(0)
    expect(stage.telemetry.at(-1)).toMatchObject({ type: 'connection.closed', reason: 'heartbeat-lost' })
  })
})
