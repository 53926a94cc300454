import { once } from 'node:events'
import { setTimeout as passing } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Attacker, type Entrance } from './attacker.ts'
import { sentenceOf } from './lines.ts'
import { AbusedServer, type ServerOptions } from './server.ts'

async function start(options: ServerOptions = {}) {
  const server = await AbusedServer.start(options)
  const attackers: Attacker[] = []
  onTestFinished(() => {
    for (const attacker of attackers) attacker.cut()
    server.kill()
  })
  const enter = async (entrance: Entrance): Promise<Attacker> => {
    const attacker = await Attacker.connect(server.port, entrance)
    attackers.push(attacker)
    await attacker.enter(entrance)
    await attacker.ask({ type: 'join', room: 'main' })
    return attacker
  }
  return { server, enter }
}

describe('a server’s process', () => {
  it(`[GOODBYE-1] ${sentenceOf('drain.signal')}`, async () => {
    const { server, enter } = await start({ drainMs: 1_000, goodbyeGraceMs: 200 })
    const clients = await Promise.all(Array.from({ length: 50 }, (_, i) => enter({ token: `user ${i}` })))
    const exited = once(server.process, 'exit')
    server.process.kill('SIGTERM')
    for (const client of clients) {
      const { reconnectAfter } = await client.heard('goodbye')
      expect(reconnectAfter).toBeGreaterThanOrEqual(0)
      expect(await client.ending()).toEqual({ code: 1012, reason: 'server-closing' })
    }
    expect(await exited).toEqual([0, null])
  })

  // A minute, a heartbeat of 25 s, a grace of 15 s and a window of 120 s: all twenty times shorter.
  it(`[PRESENCE] [TYPING] ${sentenceOf('process.stopped')}`, async () => {
    const times = { heartbeatMs: 1_250, heartbeatTimeoutMs: 500, presenceGraceMs: 750, resumeWindowMs: 6_000 }
    const { server, enter } = await start({ ...times, typingMs: 150, roomLingerMs: 1_000 })
    const [ada, bob] = [
      await enter({ token: 'ada', answersPings: true }),
      await enter({ token: 'bob', answersPings: true }),
    ]
    const eve = await enter({ token: 'eve' })
    eve.say({ type: 'typing', room: 'main', typing: true })
    await ada.heard('typing')
    server.process.kill('SIGSTOP')
    eve.cut()
    ada.say({ type: 'message', room: 'main', data: 'while it was stopped', id: 1 })
    await passing(3_000)
    server.process.kill('SIGCONT')
    const begun = performance.now()
    expect(await bob.heard('message')).toMatchObject({ data: 'while it was stopped', offset: 1 })
    const typing = await ada.heardAll('typing', 2)
    expect(typing.map((message) => message['typing'])).toEqual([true, false])
    // Those who are here are not taken for gone, and who is gone is shown as gone after the grace.
    await ada.bytes.until(() => ada.bytes.messages.some(({ left }) => Array.isArray(left) && left[0] === 'eve'))
    expect(performance.now() - begun).toBeLessThan(times.presenceGraceMs + 1_000)
    const { members } = await bob.ask({ type: 'join', room: 'main' })
    expect(members).toEqual([{ user: 'ada' }, { user: 'bob' }])
    const rest = { census: { connections: 2, sessions: 2, rooms: 1 }, timers: Infinity, sockets: 3 }
    const { census, faults } = await server.rest(rest, 10_000)
    expect([census, faults, server.complaint]).toEqual([rest.census, [], ''])
    expect(await ada.ask({ type: 'message', room: 'main', data: 'still here' })).toMatchObject({ offset: 2 })
  })
})
