import { describe, expect, it } from 'vitest'
import { memoryHistory } from '../../src/runtime/room/memory-history.ts'
import { Stage } from '../stage.ts'
import { ask, byName, greet } from './cast.ts'

/** Every request there is, and one that fails in every way; each with the reply that it gets, in an order that works. */
const requests = [
  [{ type: 'hello' }, 'welcome'],
  [{ type: 'hello', resume: { session: 'no', secret: 'no' } }, 'welcome'],
  [{ type: 'hello', token: 1 }, 'error'],
  [{ type: 'auth', token: 'ada' }, 'authenticated'],
  [{ type: 'auth', token: 'bad' }, 'error'],
  [{ type: 'auth', token: 'bob' }, 'error'],
  [{ type: 'auth' }, 'error'],
  [{ type: 'join', room: 'main', presence: 1 }, 'joined'],
  [{ type: 'join', room: 'main' }, 'joined'],
  [{ type: 'join', room: '' }, 'error'],
  [{ type: 'join', room: 'big', presence: 'x'.repeat(3_000) }, 'error'],
  [{ type: 'message', room: 'main', data: 1 }, 'ack'],
  [{ type: 'message', room: 'main' }, 'error'],
  [{ type: 'message', room: 'other', data: 1 }, 'error'],
  [{ type: 'message', room: 'main', data: 1, meta: 1 }, 'error'],
  [{ type: 'presence', room: 'main', state: 2 }, 'ack'],
  [{ type: 'presence', room: 'main', state: 2 }, 'ack'],
  [{ type: 'presence', room: 'main', state: 'x'.repeat(3_000) }, 'error'],
  [{ type: 'presence', room: 'other', state: 2 }, 'error'],
  [{ type: 'typing', room: 'main', typing: true }, 'ack'],
  [{ type: 'typing', room: 'main', typing: true }, 'ack'],
  [{ type: 'typing', room: 'main', typing: false }, 'ack'],
  [{ type: 'typing', room: 'other', typing: true }, 'error'],
  [{ type: 'history', room: 'main' }, 'history'],
  [{ type: 'history', room: 'main', limit: 0 }, 'error'],
  [{ type: 'history', room: 'other' }, 'error'],
  [{ type: 'ping' }, 'pong'],
  [{ type: 'leave', room: 'main' }, 'left'],
  [{ type: 'leave', room: 'main' }, 'error'],
  [{ type: 'jump' }, 'error'],
] as const

describe('a request', () => {
  it('[REQUEST-2] with an id gets exactly one reply, under the same id', async () => {
    const stage = new Stage(byName)
    const ada = await greet(stage, { token: 'ada' })
    for (const [index, [request, reply]] of requests.entries()) {
      const id = index % 2 === 0 ? index : `${index}`
      const replies = (await ask(stage, ada, { ...request, id })).filter((message) => 'id' in message)
      expect([request, replies.map((message) => [message.type, message['id']])]).toEqual([request, [[reply, id]]])
    }
  })

  it('[REQUEST-2] gets its one reply also among many that are sent at once', async () => {
    const stage = new Stage(byName)
    const ada = await greet(stage, { token: 'ada' })
    const replies = await ask(stage, ada, ...requests.map(([request], id) => ({ ...request, id })))
    const ids = replies.flatMap((message) => ('id' in message ? [message['id']] : []))
    expect(ids.toSorted((a, b) => Number(a) - Number(b))).toEqual(requests.map((_, id) => id))
  })

  it('[REQUEST-2] has a reply of the id’s own type: 1 is not "1"', async () => {
    const stage = new Stage()
    const ada = await stage.member()
    const replies = await ask(
      stage,
      ada,
      { type: 'message', room: 'main', data: 'a', id: 1 },
      { type: 'message', room: 'main', data: 'b', id: '1' },
    )
    expect(replies.filter(({ type }) => type === 'ack').map(({ id, offset }) => [id, offset])).toEqual([
      [1, 1],
      ['1', 2],
    ])
  })

  it('[REQUEST-3] without an id gets what it asks for and the error, but no ack', async () => {
    const stage = new Stage(byName)
    const ada = await greet(stage, { token: 'ada' })
    for (const [request, reply] of requests) {
      const replies = await ask(stage, ada, request)
      const kinds = replies.map(({ type }) => type).filter((type) => type !== 'message' && type !== 'presence')
      expect([request, kinds]).toEqual([request, reply === 'ack' ? [] : [reply]])
      expect(replies.some((message) => 'id' in message)).toBe(false)
    }
  })

  it('[REQUEST-4] is handled in its turn in its room, and need not wait for another room', async () => {
    const memory = memoryHistory(() => 'epoch')
    let open = (): void => {}
    const slow = new Promise<void>((resolve) => (open = resolve))
    const stage = new Stage({
      history: {
        open: async (room, limits) => {
          if (room === 'slow') await slow
          return memory.open(room, limits)
        },
      },
    })
    const ada = await stage.connect()
    const sent = ['slow', 'quick'].flatMap((room) => [
      { type: 'join', room, id: `${room} 1` },
      { type: 'message', room, data: 1, id: `${room} 2` },
      { type: 'history', room, id: `${room} 3` },
      { type: 'leave', room, id: `${room} 4` },
    ])
    const answered = (replies: { readonly [key: string]: unknown }[]) => replies.flatMap(({ id }) => id ?? [])
    const [slowIds, quickIds] = ['slow', 'quick'].map((room) => [1, 2, 3, 4].map((n) => `${room} ${n}`))
    expect(answered(await ask(stage, ada, ...sent))).toEqual(quickIds)
    open()
    expect(answered(await ask(stage, ada))).toEqual(slowIds)
  })

  it.each([0, -1, 2 ** 53 - 1, 'x', '\u{1f600}', 'x'.repeat(64), '__proto__', '\ud800'])(
    '[REQUEST-1] may have the id %j',
    async (id) => {
      const stage = new Stage()
      expect(await ask(stage, await stage.connect(), { type: 'ping', id })).toEqual([{ type: 'pong', id }])
    },
  )

  it.each(['""', 'null', 'true', '1.5', '1e400', '9007199254740992', '{}', '[1]', `"${'x'.repeat(65)}"`])(
    '[REQUEST-1] may not have the id %s',
    async (id) => {
      const stage = new Stage()
      const replies = await ask(stage, await stage.connect(), `{"type":"ping","id":${id}}`)
      expect(replies).toEqual([{ type: 'error', code: 'bad-message', message: expect.any(String) as string }])
    },
  )
})
