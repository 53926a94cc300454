import { Buffer } from 'node:buffer'
import { describe, expect } from 'vitest'
import { text } from '../transports/raw/raw-frame.ts'
import { AbuseStage } from './abuse-stage.ts'
import type { Message } from './attacker.ts'

describe('rates', () => {
  const stage = new AbuseStage({ messageBurst: 100, connectionsPerUser: 10, connectionsPerAddress: 30 })

  stage.abuse('rate.message', async () => {
    const token = stage.user()
    const attacker = await stage.enter({ token })
    // All that may be said at once, what is refused and forgiven, and a little that accrues meanwhile.
    const flood = Buffer.concat(Array.from({ length: 50 }, (_, i) => text(JSON.stringify({ type: 'ping', id: i }))))
    while (attacker.bytes.closing === undefined && !attacker.bytes.ended) {
      await attacker.bytes.trickle(flood, (_, left) => left)
    }
    const refused = attacker.bytes.messages.filter(({ type }) => type === 'error')
    expect(refused.length).toBeGreaterThanOrEqual(100)
    for (const error of refused) {
      expect(error).toMatchObject({ code: 'rate-limited' })
      expect(error['retryAfterMs']).toBeGreaterThan(0)
    }
    expect(await attacker.ending()).toEqual({ code: 4229, reason: 'rate-limited' })
    // Who comes back has not been forgiven.
    const back = await stage.enter({ token })
    for (let i = 0; i < 90; i++) back.say({ type: 'ping' })
    await back.bytes.until(() => back.bytes.closing !== undefined || back.bytes.messages.length > 90)
    expect(back.bytes.messages.filter(({ type }) => type === 'pong').length).toBeLessThan(60)
  })

  stage.abuse('presence.often', async () => {
    const room = stage.room()
    const [watcher, attacker] = [await stage.enter({ token: stage.user() }), await stage.enter({ token: stage.user() })]
    for (const each of [watcher, attacker]) await each.ask({ type: 'join', room })
    const states = Array.from({ length: 150 }, (_, state) => state)
    attacker.bytes.write(
      Buffer.concat(states.map((state) => text(JSON.stringify({ type: 'presence', room, state, id: state })))),
    )
    const answers = (): Message[] => attacker.bytes.messages.filter(({ id }) => typeof id === 'number')
    await attacker.bytes.until(() => answers().length === states.length)
    const refused = answers().filter(({ type }) => type === 'error')
    expect(refused.length).toBeGreaterThan(40)
    for (const error of refused) expect(error).toMatchObject({ code: 'rate-limited' })
    const taken = answers().filter(({ type }) => type === 'ack')
    const last = taken.at(-1)?.id
    const shown = (): unknown[] => watcher.bytes.messages.flatMap(({ updated }) => updated ?? [])
    await watcher.bytes.until(() => (shown().at(-1) as { state?: unknown } | undefined)?.state === last)
    expect(shown()).toHaveLength(taken.length)
    for (const each of [watcher, attacker]) await each.leave()
  })

  stage.abuse(
    'rate.connections',
    async () => {
      for (let i = 0; i < 10; i++) await stage.enter({ token: 'eve' })
      const tooMany = await stage.connect()
      await tooMany.knock({ headers: { authorization: 'Bearer eve' } })
      expect((await tooMany.ending()).code).toBe(4213)
      for (let i = 0; i < 16; i++) await stage.enter({ token: `eve ${i}` })
      const { status, headers } = await (await stage.connect()).knock()
      expect([status, Number(headers['retry-after']) > 0]).toEqual([429, true])
    },
    { beats: 8, withinMs: 20 },
  )
})
