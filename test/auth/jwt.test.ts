import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey } from 'jose'
import { afterAll, describe, expect, it } from 'vitest'
import { jwt, type JwtOptions } from '../../src/auth/index.ts'
import { ByteStage } from '../transports/raw/byte-stage.ts'
import { upgradeRequest } from '../transports/raw/raw-request.ts'

const secret = 'a secret that has more than 32 bytes in it'
const at = Date.UTC(2030, 0, 1)
const hour = 3_600

const request = { protocol: '', address: '127.0.0.1', url: '/ws', headers: {} }
const context = { signal: new AbortController().signal }

interface Claims {
  readonly key?: Uint8Array | CryptoKey
  readonly alg?: string
  readonly kid?: string
  readonly issuer?: string
  readonly audience?: string
  readonly subject?: string | undefined
  readonly expiresIn?: number
  readonly notBefore?: number
}

/** A token that is right but for what is said. */
function sign({ key = new TextEncoder().encode(secret), alg = 'HS256', kid, ...claims }: Claims = {}): Promise<string> {
  const { issuer = 'https://id.example.org', audience = 'chat', expiresIn = hour } = claims
  const subject = 'subject' in claims ? claims.subject : 'ada'
  const token = new SignJWT({})
    .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime(at / 1_000 + expiresIn)
    .setNotBefore(at / 1_000 + (claims.notBefore ?? -hour))
  if (subject !== undefined) token.setSubject(subject)
  return token.sign(key)
}

const expected = { issuer: 'https://id.example.org', audience: 'chat', now: () => at }
const check = async (token: string | undefined, options: Partial<JwtOptions> = {}) =>
  jwt({ secret, ...expected, ...options } as JwtOptions)({ token, request }, context)

const unsecured = (): string =>
  new UnsecuredJWT({ sub: 'ada' })
    .setIssuer('https://id.example.org')
    .setAudience('chat')
    .setExpirationTime(at / 1_000 + hour)
    .encode()

const wrong: readonly (readonly [string, () => Promise<string | undefined> | string | undefined])[] = [
  ['is missing', () => undefined],
  ['is none', () => 'nonsense'],
  ['is empty', () => ''],
  ['has expired', () => sign({ expiresIn: -1 })],
  ['does not hold yet', () => sign({ notBefore: 60 })],
  ['is wrongly signed', () => sign({ key: new TextEncoder().encode('another secret that is as long as this') })],
  ['is signed by no algorithm', () => unsecured()],
  ['is for another audience', () => sign({ audience: 'mail' })],
  ['is of another issuer', () => sign({ issuer: 'https://evil.net' })],
  ['says of nobody', () => sign({ subject: undefined })],
  ['has been cut', async () => (await sign()).slice(0, -4)],
]

describe('a token', () => {
  it('says who it is, and until when', async () => {
    expect(await check(await sign())).toEqual({ user: { id: 'ada' }, expiresAt: at + 3_600_000 })
    const user = ({ iss, sub }: { iss?: string; sub?: string }) => ({ id: `${iss} ${sub}` })
    expect(await check(await sign(), { user })).toMatchObject({ user: { id: 'https://id.example.org ada' } })
    expect(await check(await sign({ expiresIn: -1 }), { clockToleranceMs: 5_000 })).toMatchObject({
      expiresAt: at + 4_000,
    })
  })

  it.each(wrong)('that %s is refused, and nothing tells which', async (_, make) => {
    const token = await make()
    await expect(check(token)).rejects.toMatchObject({ code: 'not-authenticated' })
  })

  it('is found in a cookie where there is no other', async () => {
    const authenticate = jwt({ secret, ...expected, cookie: 'session' })
    const cookie = `a=b; session=${await sign()}; session=other`
    const withCookie = { ...request, headers: { cookie } }
    expect(await authenticate({ token: undefined, request: withCookie }, context)).toMatchObject({
      user: { id: 'ada' },
    })
    expect([authenticate.presents?.(withCookie), authenticate.presents?.(request)]).toEqual([true, false])
    await expect(authenticate({ token: 'x', request: withCookie }, context)).rejects.toThrow()
  })

  it('is not checked by options that make no sense', () => {
    const set = { keys: [] }
    expect(() => jwt({ secret: 'short' })).toThrow(RangeError)
    expect(() => jwt({})).toThrow(TypeError)
    expect(() => jwt({ secret, jwks: set, audience: 'chat' })).toThrow(TypeError)
    expect(() => jwt({ jwks: set })).toThrow('audience')
    expect(() => jwt({ secret, algorithms: ['RS256'] })).toThrow(RangeError)
    expect(() => jwt({ jwks: set, audience: 'chat', algorithms: ['HS256'] })).toThrow(RangeError)
    expect(() => jwt({ secret, algorithms: ['none'] })).toThrow(RangeError)
  })
})

describe('the keys of an issuer', () => {
  const servers: Server[] = []
  afterAll(() => servers.forEach((server) => server.close().closeAllConnections()))

  async function issuer(alg = 'ES256') {
    const { publicKey, privateKey } = await generateKeyPair(alg)
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg }
    return { set: { keys: [jwk] }, jwk, key: privateKey }
  }

  async function serve(respond: () => { status: number; body: unknown }): Promise<string> {
    const server = createServer((_, response) => {
      const { status, body } = respond()
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
    })
    servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  }

  it('are those that it serves, and another’s are not', async () => {
    const [ours, theirs] = [await issuer(), await issuer()]
    let asked = 0
    const jwks = await serve(() => ({ status: 200, body: (asked++, ours.set) }))
    const authenticate = jwt({ jwks, ...expected })
    const present = async (claims: Claims) => authenticate({ token: await sign(claims), request }, context)
    expect(await present({ key: ours.key, alg: 'ES256', kid: 'one' })).toMatchObject({ user: { id: 'ada' } })
    for (let i = 0; i < 5; i++) {
      await expect(present({ key: theirs.key, alg: 'ES256', kid: `guess-${i}` })).rejects.toMatchObject({
        code: 'not-authenticated',
      })
    }
    await expect(present({ key: theirs.key, alg: 'ES256', kid: 'one' })).rejects.toMatchObject({
      code: 'not-authenticated',
    })
    // Whoever names keys that there are not does not have them fetched each time.
    expect(asked).toBe(1)
  })

  it('do not serve as a secret: a token signed by what is public is refused', async () => {
    const { set, jwk } = await issuer()
    const token = await sign({ key: new TextEncoder().encode(JSON.stringify(jwk)), alg: 'HS256', kid: 'one' })
    await expect(jwt({ jwks: set, ...expected })({ token, request }, context)).rejects.toMatchObject({
      code: 'not-authenticated',
    })
  })

  it('that cannot be fetched are no fault of the client’s', async () => {
    const jwks = await serve(() => ({ status: 500, body: {} }))
    const { key } = await issuer()
    const token = await sign({ key, alg: 'ES256', kid: 'one' })
    await expect(jwt({ jwks, ...expected })({ token, request }, context)).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('a connection with a token', () => {
  const stage = new ByteStage({
    authenticate: jwt({ secret, ...expected, now: () => at }),
    guest: () => ({ id: 'bystander' }),
  })

  it.each(wrong.slice(1).filter(([name]) => name !== 'is empty'))(
    '[HELLO-5] that %s is closed with 4001, and the same reason',
    async (_, make) => {
      const client = await stage.connect()
      client.write(upgradeRequest({ headers: { authorization: `Bearer ${await make()}` } }))
      await client.until(() => client.closing !== undefined)
      expect(client.closing).toEqual({ code: 4001, reason: 'not-authenticated' })
    },
  )

  it('that is right is welcomed', async () => {
    const client = await stage.enter({ headers: { authorization: `Bearer ${await sign()}` } })
    expect(client.messages[0]).toMatchObject({ type: 'welcome', user: 'ada' })
  })
})
