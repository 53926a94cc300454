import { describe, expect, it } from 'vitest'
import { RequestError } from 'greenroom'
import { decodeClientMessage } from '../../src/protocol/index.ts'
import { memoryHistory } from '../../src/runtime/room/memory-history.ts'
import { ask, byName } from '../protocol/cast.ts'
import { Stage } from '../stage.ts'

const deep = '['.repeat(8_000) + ']'.repeat(8_000)
const requests = [
  '"type":"typing","typing":true',
  '"type":"leave"',
  '"type":"history"',
  '"type":"join"',
  '"type":"presence","state":1',
  '"type":"message","data":1',
]
const strangers = ['data', 'presence', 'state', 'meta', 'bytes', 'key', 'x']

/** Every request with a field that is none of its own, and deeper than a stack. */
const frames = requests.flatMap((request) =>
  strangers
    .filter((name) => !request.includes(`"${name}":`))
    .map((name, i) => `{${request},"room":"main","id":"${name} ${i}","${name}":${deep}}`),
)

describe('what waits', () => {
  it('[ISOLATE] in a room whose log takes its time is no more than its kind of message may hold', async () => {
    const memory = memoryHistory(() => 'epoch')
    let open = (): void => {}
    const kept: (() => void)[] = []
    const stage = new Stage({
      ...byName,
      roomOpenTimeoutMs: 60_000,
      history: {
        open: async (room, limits) => {
          await new Promise<void>((resolve) => (open = resolve))
          const log = await memory.open(room, limits)
          const append = log.append.bind(log)
          log.append = async (...said) => {
            await new Promise<void>((resolve) => void kept.push(resolve))
            return append(...said)
          }
          return log
        },
      },
    })
    const bob = await stage.connect({ token: 'bob' })
    const eve = await stage.connect({ token: 'eve' })
    bob.send({ type: 'join', room: 'main' })
    await ask(stage, eve, { type: 'join', room: 'main' }, ...frames)
    open()
    await stage.clock.settle()
    await ask(stage, eve, { type: 'join', room: 'main' }, { type: 'message', room: 'main', data: 1 }, ...frames)
    for (let keep = kept.shift(); keep !== undefined; keep = kept.shift()) {
      keep()
      await stage.clock.settle()
    }
    expect(stage.telemetry.filter(({ type }) => type === 'actor.crashed')).toEqual([])
    expect(bob.of('error')).toEqual([])
    expect(bob.of('message').length).toBeGreaterThan(0)
  })

  it('[BOUND] holds nothing that nobody has counted', () => {
    const junk = `"junk":[${Array.from({ length: 20_000 }, () => '{}').join(',')}]`
    for (const request of requests) {
      const { message } = decodeClientMessage(`{${request},"room":"main",${junk}}`)
      // The text of the data is counted beside the data.
      const { dataText: _, ...parsed } = message as { dataText?: string }
      expect(parsed).toEqual(JSON.parse(`{${request},"room":"main"}`))
    }
    const long = 'x'.repeat(60_000)
    const since = (epoch: string): string =>
      `{"type":"join","room":"a","since":{"epoch":"${epoch}","offset":1,"junk":1}}`
    expect(decodeClientMessage(since(long)).error).toMatchObject({ code: 'bad-message' })
    expect(decodeClientMessage(since('e')).message).toEqual({
      type: 'join',
      room: 'a',
      since: { epoch: 'e', offset: 1 },
    })
  })

  it('[CALL-1] is answered whatever a handler throws, or its promise is rejected with', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const odd: unknown[] = [undefined, null, proxy, Object.create(null), 7n, Symbol('odd'), () => {}]
    const odder = [new RequestError(11_000 as never), new RequestError(7n as never, {} as never)]
    const stage = new Stage({
      handlers: {
        throws: (i) => {
          throw [...odd, ...odder][Number(i)]
        },
        rejects: async (i) => Promise.reject([...odd, ...odder][Number(i)]),
      },
    })
    const ada = await stage.connect()
    for (const type of ['throws', 'rejects']) {
      for (const i of odd.keys()) {
        expect(await ask(stage, ada, { type, data: i, id: `${type} ${i}` })).toMatchObject([{ code: 'internal' }])
      }
      expect(await ask(stage, ada, { type, data: odd.length, id: `${type} code` })).toMatchObject([{ code: '11000' }])
      expect(await ask(stage, ada, { type, data: odd.length + 1, id: `${type} big` })).toMatchObject([{ code: '7' }])
    }
  })

  it('[CLOSED] to be let in is cut off with the rest, though it never became a connection', async () => {
    const stage = new Stage()
    const ada = await stage.connect()
    ada.socket.pause()
    const closing = stage.runtime.close()
    const late = stage.transport.connect()
    late.pause()
    await stage.clock.advance(5_000)
    await closing
    late.resume()
    await stage.clock.settle()
    expect(late.readyState).toBe(3)
    expect(stage.clock.pending).toBe(0)
  })
})
