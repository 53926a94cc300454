import { once } from 'node:events'
import { describe, expect } from 'vitest'
import { AbuseStage } from './abuse-stage.ts'

/** The server looks once a second whose time is up. */
const [leastMs, mostMs] = [9_500, 12_500]

describe('somebody who keeps the server waiting', () => {
  const stage = new AbuseStage()

  const slowly = { rehearsals: 0 }

  stage.abuse(
    'handshake.trickle',
    async () => {
      const begun = performance.now()
      const attackers = await Promise.all(Array.from({ length: 50 }, () => stage.connect()))
      for (const attacker of attackers) attacker.bytes.write('GET /ws HTTP/1.1\r\nHost: ')
      const metronome = setInterval(() => attackers.forEach(({ bytes }) => bytes.write('x')), 100)
      await Promise.all(attackers.map((attacker) => attacker.ending()))
      clearInterval(metronome)
      const took = performance.now() - begun
      expect(took).toBeGreaterThan(leastMs)
      expect(took).toBeLessThan(mostMs)
    },
    slowly,
  )

  stage.abuse(
    'handshake.silent',
    async () => {
      const begun = performance.now()
      const silent = await Promise.all(Array.from({ length: 25 }, () => stage.connect()))
      const nameless = await Promise.all(Array.from({ length: 25 }, () => stage.connect()))
      for (const attacker of nameless) await attacker.knock({ headers: { 'sec-websocket-protocol': 'greenroom.v1' } })
      const endings = await Promise.all(nameless.map((attacker) => attacker.ending()))
      await Promise.all(silent.map((attacker) => attacker.ending()))
      expect(new Set(endings.map(({ code }) => code))).toEqual(new Set([4210]))
      const took = performance.now() - begun
      expect(took).toBeGreaterThan(leastMs)
      expect(took).toBeLessThan(mostMs)
    },
    slowly,
  )
})

describe('connections that have not been welcomed', () => {
  const limit = 20
  const stage = new AbuseStage({ unauthenticatedConnections: limit })

  stage.abuse('handshake.mute', async () => {
    const mute = await Promise.all(Array.from({ length: 3 * limit }, () => stage.connect()))
    // Whoever asks is let in all the same.
    const asking = await stage.enter()
    await asking.leave()
    const ended = mute.filter(({ bytes }) => bytes.ended)
    expect(ended.length).toBeGreaterThanOrEqual(2 * limit)
    for (const attacker of mute) attacker.cut()
    await Promise.all(mute.map(({ bytes }) => bytes.ended || once(bytes.tcp, 'close')))
  })

  stage.abuse('handshake.quota', async () => {
    const nameless = { headers: { 'sec-websocket-protocol': 'greenroom.v1' } }
    const attackers = await Promise.all(Array.from({ length: limit }, () => stage.connect()))
    for (const attacker of attackers) expect((await attacker.knock(nameless)).status).toBe(101)
    const refused = await stage.connect()
    const { status, headers } = await refused.knock(nameless)
    expect([status, Number(headers['retry-after']) > 0]).toEqual([503, true])
    // Who says who it is makes place for another.
    attackers[0]?.say({ type: 'hello', token: 'eve' })
    await attackers[0]?.heard('welcome')
    expect((await (await stage.connect()).knock(nameless)).status).toBe(101)
    const gone = attackers.slice(1)
    for (const attacker of gone) attacker.cut()
    await Promise.all(gone.map(({ bytes }) => bytes.ended || once(bytes.tcp, 'close')))
  })

  stage.abuse('handshake.reset', async () => {
    for (let i = 0; i < 10; i++) {
      const attacker = await stage.connect()
      await attacker.knock({ target: '/ws?token=slow' })
      attacker.say({ type: 'join', room: 'pit' })
      attacker.cut()
    }
  })
})
