import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'
import { ask, byName, claimOf, greet, heard } from './cast.ts'

const say = (data: unknown, fields: object = {}): object => ({ type: 'message', room: 'main', data, ...fields })

describe('message', () => {
  it('[MESSAGE-1] to a room not joined is refused and not kept', async () => {
    const stage = new Stage()
    const [ada, eve] = [await stage.member(), await stage.connect()]
    expect(await ask(stage, eve, say('in', { id: 1 }))).toMatchObject([{ code: 'not-a-member', id: 1, room: 'main' }])
    await ask(stage, eve, { type: 'join', room: 'main' }, { type: 'leave', room: 'main' }, say('in'))
    expect(eve.last('error')).toMatchObject({ code: 'not-a-member' })
    expect(heard(ada)).toEqual([])
    expect((await ask(stage, ada, { type: 'history', room: 'main' }))[0]).toMatchObject({ messages: [] })
  })

  it('[MESSAGE-2] needs data, and null is data', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    expect(await ask(stage, ada, { type: 'message', room: 'main', id: 1 })).toMatchObject([
      { type: 'error', code: 'bad-message', id: 1, room: 'main' },
    ])
    for (const data of [null, 0, false, '', [], {}]) await ask(stage, ada, say(data))
    expect(heard(ada).map(([, data]) => data)).toEqual([null, 0, false, '', [], {}])
  })

  it('[MESSAGE-3] with an id is acknowledged after the sender’s own copy, with its place', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    const { epoch } = ada.last('joined')
    const replies = await ask(stage, ada, say('a', { id: 'x' }), say('b'), say('c', { id: 0 }))
    expect(replies.map(({ type, offset, id }) => [type, offset, id])).toEqual([
      ['message', 1, undefined],
      ['ack', 1, 'x'],
      ['message', 2, undefined],
      ['message', 3, undefined],
      ['ack', 3, 0],
    ])
    expect(replies[1]).toEqual({ type: 'ack', id: 'x', room: 'main', epoch, offset: 1 })
  })

  it('[MESSAGE-4] sent again under the same id is taken once, and the ack says so', async () => {
    const stage = new Stage()
    const [ada, bob] = [await stage.member(), await stage.member()]
    await ask(stage, ada, say('a', { id: 1 }), say('b', { id: 2 }), say('a', { id: 1 }), say('other', { id: 1 }))
    expect(ada.of('ack').map(({ id, offset, duplicate }) => [id, offset, duplicate])).toEqual([
      [1, 1, undefined],
      [2, 2, undefined],
      [1, 1, true],
      [1, 1, true],
    ])
    for (const member of [ada, bob])
      expect(heard(member)).toEqual([
        [1, 'a'],
        [2, 'b'],
      ])
  })

  it('[MESSAGE-4] is recognised by session, room and id together', async () => {
    const stage = new Stage(byName)
    const [ada, tab] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'ada' })]
    await ask(stage, ada, { type: 'join', room: 'other' }, say(1, { id: 1 }), { ...say(1, { id: 1 }), room: 'other' })
    await ask(stage, tab, say(2, { id: 1 }))
    const acks = [...ada.of('ack'), ...tab.of('ack')]
    expect(acks.map(({ room, offset, duplicate }) => [room, offset, duplicate])).toEqual([
      ['main', 1, undefined],
      ['other', 1, undefined],
      ['main', 2, undefined],
    ])
  })

  it('[MESSAGE-4] is recognised among the last 256 requests of the session, however much others say', async () => {
    const stage = new Stage()
    const [ada, bob] = [await stage.member(), await stage.member()]
    await ask(stage, ada, say('first', { id: 'first' }), say('second', { id: 'second' }))
    await ask(stage, bob, ...Array.from({ length: 600 }, (_, id) => say(id, { id })))
    await ask(stage, ada, ...Array.from({ length: 255 }, (_, id) => say(id, { id })))
    const [again] = await ask(stage, ada, say('second', { id: 'second' }))
    expect(again).toMatchObject({ type: 'ack', offset: 2, duplicate: true })
    await ask(stage, ada, say('first', { id: 'first' }))
    expect(ada.last('ack')).not.toHaveProperty('duplicate')
  })

  it('[MESSAGE-4] is recognised until the session has been silent for 300 s, not longer', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    await ask(stage, ada, say('a', { id: 1 }))
    await stage.clock.advance(200_000)
    await ask(stage, ada, say('b', { id: 2 }))
    await stage.clock.advance(299_999)
    expect(await ask(stage, ada, say('a', { id: 1 }))).toMatchObject([{ type: 'ack', offset: 1, duplicate: true }])
    await stage.clock.advance(1)
    await ask(stage, ada, say('new', { id: 1 }))
    expect(ada.last('ack')).toMatchObject({ id: 1, offset: 3 })
    expect(heard(ada).at(-1)).toEqual([3, 'new'])
  })

  it('[MESSAGE-4] is recognised after a reconnect of the same session', async () => {
    const stage = new Stage(byName)
    const ada = await stage.member('main', { token: 'ada' })
    ada.send(say('a', { id: 1 }))
    ada.socket.cut()
    await stage.clock.settle()
    const before = await greet(stage, { token: 'ada', resume: claimOf(ada) })
    await ask(stage, before, say('a', { id: 1 }))
    const after = await greet(stage, { token: 'ada', resume: claimOf(ada) })
    await ask(stage, after, say('a', { id: 1 }))
    expect(after.last('ack')).toMatchObject({ offset: 1, duplicate: true })
    expect((await ask(stage, after, { type: 'history', room: 'main' }))[0]?.['messages']).toHaveLength(1)
  })

  it('[MESSAGE-5] reaches every connected member, the sender included, with who and when', async () => {
    const stage = new Stage(byName)
    const [ada, bob] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'bob' })]
    const outsider = await stage.member('other', { token: 'eve' })
    await stage.clock.advance(1_234)
    const at = stage.clock.now()
    await ask(stage, ada, say('hi'))
    const { session } = ada.last('welcome')
    for (const member of [ada, bob]) {
      expect(member.of('message')).toMatchObject([{ room: 'main', offset: 1, at, from: { user: 'ada', session } }])
    }
    expect(outsider.of('message')).toEqual([])
  })

  it('[MESSAGE-6] carries data and meta as they were meant', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    const text = '{"b":1e2,"a":["\\ud800",{"__proto__":{"x":1}},-0.5,"\\u0000"],"d":"not a date"}'
    const meta = { values: { d: ['Date'] }, v: 1 }
    await ask(stage, ada, `{"type":"message","room":"main","data":${text},"meta":${JSON.stringify(meta)}}`)
    const { data, meta: received } = ada.last('message')
    expect(data).toEqual(JSON.parse(text))
    expect(Object.keys(data as object)).toEqual(['b', 'a', 'd'])
    expect(received).toEqual(meta)
  })
})

describe('ack', () => {
  it('[ACK-1] carries what the request was about', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    await ask(stage, ada, { type: 'presence', room: 'main', state: 1, id: 1 })
    await ask(stage, ada, { type: 'typing', room: 'main', typing: true, id: 2 }, say('x', { id: 3 }))
    const { epoch } = ada.last('joined')
    expect(ada.of('ack')).toEqual([
      { type: 'ack', id: 1, room: 'main' },
      { type: 'ack', id: 2, room: 'main' },
      { type: 'ack', id: 3, room: 'main', epoch, offset: 1 },
    ])
  })
})
