import { describe, expect } from 'vitest'
import { AbuseStage } from './abuse-stage.ts'

const own = 'https://example.org'

describe('an upgrade request', () => {
  const stage = new AbuseStage({ origins: [own] })

  stage.abuse('origin.foreign', async () => {
    for (const origin of [
      undefined,
      'null',
      'https://evil.net',
      `${own}.evil.net`,
      `${own}:444`,
      'http://example.org',
    ]) {
      const attacker = await stage.connect()
      expect((await attacker.knock({ headers: { origin } })).status).toBe(403)
      expect(await attacker.ending()).toEqual({ code: 1006, reason: '' })
    }
  })

  stage.abuse('handshake.broken', async () => {
    const requests = [
      { target: '/elsewhere' },
      { target: '/ws/' },
      { headers: { 'sec-websocket-version': '8' } },
      { headers: { 'sec-websocket-key': undefined } },
      { headers: { 'sec-websocket-key': 'short' } },
      { headers: { host: undefined } },
    ]
    for (const { headers, ...request } of requests) {
      const attacker = await stage.connect()
      const { status } = await attacker.knock({ ...request, headers: { origin: own, ...headers } })
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
      await attacker.ending()
    }
  })

  stage.abuse('handshake.headers', async () => {
    const many = Object.fromEntries(Array.from({ length: 4_000 }, (_, i) => [`h${i.toString(36)}`, '']))
    for (const headers of [many, { cookie: 'x'.repeat(17_000) }]) {
      const attacker = await stage.connect()
      const begun = performance.now()
      expect([101, 431]).toContain((await attacker.knock({ headers: { origin: own, ...headers } })).status)
      expect(performance.now() - begun).toBeLessThan(250)
      attacker.cut()
    }
  })
})

describe('upgrades', () => {
  // The bystanders are the first four.
  const stage = new AbuseStage({ upgradesPerSecond: 5, upgradeBurst: 5 })

  stage.abuse('handshake.rate', async () => {
    for (;;) {
      const attacker = await stage.connect()
      const { status, headers } = await attacker.knock()
      if (status === 101) {
        attacker.cut()
        continue
      }
      expect([status, Number(headers['retry-after']) > 0]).toEqual([503, true])
      return
    }
  })
})

describe('an address', () => {
  const limit = 20
  const stage = new AbuseStage({ connectionsPerAddress: limit + 4, trustedProxies: ['127.0.0.2'] })

  stage.abuse('handshake.proxy', async () => {
    const forwarded = (i: number): { headers: Record<string, string> } => ({
      headers: { 'x-forwarded-for': `10.0.0.${i}` },
    })
    for (let i = 0; i < limit; i++) await stage.enter(forwarded(i))
    const attacker = await stage.connect()
    expect((await attacker.knock(forwarded(limit))).status).toBe(429)
  })
})
