import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'
import { ask, greet } from './cast.ts'
import { unrulyConnection } from '../unruly-connection.ts'

describe('an application’s message', () => {
  it('[APP-1] is taken in the state that names it, and refused in the others', async () => {
    const stage = new Stage({ connection: unrulyConnection })
    const ada = await stage.connect()
    const answers = async (...messages: object[]) =>
      (await ask(stage, ada, ...messages)).map(({ type, code, id }) => [code ?? type, id])
    expect(await answers({ type: 'move', data: 1, id: 1 })).toEqual([['not-allowed', 1]])
    expect(await answers({ type: 'ready', id: 2 }, { type: 'move', data: 2, id: 3 })).toEqual([
      ['your turn', undefined],
      ['ack', 2],
      ['moved', undefined],
      ['ack', 3],
    ])
    expect(ada.last('moved')).toEqual({ type: 'moved', data: { moves: 1, to: 2 } })
    expect(ada.last('ack')).toEqual({ type: 'ack', id: 3 })
    expect(await answers({ type: 'ready', id: 4 })).toEqual([['not-allowed', 4]])
  })

  it('[APP-1] is judged in its turn: what a message makes legal may follow right behind it', async () => {
    const stage = new Stage({ connection: unrulyConnection })
    const ada = await stage.connect({ protocol: 'greenroom.v1' })
    const replies = await ask(stage, ada, { type: 'ready' }, { type: 'move', id: 1 }, { type: 'hello' })
    expect(replies.map(({ type }) => type)).toEqual(['welcome', 'your turn', 'moved', 'ack'])
  })

  it.each(['jump', 'client.move', 'socket.closed', 'connection.close', 'xstate.done', 'application', ''])(
    '[APP-1] of the type %j, which the machine names nowhere, is unknown',
    async (type) => {
      const stage = new Stage({ connection: unrulyConnection })
      const ada = await greet(stage)
      const sent = { type, name: 'ready', reason: 'crashed', code: 1000, id: 1 }
      expect(await ask(stage, ada, sent)).toMatchObject([{ type: 'error', code: 'unknown-type', id: 1 }])
      expect(await ask(stage, ada, { type: 'move', id: 2 })).toMatchObject([{ code: 'not-allowed' }])
    },
  )

  it('[APP-1] whose guard throws is answered internal, and the connection goes on', async () => {
    const stage = new Stage({ connection: unrulyConnection })
    const ada = await stage.connect()
    expect(await ask(stage, ada, { type: 'doubt', id: 1 })).toMatchObject([{ code: 'internal', id: 1 }])
    expect(stage.telemetry).toContainEqual(
      expect.objectContaining({ type: 'callback.threw', callback: 'guard of client.doubt' }),
    )
    expect(await ask(stage, ada, { type: 'ready', id: 2 })).toMatchObject([{ type: 'your turn' }, { type: 'ack' }])
  })

  it('[DATA-2] has the bounds of all data', async () => {
    const stage = new Stage({ connection: unrulyConnection })
    const ada = await stage.connect()
    const deep = '['.repeat(33) + ']'.repeat(33)
    expect(await ask(stage, ada, `{"type":"ready","data":${deep},"id":1}`)).toMatchObject([{ code: 'bad-data', id: 1 }])
  })

  it('[APP-2] from the server has a type of its own, which a client hands on or passes over', async () => {
    const stage = new Stage({ connection: unrulyConnection })
    const client = stage.client()
    const heard: unknown[] = []
    client.on('message', (message) => heard.push(message))
    await stage.clock.advance(100)
    const ready = client.send('ready')
    const move = client.send('move', { square: 4 })
    await stage.clock.settle()
    await Promise.all([ready, move])
    expect(heard).toEqual([{ type: 'your turn' }, { type: 'moved', data: { moves: 1, to: { square: 4 } } }])
    expect(client.status).toBe('open')
  })

  it('[APP-4] may leave auth and hello out: they are answered not-allowed', async () => {
    const stage = new Stage({ connection: unrulyConnection })
    const ada = await stage.connect()
    expect(await ask(stage, ada, { type: 'auth', token: 'x', id: 1 })).toMatchObject([{ code: 'not-allowed', id: 1 }])
    expect(await ask(stage, ada, { type: 'ready', id: 2 })).toMatchObject([
      { type: 'your turn' },
      { type: 'ack', id: 2 },
    ])
  })

  it('[APP-3] cannot take the place of one of the protocol’s', async () => {
    const stage = new Stage({ connection: unrulyConnection })
    const ada = await stage.connect()
    expect(await ask(stage, ada, { type: 'ping' }, { type: 'join', room: 'main' })).toMatchObject([
      { type: 'pong' },
      { type: 'joined' },
    ])
    expect(ada.of('redefined')).toEqual([])
  })
})
