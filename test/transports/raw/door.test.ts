import { describe, expect, it } from 'vitest'
import type { RuntimeOptions } from '../../../src/index.ts'
import { ByteStage } from './byte-stage.ts'
import { text } from './raw-frame.ts'
import { upgradeRequest } from './raw-request.ts'

const knock = async (stage: ByteStage, headers: Record<string, string | undefined>) => {
  const client = await stage.connect()
  client.write(upgradeRequest({ headers }))
  return client.answered()
}

/** Limits of one thing; the bystander of the stage is the first that is counted. */
const stageWith = (options: RuntimeOptions): ByteStage => new ByteStage({ upgradeBurst: 1_000, ...options })

describe('an origin', () => {
  const listed = stageWith({ origins: ['https://example.org', 'http://localhost:3000', 'missing'] })

  it.each(['https://example.org', 'http://localhost:3000', undefined])(
    '[UPGRADE-7] that is listed may connect: %s',
    async (origin) => {
      expect(await knock(listed, { origin })).toMatchObject({ status: 101 })
    },
  )

  it.each([
    'https://example.org.evil.net',
    'https://evil-example.org',
    'https://evil.example.org',
    'http://example.org',
    'https://example.org:444',
    'https://example.org/',
    'HTTPS://EXAMPLE.ORG',
    'https://example.org, https://example.org',
    'null',
    'missing',
    'http://localhost:30000',
    'https://example.org@evil.net',
    '',
  ])('[UPGRADE-7] that looks like it, or is none, is refused with 403 before the upgrade: %s', async (origin) => {
    expect(await knock(listed, { origin })).toMatchObject({ status: 403 })
  })
})

describe('an origin, where none is listed,', () => {
  const stage = stageWith({})

  it.each([
    ['http://127.0.0.1', '127.0.0.1'],
    ['https://example.org', 'example.org'],
    ['https://example.org', 'EXAMPLE.ORG:443'],
    ['http://example.org:8080', 'example.org:8080'],
    [undefined, 'example.org'],
  ])('[UPGRADE-7] is taken when it is of the host that the request is for: %s at %s', async (origin, host) => {
    expect(await knock(stage, { origin, host })).toMatchObject({ status: 101 })
  })

  it.each([
    ['https://evil.net', 'example.org'],
    ['https://example.org:444', 'example.org'],
    ['https://example.org', 'example.org.'],
    ['http://example.org', 'example.org:443'],
    ['null', 'null'],
    ['https://example.org@evil.net', 'evil.net'],
    ['//example.org', 'example.org'],
    ['https://example.org', '/'],
  ])('[UPGRADE-7] is refused otherwise: %s at %s', async (origin, host) => {
    expect((await knock(stage, { origin, host })).status).toBe(403)
  })
})

describe('the connections of an address', () => {
  const stage = stageWith({ connectionsPerAddress: 3 })

  it('[UPGRADE-8] are counted: one more gets 429, and is let in when another has gone', async () => {
    const [first] = [await stage.enter(), await stage.enter()]
    const { status, headers } = await knock(stage, {})
    expect(status).toBe(429)
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    first?.tcp.destroy()
    if (first !== undefined) await stage.told(first)
    await stage.enter()
  })

  it('[UPGRADE-8] cannot be made to seem another’s by X-Forwarded-For', async () => {
    await stage.enter({ headers: { 'x-forwarded-for': '10.0.0.1' } })
    await stage.enter({ headers: { 'x-forwarded-for': '10.0.0.2' } })
    expect(await knock(stage, { 'x-forwarded-for': '10.0.0.3' })).toMatchObject({ status: 429 })
  })
})

describe('the connections behind a proxy that is trusted', () => {
  const stage = stageWith({ connectionsPerAddress: 1, trustedProxies: ['127.0.0.0/8'] })

  it('[UPGRADE-8] are counted by the address that the proxy saw, whatever its client wrote before', async () => {
    await stage.enter({ headers: { 'x-forwarded-for': '10.0.0.1' } })
    await stage.enter({ headers: { 'x-forwarded-for': '10.0.0.1, 10.0.0.2' } })
    expect(await knock(stage, { 'x-forwarded-for': '10.0.0.9, 10.0.0.1' })).toMatchObject({ status: 429 })
    expect(await knock(stage, { 'x-forwarded-for': '10.0.0.9,10.0.0.2,127.0.0.7' })).toMatchObject({ status: 429 })
  })
})

describe('connections that have not been welcomed', () => {
  const stage = stageWith({
    unauthenticatedConnections: 2,
    authenticate: ({ token = 'x' }) => ({ id: token }),
    guest: () => ({ id: 'guest' }),
  })

  it('[UPGRADE-8] are fewer: one more gets 503; those who are welcomed, or gone, count no more', async () => {
    const v1 = { 'sec-websocket-protocol': 'greenroom.v1' }
    const silent = await Promise.all([1, 2].map(() => stage.connect()))
    for (const client of silent) client.write(upgradeRequest({ headers: v1 }))
    for (const client of silent) expect(await client.answered()).toMatchObject({ status: 101 })
    const { status, headers } = await knock(stage, {})
    expect([status, Number(headers['retry-after']) > 0]).toEqual([503, true])
    silent[0]?.write(text('{"type":"hello","token":"ada"}'))
    await silent[0]?.until(() => silent[0]?.messages.length === 1)
    expect(await knock(stage, v1)).toMatchObject({ status: 101 })
  })
})

describe('connections in all', () => {
  const stage = stageWith({ connectionsTotal: 2 })

  it('[UPGRADE-8] are counted: one more gets 503, and those that are here go on', async () => {
    await stage.enter()
    expect(await knock(stage, {})).toMatchObject({ status: 503 })
  })

  it('[UPGRADE-8] count nobody who has reset before the upgrade was done', async () => {
    for (let i = 0; i < 20; i++) {
      const client = await stage.connect()
      client.write(upgradeRequest({}))
      client.tcp.resetAndDestroy()
    }
    const entered = await stage.enter()
    expect(await knock(stage, {})).toMatchObject({ status: 503 })
    entered.tcp.destroy()
    await stage.told(entered)
  })
})

describe('upgrades', () => {
  const stage = new ByteStage({ upgradesPerSecond: 0.001, upgradeBurst: 3 })

  it('[UPGRADE-8] that come faster than allowed get 503, and when to come back', async () => {
    await stage.enter()
    await stage.enter()
    const { status, headers } = await knock(stage, {})
    expect([status, Number(headers['retry-after']) > 0]).toEqual([503, true])
  })
})
