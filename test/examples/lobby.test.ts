import { describe, expect, expectTypeOf, it } from 'vitest'
import { connectionSetup } from 'greenroom'
import { lobbyConnection, type PlayerEvent } from '../../examples/lobby/lobby-connection.ts'
import { Stage } from '../stage.ts'

describe('a connection machine of one’s own', () => {
  it('takes messages where its states name them, and refuses them elsewhere', async () => {
    const stage = new Stage({ connection: lobbyConnection })
    const ada = await stage.connect()
    const bob = await stage.member('table')
    ada.send({ type: 'move', data: { square: 1 }, id: 1 })
    ada.send({ type: 'ready', id: 2 })
    ada.send({ type: 'start', id: 3 })
    ada.send({ type: 'move', data: { square: 4 }, id: 4 })
    ada.send({ type: 'move', id: 7 })
    ada.send({ type: 'resign', id: 5 })
    ada.send({ type: 'move', data: { square: 5 }, id: 6 })
    await stage.clock.settle()
    expect(ada.of('error')).toEqual([
      expect.objectContaining({ code: 'not-allowed', id: 1 }),
      expect.objectContaining({ code: 'not-allowed', id: 7 }),
      expect.objectContaining({ code: 'not-allowed', id: 6 }),
    ])
    expect(ada.of('ack').map(({ id }) => id)).toEqual([2, 3, 4, 5])
    expect(ada.of('started')).toHaveLength(1)
    expect(bob.last('message')).toMatchObject({ data: { square: 4, move: 1 } })
  })

  it('takes the protocol’s messages beside its own, and no others', async () => {
    const stage = new Stage({ connection: lobbyConnection })
    const ada = await stage.member('hall')
    ada.send({ type: 'message', room: 'hall', data: 'hi' })
    ada.send({ type: 'socket.closed', id: 7 })
    ada.send({ type: 'client.ready', id: 8 })
    await stage.clock.settle()
    expect(ada.last('message')).toMatchObject({ data: 'hi' })
    expect(ada.of('error').map(({ code, id }) => [code, id])).toEqual([
      ['unknown-type', 7],
      ['unknown-type', 8],
    ])
  })

  it('answers messages that were held before the welcome in the states that they lead to', async () => {
    const stage = new Stage({ connection: lobbyConnection, authenticate: async () => ({ id: 'ada' }) })
    const ada = await stage.connect({ protocol: 'greenroom.v1' })
    ada.send({ type: 'ready', id: 1 })
    ada.send({ type: 'ready', id: 2 })
    ada.send({ type: 'hello' })
    await stage.clock.settle()
    expect(ada.received.map(({ type, id }) => [type, id])).toEqual([
      ['welcome', undefined],
      ['ack', 1],
      ['error', 2],
      ['joined', undefined],
    ])
  })

  it('answers what its states do not take of the protocol', async () => {
    const stage = new Stage({ connection: lobbyConnection })
    const ada = await stage.connect()
    ada.send({ type: 'auth', token: 'fresh', id: 1 })
    await stage.clock.settle()
    expect(ada.last('error')).toMatchObject({ code: 'not-allowed', id: 1 })
  })

  it('is refused when no state of it is tagged open', () => {
    const machine = connectionSetup().createMachine({
      context: ({ input }) => ({ link: input.link, identity: undefined, reason: undefined }),
    })
    expect(() => new Stage({ connection: machine })).toThrow("no state tagged 'open'")
  })

  it('is typed end to end', () => {
    expectTypeOf<PlayerEvent['type']>().toExtend<`client.${string}`>()
    const setup = connectionSetup<{ moves: number }, PlayerEvent>()
    const context = { link: {}, identity: undefined, reason: undefined, moves: 0 }
    setup.createMachine({ context, on: { 'client.move': { actions: ({ event }) => void event.data.square } } })
    // @ts-expect-error the data of a move has no such field
    setup.createMachine({ context, on: { 'client.move': { actions: ({ event }) => void event.data.colour } } })
    // @ts-expect-error no such action is declared
    setup.createMachine({ context, entry: 'explode' })
    // @ts-expect-error no such reason is known
    setup.createMachine({ context, entry: { type: 'end', params: { reason: 'boredom' } } })
    // @ts-expect-error a field of the context is missing
    setup.createMachine({ context: { link: {}, identity: undefined, reason: undefined } })
    // @ts-expect-error events of one's own are named client.…
    connectionSetup<object, { type: 'ready' }>()
  })
})
