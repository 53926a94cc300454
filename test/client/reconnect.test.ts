import { describe, expect, it, onTestFinished } from 'vitest'
import { Stage } from '../stage.ts'

/** Takes the place of the browser's events: what the client listens to is the global object. */
function fakePlatform(): (type: 'online' | 'offline' | 'pageshow') => void {
  const target = new EventTarget()
  const host = globalThis as { addEventListener?: unknown; removeEventListener?: unknown }
  const { addEventListener, removeEventListener } = host
  Object.assign(host, {
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
  })
  onTestFinished(() => void Object.assign(host, { addEventListener, removeEventListener }))
  return (type) => void target.dispatchEvent(new Event(type))
}

describe('a client that lost its connection', () => {
  it('resumes its session, and others see nothing inside the grace', async () => {
    const stage = new Stage()
    const sockets: { cut(): void }[] = []
    const { WebSocket } = stage.transport
    class Observed extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args)
        sockets.push(this)
      }
    }
    const client = stage.client({ WebSocket: Observed })
    const room = client.join('main')
    const heard: unknown[] = []
    room.on('message', ({ data, replayed }) => heard.push([data, replayed]))
    await stage.clock.advance(100)
    const bob = await stage.member('main')
    const session = client.session
    sockets[0]?.cut()
    await stage.clock.settle()
    expect(client.status).toBe('waiting')
    bob.send({ type: 'message', room: 'main', data: 'did you miss me?' })
    const joined = new Promise((resolve) => void room.on('joined', resolve))
    await stage.clock.advance(1_000)
    expect(await joined).toEqual({ recovered: true, healed: false })
    expect(client.heals).toBe(0)
    expect(client.session).toBe(session)
    expect(heard).toEqual([['did you miss me?', true]])
    expect(bob.of('presence')).toEqual([])
    await stage.clock.advance(20_000)
    expect(bob.of('presence')).toEqual([])
  })

  it('notices a half-open connection by its own pings', async () => {
    const stage = new Stage()
    let last: { cut(how: { halfOpen: boolean }): void } | undefined
    const { WebSocket } = stage.transport
    class Observed extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args)
        last = this
      }
    }
    const client = stage.client({ WebSocket: Observed })
    await stage.clock.advance(100)
    last?.cut({ halfOpen: true })
    await stage.clock.advance(25_000)
    expect(client.actor.getSnapshot().value).toMatchObject({ open: { server: 'checking' } })
    await stage.clock.advance(10_000)
    await stage.clock.advance(1_000)
    expect(client.status).toBe('open')
    // The half-open one was fenced off by the newer.
    await stage.clock.advance(6_000)
    expect(stage.runtime.census).toMatchObject({ connections: 1, sessions: 1 })
  })

  it('waits longer each time, up to the bound, and never all the same', async () => {
    const waits: number[][] = []
    for (const seed of [1, 2]) {
      const stage = new Stage({}, seed)
      class Unreachable {
        readyState = 0
        binaryType = ''
        onopen = null
        onmessage = null
        onerror = null
        onclose: ((event: { code: number; reason: string }) => void) | null = null
        constructor() {
          stage.clock.setImmediate(() => this.onclose?.({ code: 1006, reason: '' }))
        }
        send(): void {}
        close(): void {}
      }
      const client = stage.client({ WebSocket: Unreachable as never, backoffMs: 500, backoffMaxMs: 20_000 })
      const seen: number[] = []
      client.on('status', (status) => {
        if (status === 'waiting') seen.push((client.retryAt ?? NaN) - stage.clock.now())
      })
      await stage.clock.advance(300_000)
      waits.push(seen)
      client.close()
    }
    for (const seen of waits) {
      expect(seen.length).toBeGreaterThan(10)
      seen.forEach((wait, attempt) => {
        expect(wait).toBeGreaterThanOrEqual(0)
        expect(wait).toBeLessThanOrEqual(Math.min(20_000, 500 * 2 ** attempt))
      })
      expect(Math.max(...seen)).toBeGreaterThan(10_000)
    }
    expect(waits[0]).not.toEqual(waits[1])
  })

  it('rests while the device is offline, and tries at once when it is online again', async () => {
    const fire = fakePlatform()
    const stage = new Stage()
    const client = stage.client()
    const room = client.join('main')
    await stage.clock.advance(100)
    fire('offline')
    await stage.clock.advance(60_000)
    expect(client.status).toBe('suspended')
    const sent = room.send('later', { timeoutMs: 120_000 })
    fire('online')
    await stage.clock.settle()
    expect(client.status).toBe('open')
    expect(await sent).toMatchObject({ offset: 1 })
    client.close()
    fire('online')
  })

  it('asks for the token again each time', async () => {
    const tokens: (string | undefined)[] = []
    const stage = new Stage({
      authenticate: ({ token }) => {
        tokens.push(token)
        return { id: 'ada', ...{} }
      },
    })
    let count = 0
    const client = stage.client({ token: async () => `token-${++count}` })
    await stage.clock.advance(100)
    client.actor.send({ type: 'network.offline' })
    client.actor.send({ type: 'network.online' })
    await stage.clock.advance(100)
    expect(client.status).toBe('open')
    expect(tokens).toEqual(['token-1', 'token-2'])
  })
})

describe('a token', () => {
  it('that cannot be had, for whatever reason, is told and asked for again', async () => {
    const stage = new Stage()
    const errors: unknown[] = []
    const { proxy: revoked, revoke } = Proxy.revocable({}, {})
    revoke()
    const refusals: unknown[] = [new Error('expired'), Object.create(null), revoked]
    const client = stage.client({
      token: () => {
        const refusal = refusals.shift()
        if (refusal !== undefined) throw refusal
        return 'token'
      },
    })
    client.on('error', ({ code }) => errors.push(code))
    await stage.clock.advance(10_000)
    expect(client.status).toBe('open')
    expect(errors).toEqual(['not-authenticated', 'not-authenticated', 'not-authenticated'])
  })

  it('that comes too late is none of the next connection', async () => {
    const stage = new Stage()
    const grants: ((token: string) => void)[] = []
    const client = stage.client({ token: () => new Promise((resolve) => grants.push(resolve)) })
    await stage.clock.advance(100)
    client.actor.send({ type: 'network.offline' })
    client.actor.send({ type: 'network.online' })
    await stage.clock.advance(100)
    grants[0]?.('late')
    await stage.clock.advance(100)
    expect(client.status).toBe('authenticating')
    grants[1]?.('now')
    await stage.clock.advance(100)
    expect(client.status).toBe('open')
  })
})

describe('a call of a client', () => {
  it('settles once: by its time, by leaving, by closing', async () => {
    const stage = new Stage()
    const client = stage.client()
    client.actor.send({ type: 'network.offline' })
    const room = client.join('main')
    const late = room.send(1, { timeoutMs: 1_000 })
    const left = room.send(2)
    const outcomes = Promise.allSettled([late, left])
    await stage.clock.advance(2_000)
    await room.leave()
    const closing = client.join('other').send(3)
    client.close()
    expect(await outcomes).toMatchObject([{ reason: { code: 'timeout' } }, { reason: { code: 'left' } }])
    await expect(closing).rejects.toMatchObject({ code: 'closed' })
    await expect(room.send(4)).rejects.toMatchObject({ code: 'left' })
  })

  it('is refused to the caller when too many wait', async () => {
    const stage = new Stage()
    const client = stage.client({ callLimit: 2 })
    const room = client.join('main')
    const sent = [1, 2, 3].map((n) => room.send(n))
    await expect(sent[2]).rejects.toMatchObject({ code: 'queue-full' })
    await stage.clock.advance(100)
    expect(await Promise.all(sent.slice(0, 2))).toMatchObject([{ offset: 1 }, { offset: 2 }])
  })

  it('rejects what cannot be sent before it is sent', async () => {
    const stage = new Stage()
    const room = stage.client().join('main')
    await expect(room.send(() => {})).rejects.toThrow(TypeError)
    await expect(room.send({ re: /x/ })).rejects.toThrow(TypeError)
    expect(() => stage.client().join('')).toThrow(RangeError)
    expect(() => stage.client().join('\u0000')).toThrow(RangeError)
  })
})
