import { SignJWT } from 'jose'
import { beforeAll, describe, expect } from 'vitest'
import { AbuseStage } from './abuse-stage.ts'

const secret = 'a secret of thirty-two bytes, or more'
const issuer = 'https://id.example'
const signed = (user: string, audience = 'here', expires: string | number = '1h', key = secret): Promise<string> =>
  new SignJWT({ sub: user })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(key))

const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url')
const unsigned = (user: string): string =>
  `${part({ alg: 'none' })}.${part({ sub: user, aud: 'here', iss: issuer, exp: 4_102_444_800 })}.`

const tokens = await Promise.all(['ada', 'bob', 'cy', 'dee'].map((user) => signed(user)))

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

describe('tokens', () => {
  const stage = new AbuseStage({ jwtSecret: secret }, tokens)
  const forged: Record<string, string> = {}
  const took: Record<string, number[]> = {}

  beforeAll(async () => {
    forged['expired'] = await signed('eve', 'here', 1_000_000_000)
    forged['signed by somebody else'] = await signed('eve', 'here', '1h', `${secret}!`)
    forged['for somebody else'] = await signed('eve', 'there')
    forged['not signed'] = unsigned('eve')
  })

  /** Presents a token, and says how long it took to be refused (ms). */
  async function refusal(token: string): Promise<number> {
    const attacker = await stage.connect()
    await attacker.knock({ headers: { 'sec-websocket-protocol': 'greenroom.v1' } })
    const begun = performance.now()
    attacker.say({ type: 'hello', token })
    await attacker.bytes.until(() => attacker.bytes.closing !== undefined)
    const ms = performance.now() - begun
    expect(await attacker.ending()).toEqual({ code: 4001, reason: 'not-authenticated' })
    expect(attacker.bytes.messages).toEqual([])
    return ms
  }

  stage.abuse('identity.forged', async () => {
    for (const [kind, token] of Object.entries(forged)) (took[kind] ??= []).push(await refusal(token))
    if ((took['expired']?.length ?? 0) < 40) return
    // They take turns, so whatever else the machine does meets all alike.
    const medians = Object.entries(took).map(([kind, ms]) => [kind, median(ms.slice(10))] as const)
    stage.notes = medians.map(([kind, ms]) => `refused within ${ms.toFixed(2)} ms: ${kind}`)
    const values = medians.map(([, ms]) => ms)
    expect(Math.max(...values) - Math.min(...values), 'the difference of their medians (ms)').toBeLessThan(1)
  })

  stage.abuse('identity.other', async () => {
    const attacker = await stage.enter({ token: await signed('eve') })
    for (const token of [tokens[0], unsigned('eve'), 'nonsense', await signed('eve', 'there')]) {
      expect(await attacker.ask({ type: 'auth', token })).toMatchObject({ type: 'error', code: 'not-authenticated' })
    }
    const room = stage.room()
    await attacker.ask({ type: 'join', room })
    await attacker.ask({ type: 'message', room, data: 0 })
    expect(await attacker.heard('message')).toMatchObject({ from: { user: 'eve' } })
    await attacker.leave()
  })
})

describe('credentials', () => {
  const stage = new AbuseStage({ renewalGraceMs: 200 })

  stage.abuse('identity.log', async () => {
    // A user's name is told, and what else is in a token is not.
    const rest = '!and-more'
    await stage.server.hide(rest)
    for (const name of ['eve', 'bad']) {
      const attacker = await stage.connect()
      await attacker.knock({ target: `/ws?token=${name}${rest}` })
      if (name === 'eve') await attacker.heard('welcome')
      attacker.bytes.write(Buffer.from([0xff, 0xff]))
      await attacker.ending()
    }
    expect(await stage.server.hide(rest)).toBe(false)
  })

  stage.abuse('identity.expired', async () => {
    const room = stage.room()
    const [attacker, watcher] = [await stage.enter({ token: 'eve@100' }), await stage.enter()]
    for (const each of [attacker, watcher]) await each.ask({ type: 'join', room })
    expect(await attacker.ask({ type: 'auth', token: 'eve@50' })).toMatchObject({ type: 'authenticated' })
    await attacker.bytes.until(() => attacker.bytes.closing !== undefined)
    attacker.say({ type: 'message', room, data: 'too late' })
    expect(await attacker.ending()).toEqual({ code: 4101, reason: 'token-expired' })
    expect(await watcher.ask({ type: 'history', room })).toMatchObject({ messages: [] })
    await watcher.leave()
  })

  stage.abuse('identity.early', async () => {
    const polite = { headers: { 'sec-websocket-protocol': 'greenroom.v1' } }
    const room = stage.room()
    const early = await stage.connect()
    await early.knock(polite)
    early.say({ type: 'join', room })
    for (let i = 1; i < 16; i++) early.say({ type: 'message', room, data: i, id: i })
    early.say({ type: 'hello', token: stage.user() })
    const acks = await early.heardAll('ack', 15)
    expect(acks.map(({ id, offset }) => [id, offset])).toEqual(Array.from({ length: 15 }, (_, i) => [i + 1, i + 1]))

    const tooMuch = await stage.connect()
    await tooMuch.knock(polite)
    for (let i = 0; i < 17; i++) tooMuch.say({ type: 'ping' })
    expect((await tooMuch.ending()).code).toBe(4213)

    const tooLarge = await stage.connect()
    await tooLarge.knock(polite)
    for (let i = 0; i < 2; i++) tooLarge.say({ type: 'message', room, data: 'x'.repeat(40_000) })
    expect((await tooLarge.ending()).code).toBe(4213)

    const refused = await stage.connect()
    await refused.knock(polite)
    refused.say({ type: 'join', room })
    refused.say({ type: 'message', room, data: 'dropped' })
    refused.say({ type: 'hello', token: 'bad' })
    expect((await refused.ending()).code).toBe(4001)
    expect((await early.ask({ type: 'history', room, limit: 1 }))['messages']).toMatchObject([{ data: 15 }])
    await early.leave()
  })

  stage.abuse('identity.secret', async () => {
    const token = stage.user()
    const victim = await stage.enter({ token })
    const { session, secret } = victim.welcome as unknown as { session: string; secret: string }
    for (const guess of [
      { session, secret: `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}` },
      { session, secret: '' },
      { session, secret: 'x'.repeat(20_000) },
      { session: '__proto__', secret },
      { session: session.toUpperCase(), secret },
    ]) {
      const attacker = await stage.enter({ token, resume: guess })
      expect(attacker.welcome).toMatchObject({ resumed: false })
      expect(attacker.welcome['session']).not.toBe(session)
      await attacker.leave()
    }
    const other = await stage.enter({ token: 'mallory', resume: { session, secret } })
    expect(other.welcome).toMatchObject({ resumed: false })
    await other.leave()

    // Nor may one connection go on guessing.
    const insistent = await stage.enter({ token })
    for (let i = 0; i < 10; i++) insistent.say({ type: 'hello', resume: { session, secret: `guess ${i}` } })
    expect((await insistent.ending()).code).toBe(4213)
    expect(await victim.ask({ type: 'ping' })).toMatchObject({ type: 'pong' })
    await victim.leave()
  })
})
