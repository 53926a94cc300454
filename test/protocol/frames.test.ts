import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'
import { ask, heard } from './cast.ts'

/** The codes of the errors that a frame is answered by. */
async function answers(stage: Stage, frame: string): Promise<unknown[]> {
  return (await ask(stage, await stage.connect(), frame)).map(({ type, code }) => (type === 'error' ? code : type))
}

describe('a text frame', () => {
  it.each(['', ' ', 'hello', '{', '{"type":"ping"', "{'type':'ping'}", '{"type":"ping"}{}', 'undefined', '\u0000'])(
    '[FRAME-1] that is not JSON is answered bad-json: %j',
    async (frame) => {
      expect(await answers(new Stage(), frame)).toEqual(['bad-json'])
    },
  )

  it.each(['null', '1', '"ping"', '[]', '[{"type":"ping"}]', '{}', '{"type":1}', '{"type":null}', '{"type":["ping"]}'])(
    '[FRAME-1] that is not an object with a type is answered bad-message: %j',
    async (frame) => {
      expect(await answers(new Stage(), frame)).toEqual(['bad-message'])
    },
  )

  it.each(['', 'Ping', 'welcome', 'joined', 'application', 'constructor', '__proto__', 'toString', 'socket.closed'])(
    '[FRAME-2] of the unknown type %j is answered unknown-type',
    async (type) => {
      expect(await answers(new Stage(), JSON.stringify({ type }))).toEqual(['unknown-type'])
    },
  )

  it('[FRAME-3] keeps what only the server may say from the client', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    const bob = await stage.member()
    const forged = {
      from: { user: 'root', session: 'x' },
      at: 1,
      offset: 99,
      epoch: 'mine',
      session: 'x',
      user: 'root',
    }
    await ask(stage, ada, { type: 'message', room: 'main', data: 'hi', ...forged, whatever: [{}] })
    const { user, session } = ada.last('welcome')
    const { epoch } = bob.last('joined')
    expect(bob.last('message')).toEqual({
      type: 'message',
      room: 'main',
      epoch,
      offset: 1,
      at: stage.clock.now(),
      from: { user, session },
      data: 'hi',
    })
  })

  it('[FRAME-3] may hold fields called like those of every object', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    await ask(stage, ada, '{"__proto__":{"type":"ping"},"constructor":1,"type":"message","room":"main","data":1}')
    expect(heard(ada)).toEqual([[1, 1]])
  })

  it('[FRAME-4] of more than the limit closes the connection with 1009, one of just that size does not', async () => {
    const stage = new Stage()
    const { limits } = (await stage.connect()).last('welcome') as unknown as { limits: { frameBytes: number } }
    // More bytes than characters: it is bytes that count.
    const start = `{"type":"ping","x":"${'ä'.repeat(30_000)}`
    const sized = (bytes: number): string => `${start}${'x'.repeat(bytes - Buffer.byteLength(start) - 2)}"}`
    const fits = await stage.connect()
    expect(await ask(stage, fits, sized(limits.frameBytes))).toEqual([{ type: 'pong' }])
    const exceeds = await stage.connect()
    expect(await ask(stage, exceeds, sized(limits.frameBytes + 1))).toEqual([])
    expect(exceeds.closed).toMatchObject([{ code: 1009 }])
    expect(fits.closed).toEqual([])
  })

  it('[FRAME-5] that cannot be understood disturbs neither the connection nor the order', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    const say = (data: number): object => ({ type: 'message', room: 'main', data, id: data })
    const replies = await ask(stage, ada, say(1), '{', say(2), '{"type":"jump","id":3}', 'null', say(4))
    const order = replies.filter(({ type }) => type !== 'message').map(({ id, code }) => id ?? code)
    expect(order).toEqual([1, 'bad-json', 2, 3, 'bad-message', 4])
    expect(heard(ada)).toEqual([
      [1, 1],
      [2, 2],
      [3, 4],
    ])
    expect(ada.closed).toEqual([])
  })
})
