import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'
import { ask, byName, greet, heard } from './cast.ts'

const join = (room: unknown, fields: object = {}): object => ({ type: 'join', room, ...fields })

describe('join', () => {
  it('[JOIN-1] brings a room into being, and is answered by joined', async () => {
    const stage = new Stage(byName)
    const ada = await stage.connect({ token: 'ada' })
    expect(stage.runtime.census.rooms).toBe(0)
    expect(await ask(stage, ada, join('main', { id: 'j', presence: { name: 'Ada' } }))).toEqual([
      {
        type: 'joined',
        id: 'j',
        room: 'main',
        epoch: expect.any(String) as string,
        offset: 0,
        members: [{ user: 'ada', state: { name: 'Ada' } }],
        recovered: false,
        messages: [],
      },
    ])
    expect(stage.runtime.census.rooms).toBe(1)
  })

  it.each(['a', '*', '{}', ':', '/', 'room:main', 'constructor', '__proto__', ' ', '😀'.repeat(63), 'x'.repeat(255)])(
    '[JOIN-2] takes the room name %j',
    async (room) => {
      const stage = new Stage()
      const ada = await stage.member(room)
      await ask(stage, ada, { type: 'message', room, data: 1 })
      expect(ada.last('message')).toMatchObject({ room, offset: 1 })
    },
  )

  it.each([
    '""',
    '"\\u0000"',
    '"a\\nb"',
    '"\\u007f"',
    '"\\u0085"',
    '"\\ud800"',
    '"a\\udc00b"',
    `"${'x'.repeat(256)}"`,
    `"${'ä'.repeat(128)}"`,
    `"${'😀'.repeat(64)}"`,
    '1',
    'null',
    '["main"]',
    '{}',
  ])('[JOIN-2] does not take the room name %s, nor repeat it', async (room) => {
    const stage = new Stage()
    const ada = await stage.connect()
    const [error] = await ask(stage, ada, `{"type":"join","room":${room},"id":1}`)
    expect(error).toMatchObject({ type: 'error', code: 'bad-room-name', id: 1 })
    expect(error).not.toHaveProperty('room')
    expect(stage.runtime.census.rooms).toBe(0)
  })

  it('[JOIN-3] twice is once: answered again, shown to nobody, left at once', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const ada = await stage.member('main', { token: 'ada' })
    expect(await ask(stage, ada, join('main', { id: 1 }), join('main', { id: 2 }))).toMatchObject([
      { type: 'joined', id: 1 },
      { type: 'joined', id: 2 },
    ])
    await ask(stage, bob, { type: 'message', room: 'main', data: 'once' })
    expect(heard(ada)).toEqual([[1, 'once']])
    await ask(stage, ada, { type: 'leave', room: 'main' })
    await ask(stage, bob, { type: 'message', room: 'main', data: 'gone' })
    expect(heard(ada)).toHaveLength(1)
    expect(bob.of('presence')).toMatchObject([{ joined: [{ user: 'ada' }] }, { left: ['ada'] }])
  })

  it('[JOIN-4] may be relied upon by what is sent right behind it', async () => {
    const stage = new Stage()
    const ada = await stage.connect()
    const replies = await ask(
      stage,
      ada,
      join('main', { id: 1 }),
      { type: 'message', room: 'main', data: 'at once', id: 2 },
      { type: 'leave', room: 'main', id: 3 },
      { type: 'message', room: 'main', data: 'too late', id: 4 },
      join('main', { id: 5 }),
    )
    expect(replies.map(({ type, id }) => [type, id])).toEqual([
      ['joined', 1],
      ['message', undefined],
      ['ack', 2],
      ['left', 3],
      ['error', 4],
      ['joined', 5],
    ])
  })

  it('[JOIN-5] beyond the limit of rooms is refused, and only that', async () => {
    const stage = new Stage({ roomsPerSession: 2 })
    const ada = await stage.connect()
    const answers = async (...rooms: string[]) => {
      const replies = await ask(stage, ada, ...rooms.map((room) => join(room, { id: room })))
      return Object.fromEntries(replies.map(({ type, code, id }) => [id, code ?? type]))
    }
    expect(await answers('a', 'b', 'c')).toEqual({ a: 'joined', b: 'joined', c: 'too-many-rooms' })
    expect(ada.last('error')).toMatchObject({ room: 'c' })
    expect(stage.runtime.census.rooms).toBe(2)
    expect(await answers('a')).toEqual({ a: 'joined' })
    await ask(stage, ada, { type: 'leave', room: 'a' })
    expect(await answers('c')).toEqual({ c: 'joined' })
    expect(await ask(stage, ada, { type: 'message', room: 'c', data: 1 })).toMatchObject([{ type: 'message' }])
  })

  it('[JOIN-6] with a presence that is too large or too deep is refused', async () => {
    const stage = new Stage()
    const ada = await stage.connect()
    const deep = JSON.parse('['.repeat(33) + ']'.repeat(33)) as unknown
    // 2,048 bytes with the quotes; in characters it would be half of that.
    const fits = 'ä'.repeat(1_023)
    const replies = await ask(
      stage,
      ada,
      join('main', { presence: `${fits}x`, id: 1 }),
      join('main', { presence: deep, id: 2 }),
      { type: 'message', room: 'main', data: 1, id: 3 },
      join('main', { presence: fits, id: 4 }),
    )
    expect(replies.map(({ type, code, id }) => [code ?? type, id])).toEqual([
      ['presence-too-large', 1],
      ['bad-data', 2],
      ['not-a-member', 3],
      ['joined', 4],
    ])
  })

  it.each(['1', 'null', '[]', '{}', '{"epoch":"x"}', '{"epoch":1,"offset":1}', '{"epoch":"x","offset":1.5}'])(
    '[JOIN-7] with since %s is answered bad-message',
    async (since) => {
      const stage = new Stage()
      const replies = await ask(stage, await stage.connect(), `{"type":"join","room":"main","since":${since},"id":1}`)
      expect(replies).toMatchObject([{ type: 'error', code: 'bad-message', id: 1, room: 'main' }])
    },
  )
})

describe('joined', () => {
  it('[JOINED-1] lists everybody once, oneself included', async () => {
    const stage = new Stage(byName)
    await stage.member('main', { token: 'ada' })
    const second = await stage.connect({ token: 'ada' })
    const bob = await stage.connect({ token: 'bob' })
    await ask(stage, second, join('main', { presence: 'second tab' }))
    const [joined] = await ask(stage, bob, join('main'))
    expect(joined?.['members']).toEqual([{ user: 'ada', state: 'second tab' }, { user: 'bob' }])
  })

  it('[JOINED-2] recovers from every position whose sequel is kept, and from no other', async () => {
    const stage = new Stage({ rooms: { main: { history: 5 } } })
    const ada = await stage.member()
    for (let data = 1; data <= 8; data++) await ask(stage, ada, { type: 'message', room: 'main', data })
    const { epoch } = ada.last('joined')
    const from = async (offset: number, of = epoch) => {
      const [joined] = await ask(stage, ada, join('main', { since: { epoch: of, offset } }))
      const messages = joined?.['messages'] as { data: number }[]
      expect(joined).toMatchObject({ epoch, offset: 8 })
      return [joined?.['recovered'], messages.map(({ data }) => data)]
    }
    expect(await from(8)).toEqual([true, []])
    expect(await from(6)).toEqual([true, [7, 8]])
    expect(await from(3)).toEqual([true, [4, 5, 6, 7, 8]])
    for (const offset of [2, 0, -1, 9, -(2 ** 53) + 1, 2 ** 53 - 1]) expect(await from(offset)).toEqual([false, []])
    expect(await from(8, 'another')).toEqual([false, []])
    expect(await from(8, '')).toEqual([false, []])
    expect((await ask(stage, ada, join('main')))[0]).toMatchObject({ recovered: false, messages: [] })
  })

  it('[JOINED-2] recovers no more messages than the server replays', async () => {
    const stage = new Stage({ rooms: { main: { history: 1_000 } } })
    const ada = await stage.member()
    await ask(stage, ada, ...Array.from({ length: 301 }, (_, data) => ({ type: 'message', room: 'main', data })))
    const { epoch } = ada.last('joined')
    const from = (offset: number) => ask(stage, ada, join('main', { since: { epoch, offset } }))
    expect(await from(0)).toMatchObject([{ recovered: false, messages: [] }])
    const [joined] = await from(1)
    expect(joined).toMatchObject({ recovered: true })
    expect(joined?.['messages']).toHaveLength(300)
  })

  it('[JOINED-2] recovers no more data than one answer holds, and says so', async () => {
    const stage = new Stage({ replayBytes: 10_000 })
    const ada = await stage.member()
    await ask(
      stage,
      ada,
      ...Array.from({ length: 3 }, () => ({ type: 'message', room: 'main', data: 'x'.repeat(4_000) })),
    )
    const { epoch } = ada.last('joined')
    const from = (offset: number) => ask(stage, ada, join('main', { since: { epoch, offset } }))
    expect(await from(0)).toMatchObject([{ recovered: false, messages: [], offset: 3 }])
    expect(await from(1)).toMatchObject([{ recovered: true, messages: [{ offset: 2 }, { offset: 3 }] }])
  })

  it('[JOINED-3] is followed by the next message, whoever speaks in the same turn', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    const say = { type: 'message', room: 'main', data: 'x' }
    await ask(stage, ada, say, say)
    const newcomer = await greet(stage)
    ada.send(say)
    newcomer.send(join('main'))
    await ask(stage, ada, say)
    expect(newcomer.last('joined')).toMatchObject({ offset: 3 })
    expect(newcomer.of('message').map(({ offset }) => offset)).toEqual([4])
  })

  it('[JOINED-4] is followed by who is typing', async () => {
    const stage = new Stage(byName)
    const [ada, bob] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'bob' })]
    const typing = { type: 'typing', room: 'main', typing: true }
    await ask(stage, bob, typing, { ...typing, typing: false })
    await ask(stage, ada, typing)
    const eve = await stage.connect({ token: 'eve' })
    const shown = { type: 'typing', room: 'main', user: 'ada', typing: true }
    expect(await ask(stage, eve, join('main'))).toMatchObject([{ type: 'joined' }, shown])
    // Oneself is not told of oneself.
    expect((await ask(stage, ada, join('main'))).map(({ type }) => type)).toEqual(['joined'])
  })
})
