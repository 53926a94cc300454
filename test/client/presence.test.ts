import { describe, expect, it } from 'vitest'
import { joined, ScriptedServer } from './scripted-server.ts'

/** A client in `main`, of which a `joined` says more, and what its subscriber is told: who is here, and how many. */
async function watched(more: object) {
  const server = new ScriptedServer()
  server.answer('join', (join, socket) => socket.say(joined(join, more)))
  const { presence } = server.client().join('main')
  const seen: unknown[] = []
  presence.subscribe((members) => seen.push([members.map(({ user }) => user), presence.count]))
  await server.clock.advance(100)
  expect(seen.shift()).toEqual([[], 0])
  return { server, presence, seen }
}

const change = (more: object) => ({ type: 'presence', room: 'main', ...more })

describe('who is in a room', () => {
  it('is told by name, and counted', async () => {
    const { server, presence, seen } = await watched({ members: [{ user: 'ada' }] })
    await server.say(
      change({ joined: [{ user: 'bob' }] }),
      change({ updated: [{ user: 'bob', state: 1 }] }),
      change({ left: ['ada'] }),
    )
    expect(seen).toEqual([
      [['ada'], 1],
      [['ada', 'bob'], 2],
      [['ada', 'bob'], 2],
      [['bob'], 1],
    ])
    expect(presence.get()).toEqual([{ user: 'bob', state: 1 }])
  })

  it('[COUNT-1] is only counted in a room that does not say who', async () => {
    const { server, presence, seen } = await watched({ count: 5_000 })
    await server.say(change({ count: 5_001 }), change({ count: 4_990 }))
    expect(seen).toEqual([
      [[], 5_000],
      [[], 5_001],
      [[], 4_990],
    ])
    expect(presence.get()).toEqual([])
  })

  it('is told anew when the connection comes back, in whichever way', async () => {
    const { server, presence, seen } = await watched({ count: 5_000 })
    server.answer('join', (join, socket) => socket.say(joined(join, { members: [{ user: 'ada' }] })))
    server.socket.end()
    await server.clock.advance(1_000)
    expect(seen.at(-1)).toEqual([['ada'], 1])
    server.answer('join', (join, socket) => socket.say(joined(join, { count: 7 })))
    server.socket.end()
    await server.clock.advance(2_000)
    expect(seen.at(-1)).toEqual([[], 7])
    expect(presence.count).toBe(7)
  })
})
