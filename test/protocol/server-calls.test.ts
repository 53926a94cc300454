import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RequestError, type Connection } from 'greenroom'
import { askingConnection } from '../asking-connection.ts'
import { encodeData } from '../../src/protocol/index.ts'
import { Stage, type RawClient } from '../stage.ts'
import { ask, byName } from './cast.ts'

/** A connection, and what an application has in its hands of it. */
async function pair(stage: Stage): Promise<{ client: RawClient; connection: Connection }> {
  const client = await stage.member()
  const connection = stage.runtime.connections.at(-1)
  if (connection === undefined) throw new Error('Nobody is connected.')
  return { client, connection }
}

/** What a request came to: an answer, or why there is none. */
const outcome = (request: Promise<unknown> | undefined): Promise<unknown> =>
  Promise.resolve(request).catch((error: RequestError) => ({ failed: error.code ?? error.name, text: error.message }))

describe('a request of the server’s', () => {
  it('[CALL-5] is sent under an id of its own, and settled by the reply, rich values and all', async () => {
    const stage = new Stage()
    const { client, connection } = await pair(stage)
    const answers = ['where', 'when'].map((type) => outcome(connection.request(type, { at: new Date(0) })))
    const bare = outcome(connection.request('why'))
    await stage.clock.settle()
    expect(client.received.slice(2)).toEqual([
      { type: 'where', ...encodeData({ at: new Date(0) }), id: 1 },
      { type: 'when', ...encodeData({ at: new Date(0) }), id: 2 },
      { type: 'why', id: 3 },
    ])
    const rich = new Map([['seen', 1n]])
    expect(
      await ask(
        stage,
        client,
        { type: 'reply', id: 2, ...encodeData(rich) },
        { type: 'reply', id: 1, data: 0 },
        { type: 'reply', id: 3 },
      ),
    ).toEqual([])
    expect(await Promise.all([...answers, bare])).toEqual([0, rich, undefined])
  })

  it('[CALL-5] fails by the client’s error, with the code that it gave', async () => {
    const stage = new Stage()
    const { client, connection } = await pair(stage)
    const outcomes = [1, 2, 3].map(() => outcome(connection.request('name')))
    const long = { code: 'c'.repeat(100), message: 'm'.repeat(5_000) }
    await ask(
      stage,
      client,
      { type: 'error', id: 1, code: 'unknown-type', message: 'Who?' },
      { type: 'error', id: 2, code: 7, message: [] },
      { type: 'error', id: 3, ...long },
    )
    expect(await Promise.all(outcomes)).toEqual([
      { failed: 'unknown-type', text: 'Who?' },
      { failed: 'internal', text: '' },
      { failed: 'c'.repeat(64), text: 'm'.repeat(1_000) },
    ])
    const error = connection.request('name', undefined, { timeoutMs: 0 }).catch((thrown: unknown) => thrown)
    await stage.clock.advance(0)
    expect(await error).toBeInstanceOf(RequestError)
  })

  it('[CALL-5] fails at once by an answer that cannot be taken, and the client is not told of an id that is not its own', async () => {
    const stage = new Stage()
    const { client, connection } = await pair(stage)
    const outcomes = [outcome(connection.request('name')), outcome(connection.request('age'))]
    await stage.clock.settle()
    const deep = JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) as unknown
    expect(
      await ask(
        stage,
        client,
        { type: 'reply', id: 1, data: 'x', meta: { values: { a: ['regexp'] } } },
        { type: 'reply', id: 2, data: deep },
      ),
    ).toEqual([])
    expect(await Promise.all(outcomes)).toMatchObject([{ failed: 'bad-meta' }, { failed: 'bad-data' }])
  })

  it('[CALL-5] fails by its time, its signal, or the connection’s end, and leaves nothing behind', async () => {
    const stage = new Stage({ requestTimeoutMs: 2_000 })
    const { client, connection } = await pair(stage)
    const controller = new AbortController()
    const { signal } = controller
    const pending = stage.clock.pending
    const codes = [
      connection.request('default'),
      connection.request('short', undefined, { timeoutMs: 1_000 }),
      connection.request('given up', undefined, { signal }),
      connection.request('too late', undefined, { signal: AbortSignal.abort() }),
      connection.request('unsayable', () => {}),
      connection.request('ping'),
    ].map(outcome)
    const ended = outcome(connection.request('endless', undefined, { timeoutMs: Infinity, signal }))
    const other = outcome(connection.request('timed', undefined, { signal }))
    controller.abort()
    await stage.clock.advance(2_000)
    const failures = ['timeout', 'timeout', 'aborted', 'aborted', 'TypeError', 'TypeError', 'aborted', 'aborted']
    expect(await Promise.all([...codes, ended, other])).toMatchObject(failures.map((failed) => ({ failed })))
    expect(client.of('ping')).toEqual([])
    expect(stage.clock.pending).toBe(pending)
    const last = outcome(connection.request('last'))
    client.socket.close(1000)
    await stage.clock.settle()
    expect(await last).toMatchObject({ failed: 'closed' })
    expect(await outcome(connection.request('never'))).toMatchObject({ failed: 'closed' })
    expect(stage.clock.pending).toBe(0)
  })

  it('[CALL-5] passes over answers that are forged, late, or come twice', async () => {
    const stage = new Stage(byName)
    const ada = await stage.member('main', { token: 'ada' })
    const bob = await stage.member('main', { token: 'bob' })
    const [connection] = stage.runtime.connections
    const answer = outcome(connection?.request('name', undefined, { timeoutMs: 1_000 }))
    // Of another connection, under another id, and an id of another type.
    await ask(stage, bob, { type: 'reply', id: 1, data: 'Bob' }, { type: 'error', id: 1, code: 'no' })
    const forged = [{ id: 2 }, { id: 0 }, { id: '1' }, { id: -1 }, { id: 2 ** 53 - 1 }]
    expect(await ask(stage, ada, ...forged.map((id) => ({ type: 'reply', data: 'forged', ...id })))).toEqual([])
    expect(await ask(stage, ada, { type: 'reply', data: 1 }, { type: 'error', code: 'no' })).toMatchObject([
      { code: 'bad-message' },
      { code: 'bad-message' },
    ])
    // An error of the reply's own that only the runtime may put there.
    const smuggled = { type: 'reply', id: 1, data: 'Ada', error: { code: 'no', message: 'no' } }
    expect(await ask(stage, ada, smuggled, { type: 'reply', id: 1, data: 'Eve' })).toEqual([])
    expect(await answer).toBe('Ada')
    const late = outcome(connection?.request('name', undefined, { timeoutMs: 1_000 }))
    await stage.clock.advance(1_000)
    expect(await ask(stage, ada, { type: 'reply', id: 2, data: 'Ada' }, { type: 'error', id: 2 })).toEqual([])
    expect(await late).toMatchObject({ failed: 'timeout' })
  })

  it('[CALL-5] is answered while the handler that asks is at work, and while others wait behind it', async () => {
    const stage = new Stage({
      handlers: {
        rename: async (data, { connection }) => `${String(await connection.request('sure?', data))}: ${String(data)}`,
      },
    })
    const ada = await stage.member()
    const say = { type: 'message', room: 'main', data: 'behind', id: 9 }
    expect(await ask(stage, ada, { type: 'rename', data: 'Eve', id: 1 }, say)).toEqual([
      { type: 'sure?', data: 'Eve', id: 1 },
    ])
    const replies = await ask(stage, ada, { type: 'reply', id: 1, data: 'yes' })
    expect(replies.map(({ type, data }) => [type, data])).toEqual([
      ['reply', 'yes: Eve'],
      ['message', 'behind'],
      ['ack', undefined],
    ])
  })

  it('[CALL-5] settles each request once, over any order of replies, errors, repetitions and ends', async () => {
    const step = fc.record({
      kind: fc.constantFrom('reply', 'error', 'wait', 'close', 'ask'),
      id: fc.integer({ min: 1, max: 6 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const stage = new Stage({ requestTimeoutMs: 100 })
        const { client, connection } = await pair(stage)
        const settled: unknown[][] = []
        let asked = 0
        const begin = (): void => {
          const id = ++asked
          void outcome(connection.request('n', id)).then((result) => settled.push([id, result]))
        }
        begin()
        for (const { kind, id } of steps) {
          if (kind === 'ask') begin()
          else if (kind === 'wait') await stage.clock.advance(id * 10)
          else if (kind === 'close') client.socket.close(1000)
          else client.send({ type: kind, id, data: id, code: 'no' })
          await stage.clock.settle()
        }
        await stage.clock.advance(100)
        expect(settled.map(([id]) => id).sort()).toEqual(Array.from({ length: asked }, (_, i) => i + 1))
        for (const [id, result] of settled) expect(typeof result === 'object' || result === id).toBe(true)
        await stage.close()
      }),
      { numRuns: 60 },
    )
  })
})

describe('the request actor of a machine', () => {
  it('[CALL-5] ends with the answer', async () => {
    const stage = new Stage({ connection: askingConnection })
    const ada = await stage.connect()
    expect(ada.received.slice(1)).toEqual([{ type: 'name', ...encodeData({ at: new Date(0) }), id: 1 }])
    expect(await ask(stage, ada, { type: 'reply', id: 1, data: 'Ada' })).toEqual([{ type: 'hello there', data: 'Ada' }])
  })

  it('[CALL-5] fails by the client’s error, and by its time', async () => {
    const stage = new Stage({ connection: askingConnection })
    const ada = await stage.connect()
    expect(await ask(stage, ada, { type: 'error', id: 1, code: 'shy' })).toEqual([{ type: 'why', data: 'shy' }])
    expect(await ask(stage, ada, { type: 'again' })).toMatchObject([{ type: 'name', id: 2 }])
    await stage.clock.advance(5_000)
    expect(ada.last('why')).toEqual({ type: 'why', data: 'timeout' })
  })

  it('[CALL-5] is cancelled when its state is left: an answer that comes then is passed over', async () => {
    const stage = new Stage({ connection: askingConnection })
    const ada = await stage.connect()
    await ask(stage, ada, { type: 'skip' })
    expect(await ask(stage, ada, { type: 'reply', id: 1, data: 'Ada' })).toEqual([])
    expect(await ask(stage, ada, { type: 'again' }, { type: 'reply', id: 1, data: 'Eve' })).toMatchObject([
      { type: 'name', id: 2 },
    ])
    expect(await ask(stage, ada, { type: 'reply', id: 2, data: 'Ada' })).toEqual([{ type: 'hello there', data: 'Ada' }])
  })

  it('[CLOSED] ends with its connection, and leaves no timer', async () => {
    const stage = new Stage({ connection: askingConnection })
    const clients = await Promise.all([0, 1, 2].map(() => stage.connect()))
    clients[0]?.socket.close(1000)
    clients[1]?.send({ type: 'quit' })
    clients[2]?.socket.cut()
    // A session waits for the third.
    await stage.clock.advance(200_000)
    expect(stage.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
    expect(stage.clock.pending).toBe(0)
  })
})

describe('the connections of a runtime', () => {
  it('[CALL-5] are those that take part: from the welcome to the close frame', async () => {
    const stage = new Stage(byName)
    const users = (): string[] => stage.runtime.connections.map(({ user }) => user.id)
    const ada = await stage.connect({ token: 'ada' })
    const bob = await stage.member('main', { token: 'bob' })
    await stage.connect({ protocol: 'greenroom.v1' })
    await stage.connect({ token: 'bad' })
    expect(users()).toEqual(['ada', 'bob'])
    expect(stage.runtime.connections.map(({ rooms }) => rooms)).toEqual([[], ['main']])
    stage.runtime.connections[0]?.send('news', { n: 1 })
    await stage.clock.settle()
    expect(ada.last('news')).toEqual({ type: 'news', data: { n: 1 } })
    // Its close frame is out and unanswered: it takes part no more.
    bob.socket.pause()
    stage.runtime.connections[1]?.forbid()
    await stage.clock.settle()
    expect([users(), stage.runtime.census.connections]).toEqual([['ada'], 3])
    expect(() => stage.runtime.connections[0]?.send('welcome')).toThrow(TypeError)
    expect(() => stage.runtime.connections[0]?.send('news', () => {})).toThrow(TypeError)
  })
})
