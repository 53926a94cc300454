import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'
import { ask, byName, claimOf, clientSockets, greet } from './cast.ts'

/**
 * What fails elsewhere, each with where it was seen; see docs of recovery in Socket.IO 4.8, run on loopback. What
 * stands in the titles after the colon is what others do.
 */

const say = (data: unknown, more: object = {}): object => ({ type: 'message', room: 'main', data, ...more })

/** A client library whose network can be cut, in a room with somebody who speaks by hand. */
async function scene() {
  const stage = new Stage(byName)
  const { sockets, WebSocket } = clientSockets(stage)
  const client = stage.client({ token: 'ada', WebSocket, backoffMs: 1 })
  const room = client.join('main')
  const heard: unknown[] = []
  const recoveries: boolean[] = []
  const gaps: unknown[] = []
  room.on('message', ({ data }) => void heard.push(data))
  room.on('joined', ({ recovered }) => void recoveries.push(recovered))
  room.on('gap', (gap) => void gaps.push(gap))
  await stage.clock.advance(100)
  const bob = await stage.member('main', { token: 'bob' })
  const back = async (): Promise<void> => {
    await stage.clock.advance(1_000)
    expect(client.status).toBe('open')
    expect(room.heals).toBe(0)
    expect(gaps).toEqual([])
  }
  return { stage, client, room, bob, heard, recoveries, back, cut: () => sockets.at(-1)?.cut() }
}

describe('what fails elsewhere', () => {
  // socketio/socket.io #5538
  it('[GAPLESS] recovers a client that had heard nothing before the cut: elsewhere it is not recovered', async () => {
    const { stage, bob, heard, recoveries, back, cut } = await scene()
    cut()
    await ask(stage, bob, say('first of all'))
    await back()
    expect(recoveries).toEqual([false, true])
    expect(heard).toEqual(['first of all'])
  })

  // socketio/socket.io #4888: the last text of a volatile event is taken for the place where the client stands.
  it('[GAPLESS] [VOLATILE-1] recovers after volatile messages: elsewhere what was missed is lost', async () => {
    const { stage, bob, heard, recoveries, back, cut } = await scene()
    await ask(stage, bob, say('one'), say('a cursor', { volatile: true }))
    cut()
    await ask(stage, bob, say('another cursor', { volatile: true }), say('two'))
    await back()
    expect(recoveries).toEqual([false, true])
    expect(heard).toEqual(['one', 'a cursor', 'two'])
  })

  // socketio/socket.io #4880
  it('[GAPLESS] recovers messages whose sender asked for a reply: elsewhere they are missing though all is well', async () => {
    const { stage, bob, heard, recoveries, back, cut } = await scene()
    await ask(stage, bob, say('one', { id: 1 }))
    cut()
    expect(await ask(stage, bob, say('two', { id: 2 }))).toContainEqual(expect.objectContaining({ type: 'ack', id: 2 }))
    await back()
    expect(recoveries).toEqual([false, true])
    expect(heard).toEqual(['one', 'two'])
  })

  it('[CALL-4] answers a request once that was cut off from its answer', async () => {
    let calls = 0
    const stage = new Stage({ ...byName, handlers: { count: () => ++calls } })
    const { sockets, WebSocket } = clientSockets(stage)
    const client = stage.client({ token: 'ada', WebSocket, backoffMs: 1 })
    await stage.clock.advance(100)
    const socket = sockets[0]
    // The request still leaves; its answer does not arrive.
    socket?.pause()
    const answer = client.request('count')
    await stage.clock.settle()
    expect(calls).toBe(1)
    socket?.cut()
    await stage.clock.advance(1_000)
    expect(await answer).toBe(1)
    expect(calls).toBe(1)
  })

  it('[CALL-5] tells the server of each of its requests what became of it, also when the client goes', async () => {
    const outcomes: unknown[] = []
    const { stage, client, cut } = await scene()
    client.handle('hold', () => new Promise(() => {}))
    const [connection] = stage.runtime.connections.filter(({ user }) => user.id === 'ada')
    connection?.request('hold').catch((error: { code: string }) => outcomes.push(error.code))
    await stage.clock.settle()
    cut()
    await stage.clock.advance(1_000)
    expect(outcomes).toEqual(['closed'])
  })

  it('[FENCE] gives a session to one connection however often its secret is shown: elsewhere it restores twice', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await stage.member('main', { token: 'ada' })
    const claim = claimOf(ada)
    ada.socket.cut({ halfOpen: true })
    const [first, second] = [
      await greet(stage, { token: 'ada', resume: claim }),
      await greet(stage, { token: 'ada', resume: claim }),
    ]
    expect([first, second].map((client) => client.last('welcome')['resumed'])).toEqual([true, true])
    expect(first.closed).toEqual([{ code: 4009, reason: 'replaced' }])
    await ask(stage, bob, say('to one of you'))
    expect([first, second].map((client) => client.of('message').length)).toEqual([0, 1])
    expect(bob.of('presence').at(-1)).toMatchObject({ joined: [{ user: 'ada' }] })
  })

  // reverb #213, soketi #19
  it('[PRESENCE] lets a user with three tabs join once and leave once: elsewhere each tab does', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const tabs = [
      await stage.member('main', { token: 'ada' }),
      await stage.member('main', { token: 'ada' }),
      await stage.member('main', { token: 'ada' }),
    ]
    expect(bob.of('presence')).toMatchObject([{ joined: [{ user: 'ada' }] }])
    for (const { socket } of tabs) socket.close(1000)
    await stage.clock.settle()
    expect(bob.of('presence')).toMatchObject([{ joined: [{ user: 'ada' }] }, { left: ['ada'] }])
    expect(bob.of('presence')).toHaveLength(2)
  })

  // klangk #246
  it('[PRESENCE] shows nothing of a reconnect inside the grace: elsewhere presence flickers', async () => {
    const { bob, back, cut } = await scene()
    const before = bob.of('presence').length
    for (let i = 0; i < 3; i++) {
      cut()
      await back()
    }
    expect(bob.of('presence')).toHaveLength(before)
  })

  // python-socketio #284
  it('[CALL-2] answers in order however long each answer takes: elsewhere handlers run at once', async () => {
    const done: ((value: unknown) => void)[] = []
    const handlers = { slow: () => new Promise((resolve) => void done.push(resolve)), quick: () => 'quick' }
    const stage = new Stage({ ...byName, handlers })
    const ada = await stage.connect({ token: 'ada' })
    expect(await ask(stage, ada, { type: 'slow', id: 1 }, { type: 'quick', id: 2 })).toEqual([])
    done[0]?.('slow')
    await stage.clock.settle()
    expect(ada.of('reply')).toMatchObject([
      { id: 1, data: 'slow' },
      { id: 2, data: 'quick' },
    ])
  })
})
