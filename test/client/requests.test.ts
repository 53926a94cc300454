import { describe, expect, it } from 'vitest'
import { RequestError, type Client, type ClientOptions } from '../../src/client/index.ts'
import { ScriptedServer, type Wire } from './scripted-server.ts'

async function connected(options: ClientOptions = {}): Promise<{ server: ScriptedServer; client: Client }> {
  const server = new ScriptedServer()
  const client = server.client(options)
  await server.clock.advance(100)
  return { server, client }
}

describe('a request to the server', () => {
  it('is answered with whatever values the handler returned', async () => {
    const { server, client } = await connected()
    server.answer('profile', ({ id }, socket) => {
      socket.say({
        type: 'reply',
        id,
        data: { born: '1815-12-10T00:00:00.000Z' },
        meta: { values: { born: ['Date'] } },
      })
    })
    const reply = client.request<{ born: Date }>('profile', { of: new Set(['ada']) })
    await server.clock.settle()
    expect(await reply).toEqual({ born: new Date('1815-12-10') })
    expect(server.of('profile')).toMatchObject([{ data: { of: ['ada'] }, meta: { values: { of: ['set'] } } }])
  })

  it('[CALL-1] is answered with nothing when it was only taken, as is what is only sent', async () => {
    const { server, client } = await connected()
    server.answer('poke', ({ id }, socket) => socket.say({ type: 'ack', id }))
    server.answer('ask', ({ id }, socket) => socket.say({ type: 'reply', id, data: 'taken' }))
    const answers = Promise.all([client.request('poke'), client.send('poke'), client.send('ask')])
    await server.clock.settle()
    expect(await answers).toEqual([undefined, undefined, undefined])
    expect(server.of('poke').map(({ data }) => data)).toEqual([undefined, undefined])
  })

  it('[ERROR-3] fails with the code that the handler gave', async () => {
    const { server, client } = await connected()
    server.answer('profile', ({ id }, socket) => {
      socket.say({ type: 'error', id, code: 'no-such-profile', message: 'Nobody of that name.' })
    })
    const refused = expect(client.request('profile')).rejects.toMatchObject({
      name: 'ClientError',
      code: 'no-such-profile',
      message: 'Nobody of that name.',
    })
    await server.clock.settle()
    await refused
  })

  it('fails when the answer says what cannot be', async () => {
    const { server, client } = await connected()
    server.answer('profile', ({ id }, socket) => {
      socket.say({ type: 'reply', id, data: {}, meta: { values: { born: ['Date'] } } })
    })
    const refused = expect(client.request('profile')).rejects.toMatchObject({ code: 'bad-meta' })
    await server.clock.settle()
    await refused
  })

  it('is rejected when its time is up, and what comes later is nobody’s', async () => {
    const { server, client } = await connected()
    const late = expect(client.request('slow', null, { timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'timeout' })
    await server.clock.advance(1_000)
    await late
    const [{ id }] = server.of('slow') as [Wire]
    const errors: string[] = []
    client.on('error', ({ code }) => errors.push(code))
    await server.say({ type: 'reply', id, data: 1 })
    expect(errors).toEqual([])
  })

  it('is given up by its signal: unsent it is never sent, and a later signal changes nothing', async () => {
    const { server, client } = await connected()
    server.answer('quick', ({ id }, socket) => socket.say({ type: 'ack', id }))
    const [early, under, done] = [new AbortController(), new AbortController(), new AbortController()]
    early.abort()
    const outcomes = Promise.allSettled([
      client.request('never', 1, { signal: early.signal }),
      client.request('slow', 2, { signal: under.signal }),
      client.request('quick', 3, { signal: done.signal }),
    ])
    await server.clock.settle()
    under.abort()
    done.abort()
    expect(await outcomes).toMatchObject([
      { reason: { code: 'aborted' } },
      { reason: { code: 'aborted' } },
      { status: 'fulfilled' },
    ])
    server.socket.end()
    await server.clock.settle()
    const waiting = new AbortController()
    const unsent = expect(client.request('never', 4, { signal: waiting.signal })).rejects.toMatchObject({
      code: 'aborted',
    })
    waiting.abort()
    await unsent
    await server.clock.advance(60_000)
    expect(server.of('never')).toEqual([])
  })
})

describe('a request of the server', () => {
  it('[CALL-5] is answered by its handler, in whatever values', async () => {
    const { server, client } = await connected()
    const asked: unknown[] = []
    client.handle('when', async (data, { signal }) => {
      asked.push([data, signal.aborted])
      return new Date(0)
    })
    client.handle('nothing', () => undefined)
    await server.say(
      { type: 'when', id: 7, data: ['1'], meta: { values: { 0: ['bigint'] }, v: 1 } },
      { type: 'nothing', id: 'a' },
    )
    expect(asked).toEqual([[[1n], false]])
    expect(server.of('reply')).toEqual([
      { type: 'reply', data: '1970-01-01T00:00:00.000Z', meta: { values: ['Date'], v: 1 }, id: 7 },
      { type: 'reply', id: 'a' },
    ])
  })

  it('fails as its handler says, or without a word when that was a mistake', async () => {
    const { server, client } = await connected()
    const errors: unknown[] = []
    client.on('error', ({ code, cause }) => errors.push([code, cause]))
    const mistake = new Error('the password is 1234')
    client.handle('refuse', () => {
      throw new RequestError('busy', 'Not now.')
    })
    client.handle('fail', () => Promise.reject(mistake))
    client.handle('unsayable', () => () => {})
    await server.say(...['refuse', 'fail', 'unsayable', 'unheard'].map((type, id) => ({ type, id })))
    expect(server.of('error').toSorted((a, b) => Number(a['id']) - Number(b['id']))).toEqual([
      { type: 'error', code: 'busy', message: 'Not now.', id: 0 },
      { type: 'error', code: 'internal', message: 'The request failed.', id: 1 },
      { type: 'error', code: 'internal', message: 'The request failed.', id: 2 },
      { type: 'error', code: 'unknown-type', message: "Nobody here answers 'unheard'.", id: 3 },
    ])
    expect(errors).toEqual([
      ['internal', mistake],
      ['internal', expect.any(TypeError)],
    ])
  })

  it('is answered whatever its handler throws or returns, and never fails beside it', async () => {
    const { server, client } = await connected()
    const codes: unknown[] = []
    client.on('error', ({ code }) => codes.push(code))
    const { proxy: revoked, revoke } = Proxy.revocable({}, {})
    revoke()
    const tampered = (more: object): Error => Object.assign(new RequestError('odd', 'Odd.'), more)
    const thrown = [
      Object.create(null),
      revoked,
      Symbol('odd'),
      tampered({ code: 1n }),
      tampered({ code: {} }),
      tampered({ message: 1n }),
      tampered({ message: Object.create(null) }),
      Object.defineProperty(tampered({}), 'code', {
        get: () => {
          throw revoked
        },
      }),
    ]
    const returned = [revoked, Object.assign([1], { toJSON: () => 1n })]
    for (const [id, value] of thrown.entries()) client.handle(`throw-${id}`, () => Promise.reject(value))
    for (const [id, value] of returned.entries()) client.handle(`return-${id}`, () => value)
    await server.say(
      ...thrown.map((_, id) => ({ type: `throw-${id}`, id })),
      ...returned.map((_, id) => ({ type: `return-${id}`, id: thrown.length + id })),
    )
    const answer = { type: 'error', code: 'internal', message: 'The request failed.' }
    const count = thrown.length + returned.length
    expect(server.of('error').toSorted((a, b) => Number(a['id']) - Number(b['id']))).toEqual(
      Array.from({ length: count }, (_, id) => ({ ...answer, id })),
    )
    expect(codes).toEqual(Array.from({ length: count }, () => 'internal'))
  })

  it('is told when its answer is too large, and a call under the same number goes on', async () => {
    const { server, client } = await connected()
    client.handle('everything', () => 'x'.repeat(70_000))
    const own = client.request('mine')
    await server.clock.settle()
    const [{ id }] = server.of('mine') as [Wire]
    await server.say({ type: 'everything', id })
    expect(server.of('error')).toMatchObject([{ id, code: 'too-large' }])
    await server.say({ type: 'reply', id, data: 'yours' })
    expect(await own).toBe('yours')
  })

  it('is given up with its connection: the handler is told, and its answer goes nowhere', async () => {
    const { server, client } = await connected()
    const aborted: boolean[] = []
    client.handle('slow', (_data, { signal }) => {
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted.push(true)
          resolve('too late')
        })
      })
    })
    await server.say({ type: 'slow', id: 1 })
    server.socket.end()
    await server.clock.advance(1_000)
    expect(client.status).toBe('open')
    expect(aborted).toEqual([true])
    expect(server.of('reply')).toEqual([])
  })

  it('has one handler a type, until that is ended', async () => {
    const { server, client } = await connected()
    const end = client.handle('who', () => 'first')
    expect(() => client.handle('who', () => 'second')).toThrow(TypeError)
    end()
    client.handle('who', () => 'third')
    end()
    await server.say({ type: 'who', id: 1 })
    expect(server.of('reply')).toMatchObject([{ data: 'third' }])
  })

  it('is none without an id: then it is a message', async () => {
    const { server, client } = await connected()
    client.handle('news', () => 'never asked')
    const heard: unknown[] = []
    client.on('message', (message) => heard.push(message))
    await server.say({ type: 'news', data: '1', meta: { values: ['bigint'] } }, { type: 'bare' })
    expect(heard).toMatchObject([{ type: 'news', data: 1n }, { type: 'bare' }])
    expect(server.of('reply')).toEqual([])
  })
})
