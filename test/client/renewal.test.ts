import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Client, ClientError } from '../../src/client/index.ts'
import type { TestClientOptions } from '../../src/testing/index.ts'
import { Stage } from '../stage.ts'
import { ScriptedServer } from './scripted-server.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** A server that knows users by their names, each time for so long, and the tokens that it was shown. */
class Door extends Stage {
  readonly shown: (string | undefined)[] = []
  lifeMs: number
  /** How long a check takes. */
  checkMs = 0

  constructor(lifeMs: number, seed = 1) {
    super(
      {
        authenticate: async ({ token = '' }) => {
          this.shown.push(token)
          await elapsed(this, this.checkMs)
          if (token.startsWith('bad')) throw new Error('Who is this?')
          const user = { id: token }
          return this.lifeMs === Infinity ? { user } : { user, expiresAt: this.clock.now() + this.lifeMs }
        },
      },
      seed,
    )
    this.lifeMs = lifeMs
  }

  /** Why connections have ended. */
  get endings(): string[] {
    return this.telemetry.flatMap((event) => (event.type === 'connection.closed' ? [event.reason] : []))
  }
}

const elapsed = ({ clock }: Stage, ms: number): Promise<void> | undefined =>
  ms === 0 ? undefined : new Promise((resolve) => void clock.setTimeout(resolve, ms))

interface Visit {
  readonly client: Client
  readonly errors: ClientError[]
  /** What has asked for a token, and when (ms from the start). */
  readonly asked: number[]
}

type Token = (count: number) => string | Promise<string>

async function visit(door: Door, token: Token = () => 'ada', options: TestClientOptions = {}): Promise<Visit> {
  const [asked, errors, startMs]: [number[], ClientError[], number] = [[], [], door.clock.now()]
  const client = door.client({
    token: () => {
      asked.push(door.clock.now() - startMs)
      return token(asked.length)
    },
    ...options,
  })
  client.on('error', (error) => errors.push(error))
  await door.clock.settle()
  return { client, errors, asked }
}

const identityOf = ({ actor }: Client): unknown =>
  (actor.getSnapshot().value as { open?: { identity: string } }).open?.identity

/** Lets time pass until the client is somewhere in its renewal. */
async function until({ clock }: Stage | ScriptedServer, client: Client, identity: string): Promise<void> {
  expect(await clock.until(() => identityOf(client) === identity, hourMs), identity).toBe(true)
}

describe('a token that runs out', () => {
  it('[AUTH-5] is renewed when about 80 % of its life is over, again and again, and the connection stays', async () => {
    const door = new Door(60_000)
    const { client, asked, errors } = await visit(door)
    const room = client.join('main')
    await door.clock.advance(hourMs)
    expect([client.status, door.endings, errors]).toEqual(['open', [], []])
    expect(door.shown).toEqual(asked.map(() => 'ada'))
    const waits = asked.slice(1).map((at, i) => at - (asked[i] ?? 0))
    expect(waits.length).toBeGreaterThanOrEqual(70)
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(45_000)
      expect(wait).toBeLessThanOrEqual(51_000)
    }
    // Not all at the same time.
    expect(new Set(waits).size).toBeGreaterThan(10)
    expect(await Promise.all([room.send('still here'), door.clock.advance(10)])).toMatchObject([
      { offset: 1 },
      undefined,
    ])
  })

  it('is not renewed when it is always the same, or does not run out', async () => {
    const door = new Door(60_000)
    await visit(door, undefined, { token: 'ada' })
    await door.clock.advance(84_999)
    expect([door.shown, door.endings]).toEqual([['ada'], []])
    await door.clock.advance(1)
    expect(door.endings).toEqual(['token-expired'])

    const forever = new Door(Infinity)
    const { client } = await visit(forever)
    await forever.clock.advance(dayMs)
    expect([forever.shown, forever.endings, client.status]).toEqual([['ada'], [], 'open'])
  })

  it('is renewed in time whatever the clocks of client and server say, and however they are set meanwhile', async () => {
    for (const byMs of [-dayMs, dayMs]) {
      const door = new Door(60_000)
      const { process } = door.network.device('phone')
      process.setClock(byMs)
      const { asked } = await visit(door, undefined, { device: 'phone' })
      await door.clock.advance(hourMs / 2)
      process.setClock(-2 * byMs)
      await door.clock.advance(hourMs / 2)
      expect(door.endings).toEqual([])
      expect(asked.length).toBeGreaterThanOrEqual(71)
      expect(asked.length).toBeLessThanOrEqual(81)
    }
  })

  it('is renewed again by its own life, however long the one before held', async () => {
    const door = new Door(10_000)
    const { asked } = await visit(door)
    door.lifeMs = 100_000
    await door.clock.advance(50_000)
    expect(asked.length).toBe(2)
    door.lifeMs = Infinity
    await door.clock.advance(hourMs)
    expect([asked.length, door.endings]).toEqual([3, []])
  })

  it('is renewed after 72 days of 90, where no timer reaches so far', async () => {
    const server = new ScriptedServer()
    const { environment } = server
    let ticks = 0
    // As platforms do it: a delay of more than 31 bits is none.
    const setTimeout = (callback: () => void, ms: number): unknown => {
      if (ms > 2 ** 31 - 1) ticks++
      return environment.clock.setTimeout(callback, ms > 2 ** 31 - 1 ? 1 : ms)
    }
    const clock = { ...bound(environment.clock), setTimeout }
    server.answer('hello', (_hello, socket) => {
      const heartbeat = { intervalMs: 300_000, timeoutMs: 300_000 }
      socket.say({ type: 'welcome', session: 's', secret: 's', user: 'ada', heartbeat, expiresInMs: 90 * dayMs })
    })
    server.answer('auth', ({ id }, socket) => socket.say({ type: 'authenticated', id, user: 'ada' }))
    const asked: number[] = []
    const startMs = server.clock.now()
    const token = (): string => {
      asked.push(server.clock.now() - startMs)
      return 'ada'
    }
    const client = server.client({ environment: { ...environment, clock }, token })
    await server.clock.advance(67 * dayMs)
    expect(asked).toEqual([0])
    await server.clock.advance(10 * dayMs)
    expect([asked.length, server.of('auth').length, ticks, client.status]).toEqual([2, 1, 0, 'open'])
    expect(asked[1]).toBeLessThanOrEqual(76.5 * dayMs)
  })

  it('leaves no timer when the client is closed in the middle of its renewal', async () => {
    for (const identity of ['held', 'renewing', 'presenting', 'retrying']) {
      const server = new ScriptedServer()
      welcomeFor(server, 60_000)
      let count = 0
      const client = server.client({
        token: () => {
          if (count++ === 0 || identity === 'presenting') return 'ada'
          if (identity === 'retrying') throw new Error('no token')
          return new Promise(() => {})
        },
      })
      await server.clock.settle()
      await until(server, client, identity)
      client.close()
      await server.clock.settle()
      expect(server.clock.pending, identity).toBe(0)
    }
  })
})

describe('a fresh token', () => {
  it('[AUTH-5] that cannot be had is told and asked for again, and the connection stays', async () => {
    const door = new Door(60_000)
    const { client, errors, asked } = await visit(door, (count) => {
      if (count % 3 !== 1) throw new Error('the identity provider is down')
      return 'ada'
    })
    await door.clock.advance(hourMs)
    expect([client.status, door.endings]).toEqual(['open', []])
    expect(errors.length).toBeGreaterThan(100)
    expect(errors.length + door.shown.length).toBe(asked.length)
    expect(errors[0]).toMatchObject({
      code: 'not-authenticated',
      message: expect.stringContaining('is down') as string,
    })
  })

  it('[AUTH-5] that does not come is given up after 10 s, told once, and not taken when it comes after all', async () => {
    const door = new Door(60_000)
    const grants: ((token: string) => void)[] = []
    const { client, errors } = await visit(door, (count) => {
      return count === 1 ? 'ada' : new Promise((resolve) => grants.push(resolve))
    })
    await until(door, client, 'renewing')
    await door.clock.advance(9_999)
    expect(errors).toEqual([])
    await door.clock.advance(1)
    expect(errors).toMatchObject([{ code: 'timeout' }])
    await until(door, client, 'renewing')
    grants[0]?.('bad: late')
    await door.clock.settle()
    expect([identityOf(client), door.shown]).toEqual(['renewing', ['ada']])
    grants[1]?.('ada')
    await door.clock.settle()
    expect([identityOf(client), door.shown, errors.length]).toEqual(['held', ['ada', 'ada'], 1])
    await door.clock.advance(40_000)
    expect(door.endings).toEqual([])
  })

  it('that fails after it was given up is not told again', async () => {
    const door = new Door(60_000)
    const fails: (() => void)[] = []
    const { client, errors } = await visit(door, (count) =>
      count === 1 ? 'ada' : new Promise((_, reject) => fails.push(() => reject(new Error('late')))),
    )
    await until(door, client, 'retrying')
    fails[0]?.()
    await until(door, client, 'renewing')
    await door.clock.settle()
    expect(errors).toMatchObject([{ code: 'timeout' }])
  })

  it('[AUTH-3] of another user is refused and told, until the server ends it and the client comes back as that user', async () => {
    const door = new Door(60_000)
    const { client, errors } = await visit(door, (count) => (count === 1 ? 'ada' : 'bob'))
    await door.clock.advance(84_999)
    expect([client.status, client.user, door.endings]).toEqual(['open', 'ada', []])
    expect(errors.length).toBeGreaterThan(2)
    for (const error of errors) expect(error).toMatchObject({ code: 'not-authenticated' })
    await door.clock.advance(2_000)
    expect([client.status, client.user, door.endings]).toEqual(['open', 'bob', ['token-expired']])
    expect(client.lastClose).toMatchObject({ code: 4101 })
    const before = errors.length
    await door.clock.advance(hourMs)
    expect([errors.length, door.endings.length]).toEqual([before, 1])
  })

  it('that the server does not answer for is given up, and its late answer counts', async () => {
    const server = new ScriptedServer()
    welcomeFor(server, 60_000)
    const errors: string[] = []
    const client = server.client({ token: () => 'ada' })
    client.on('error', ({ code }) => errors.push(code))
    await server.clock.settle()
    await until(server, client, 'presenting')
    await server.clock.advance(15_000)
    expect([identityOf(client), errors]).toEqual(['retrying', ['timeout']])
    const [first] = server.of('auth')
    await server.say({ type: 'error', id: first?.['id'], code: 'not-authenticated', message: '' })
    expect([identityOf(client), errors.length]).toEqual(['retrying', 1])
    await server.say({ type: 'authenticated', id: first?.['id'], user: 'ada', expiresInMs: 60_000 })
    await server.clock.advance(44_000)
    expect([identityOf(client), server.of('auth').length]).toEqual(['held', 1])
  })

  it('is asked for ever less often while there is much time', async () => {
    const door = new Door(dayMs)
    const { asked } = await visit(door, (count) => {
      if (count > 1) throw new Error('down')
      return 'ada'
    })
    await door.clock.advance(dayMs)
    expect(door.endings).toEqual([])
    expect(asked.length).toBeGreaterThan(10)
    expect(asked.length).toBeLessThan(60)
    for (const at of asked.slice(1)) expect(at).toBeGreaterThanOrEqual(0.75 * dayMs)
  })

  it('is what the next connection does not use: it asks for one of its own', async () => {
    for (const stage of ['renewing', 'presenting']) {
      const door = new Door(60_000)
      const grants: ((token: string) => void)[] = []
      const { client } = await visit(door, (count) => {
        if (count !== 2) return count === 1 ? 'ada' : 'ada anew'
        return new Promise((resolve) => grants.push(resolve))
      })
      await until(door, client, 'renewing')
      if (stage === 'presenting') {
        door.checkMs = 5_000
        grants[0]?.('ada')
        await until(door, client, 'presenting')
      }
      door.network.device([...door.network.devices.keys()][0] ?? '').cut()
      await door.clock.until(() => client.status === 'waiting', 60_000)
      door.checkMs = 0
      grants[0]?.('bad: late')
      await door.clock.advance(30_000)
      expect(client.status).toBe('open')
      expect(door.shown).toEqual(stage === 'renewing' ? ['ada', 'ada anew'] : ['ada', 'ada', 'ada anew'])
      await door.clock.advance(hourMs)
      expect(door.endings.filter((reason) => reason === 'token-expired')).toEqual([])
    }
  })
})

describe('what a server says of a token', () => {
  it.each([0, -1, 1, 0.001])('makes no client renew it without end (%d ms)', async (expiresInMs) => {
    const server = new ScriptedServer()
    welcomeFor(server, expiresInMs)
    server.answer('auth', ({ id }, socket) => socket.say({ type: 'authenticated', id, user: 'ada', expiresInMs }))
    const client = server.client({ token: () => 'ada' })
    await server.clock.advance(60_000)
    expect(client.status).toBe('open')
    expect(server.of('auth').length).toBeGreaterThan(60)
    expect(server.of('auth').length).toBeLessThanOrEqual(80)
  })

  it.each(['"soon"', 'null', '{}', '1e999', '"60000"'])('is passed over when it is no time (%s)', async (json) => {
    const server = new ScriptedServer()
    server.answer('hello', (_hello, socket) => {
      socket.say(`{"type":"welcome","session":"s","secret":"s","user":"ada","resumed":false,"expiresInMs":${json}}`)
    })
    const client = server.client({ token: () => 'ada' })
    await server.clock.advance(dayMs)
    expect([client.status, server.of('auth')]).toEqual(['open', []])
  })

  it('counts only as the answer to what was asked', async () => {
    const server = new ScriptedServer()
    welcomeFor(server, 60_000)
    const errors: string[] = []
    const client = server.client({ token: () => 'ada' })
    client.on('error', ({ code }) => errors.push(code))
    await server.clock.settle()
    for (const id of [undefined, 1, '', 'auth-1', 'auth-2']) {
      await server.say({ type: 'authenticated', id, user: 'eve', expiresInMs: 1e9 })
    }
    await server.clock.advance(51_000)
    expect([server.of('auth').length, client.user]).toEqual([1, 'ada'])
    await server.say({ type: 'error', id: 'auth-7', code: 'odd', message: '' })
    expect([identityOf(client), errors]).toEqual(['presenting', ['odd']])
  })
})

describe('a connection whose client gets tokens in time', () => {
  it('[AUTH-5] is never closed because one has run out, whatever lives, delays and cuts there are', async () => {
    const visitOf = fc.record({
      seed: fc.integer({ min: 1, max: 1_000 }),
      lives: fc.array(fc.integer({ min: 1_000, max: 300_000 }), { minLength: 1, maxLength: 5 }),
      delays: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9_000 })), { minLength: 1, maxLength: 5 }),
      latencyMs: fc.integer({ min: 0, max: 400 }),
      checkMs: fc.integer({ min: 0, max: 500 }),
      cuts: fc.array(fc.tuple(fc.integer({ min: 1, max: 90_000 }), fc.constantFrom('both', 'client', 'server')), {
        maxLength: 6,
      }),
      skewMs: fc.integer({ min: -dayMs, max: dayMs }),
    })
    await fc.assert(
      fc.asyncProperty(visitOf, async ({ seed, lives, delays, latencyMs, checkMs, cuts, skewMs }) => {
        const door = new Door(lives[0] ?? 0, seed)
        const device = door.network.device('phone')
        device.latencyMs = [0, latencyMs]
        device.process.setClock(skewMs)
        door.checkMs = checkMs
        const codes: unknown[] = []
        const { client } = await visit(
          door,
          async (count) => {
            await elapsed(door, delays[count % delays.length] ?? 0)
            door.lifeMs = lives[count % lives.length] ?? 0
            return 'ada'
          },
          { device: 'phone' },
        )
        client.on('status', () => codes.push(client.lastClose?.code))
        for (const [afterMs, noticedBy] of cuts) {
          await door.clock.advance(afterMs)
          device.cut(noticedBy === 'both' ? {} : { noticedBy: noticedBy as 'client' })
        }
        await door.clock.advance(600_000)
        expect(client.status).toBe('open')
        expect(codes).not.toContain(4101)
        await door.close()
      }),
      { numRuns: 60 },
    )
  })
})

/** Says how long the credentials hold, and answers no `auth` by itself. */
function welcomeFor(server: ScriptedServer, expiresInMs: number): void {
  server.answer('hello', (_hello, socket) => {
    socket.say({ type: 'welcome', session: 's', secret: 's', user: 'ada', resumed: false, expiresInMs })
  })
}

function bound(clock: ScriptedServer['clock']): { now(): number; clearTimeout(timer: unknown): void } {
  return { now: () => clock.now(), clearTimeout: (timer) => clock.clearTimeout(timer) }
}
