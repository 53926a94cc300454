import { describe, expect, it } from 'vitest'
import { connectionSetup } from 'greenroom'
import { decodeData, encodeData } from 'greenroom/protocol'
import { Stage } from '../stage.ts'
import { unrulyConnection } from '../unruly-connection.ts'

describe('a runtime under attack', () => {
  it('[ISOLATE] is not crashed by a deep field that nobody knows', async () => {
    const stage = new Stage()
    const ada = await stage.connect()
    const deep = '['.repeat(8_000) + ']'.repeat(8_000)
    ada.send({ type: 'join', room: 'pit' })
    ada.send(`{"type":"leave","room":"pit","id":1,"x":${deep}}`)
    await stage.clock.settle()
    expect(ada.last('left')).toMatchObject({ id: 1 })
    expect(stage.telemetry.filter(({ type }) => type === 'actor.crashed')).toEqual([])
  })

  it('[CLOSED] gives up the socket of a crashed connection that does not answer', async () => {
    const stage = new Stage({ connection: unrulyConnection })
    const ada = await stage.member('main')
    ada.socket.pause()
    ada.send({ type: 'throw' })
    await stage.clock.advance(6_000)
    ada.socket.resume()
    await stage.clock.settle()
    expect(ada.closed).toHaveLength(1)
    expect(stage.telemetry).toContainEqual(expect.objectContaining({ type: 'connection.closed', reason: 'crashed' }))
  })

  it('answers a renewal where nobody checks credentials', async () => {
    const stage = new Stage()
    const ada = await stage.connect()
    ada.send({ type: 'auth', token: 'x', id: 7 })
    await stage.clock.settle()
    expect(ada.last('error')).toMatchObject({ code: 'not-authenticated', id: 7 })
  })

  it('lets no chart take event types of its clients’ choosing', () => {
    const machine = connectionSetup().createMachine({
      context: ({ input }) => ({ link: input.link, identity: undefined, reason: undefined }),
      initial: 'open',
      states: { open: { tags: 'open', on: { 'client.*': { actions: 'handleMessage' } } as never } },
    })
    expect(() => new Stage({ connection: machine })).toThrow("'client.*'")
  })
})

describe('data', () => {
  class Point {
    x = 1
  }
  const loop: unknown[] = [new Date(0)]
  loop.push(loop)

  it.each([
    ['a function', { d: new Date(0), f: () => {} }],
    ['an instance of a class', { d: new Date(0), p: new Point() }],
    ['a symbol', { d: new Date(0), s: Symbol('s') }],
    ['an invalid date', { n: 1n, d: new Date(Number.NaN) }],
    ['something that holds itself', new Map([[1, loop]])],
  ])('is refused with %s in it, not shortened', (_name, value) => {
    expect(() => encodeData(value)).toThrow(TypeError)
  })

  it('is not made longer by its meta', () => {
    const meta = { values: { '4294967294': ['undefined'] }, v: 1 }
    expect(() => decodeData({ data: [], meta })).toThrow(TypeError)
  })
})
