import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hostileFrames, type HostileFrame, type JsonSchema } from '../../src/testing/index.ts'
import { lobbyConnection } from '../../examples/lobby/lobby-connection.ts'
import { ask, byName, greet, heard } from '../protocol/cast.ts'
import { Stage, type RawClient } from '../stage.ts'

/** Everything that is to be broken. */
const everything = [
  'JSON that is cut short',
  'JSON that is not an object',
  'a binary frame that is none',
  'a binary header of another type',
  'a binary header that is no message',
  'a binary header that is not JSON',
  'a binary header with a field of another kind',
  'a binary header with what only text carries',
  'a field of another kind',
  'a field that is missing',
  'a field that nobody knows',
  'a field that only the server may set',
  'a frame that is too large',
  'a meta that does not fit its data',
  'a meta that is not allowed',
  'a name twice',
  'a name twice, the last one wrong',
  'a number that is out of bounds',
  'a reply that names no request',
  'a reply to what nobody asked',
  'a room name that is empty',
  'a room name that is too long',
  'a room name with a control character',
  'a room name with half a surrogate pair',
  'a type that is not text',
  'a type that nobody knows',
  'an id that is none',
  'data of too many parts',
  'data that is a little too deep',
  'data that is far too deep',
  'data that its schema does not allow',
  'no type',
  'text that is not JSON',
]

const square = {
  type: 'object',
  properties: { square: { type: 'integer', minimum: 0, maximum: 8 } },
  required: ['square'],
}
const messages = { move: square, resign: false, chat: true }
const hostile = hostileFrames({ rooms: ['pit'], messages })

/** A lobby, where `move` and `resign` are messages that nobody may send yet, and a handler that takes all. */
const lobby = { ...byName, connection: lobbyConnection, handlers: { chat: () => undefined } }

/** A member who notices what is not for its eyes: it has heard what it is told to have heard, and nothing else. */
async function bystander(stage: Stage): Promise<{ check: () => Promise<void> }> {
  const [ada, bob] = [await stage.member('main', { token: 'ada' }), await stage.member('main', { token: 'bob' })]
  const before = bob.received.length
  let lines = 0
  const check = async (): Promise<void> => {
    const data = `line ${++lines}`
    expect(await ask(stage, ada, { type: 'message', room: 'main', data, id: data })).toMatchObject([
      { type: 'message', data },
      { type: 'ack', id: data, offset: lines },
    ])
    expect(bob.received.slice(before)).toHaveLength(lines)
    expect(heard(bob).at(-1)).toEqual([lines, data])
    expect([ada.closed, bob.closed]).toEqual([[], []])
  }
  return { check }
}

/** A client in the pit; what it receives in binary frames it does not look at. */
async function attacker(stage: Stage): Promise<RawClient> {
  const eve = await greet(stage, { token: 'eve' })
  await ask(stage, eve, { type: 'join', room: 'pit' })
  const { onmessage } = eve.socket
  eve.socket.onmessage = (event) => (typeof event.data === 'string' ? onmessage?.(event) : undefined)
  return eve
}

const send = ({ socket }: RawClient, { frame }: HostileFrame): void => socket.send(frame)

/** The id that a frame has as PROTOCOL.md understands one; nothing when it has none that can be read. */
function idOf({ frame }: HostileFrame): unknown {
  if (typeof frame !== 'string') return undefined
  try {
    const { id } = JSON.parse(frame) as { id?: unknown }
    const isId = typeof id === 'string' ? id !== '' && id.length <= 64 : Number.isSafeInteger(id)
    return isId ? id : undefined
  } catch {
    return undefined
  }
}

/** Sees that a frame alone got what it is said to get, from a connection that is in the pit. */
async function checkAnswer(stage: Stage, eve: RawClient, hostile: HostileFrame): Promise<void> {
  const before = eve.received.length
  send(eve, hostile)
  await stage.clock.settle()
  const errors = eve.received.slice(before).filter(({ type }) => type === 'error')
  const { answer } = hostile
  if (answer === 1009) {
    expect(eve.closed).toEqual([{ code: 1009, reason: '' }])
    return
  }
  expect(eve.closed).toEqual([])
  if (answer === 'served') expect(errors).toEqual([])
  else if (answer === 'application') {
    // The lobby's machine does not take its messages now; the handler takes any data that can be rebuilt.
    const isHandled = String(hostile.frame).includes('"type":"chat"')
    for (const { code } of errors) expect(code).toBe(isHandled ? 'bad-meta' : 'not-allowed')
    expect(errors.length).toBeLessThanOrEqual(1)
    if (!isHandled) expect(errors).toHaveLength(1)
  } else {
    const id = idOf(hostile)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatchObject({ code: answer, ...(id === undefined ? {} : { id }) })
    if (typeof hostile.frame === 'string' && id === undefined) expect(errors[0]).not.toHaveProperty('id')
    expect(eve.received.slice(before)).toHaveLength(1)
  }
  expect(await ask(stage, eve, { type: 'ping', id: 'still there' })).toEqual([{ type: 'pong', id: 'still there' }])
}

describe('hostile frames', () => {
  it('break all that there is to break, each thing often enough to be met', () => {
    const met = new Map<string, number>()
    for (const { breaks } of fc.sample(hostile, { numRuns: 3_000, seed: 9 }))
      met.set(breaks, (met.get(breaks) ?? 0) + 1)
    expect([...met.keys()].toSorted()).toEqual(everything.toSorted())
    expect(Math.min(...met.values())).toBeGreaterThan(5)
  })

  it('[FRAME-5] get what the protocol says, each of them, and their sender goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 20, size: 'max' }), async (frames) => {
        const stage = new Stage(lobby)
        const { check } = await bystander(stage)
        for (const frame of frames) {
          const eve = await attacker(stage)
          await checkAnswer(stage, eve, frame)
          eve.socket.close(1000)
        }
        await check()
        await stage.close()
      }),
      { numRuns: 100 },
    )
  })

  it('[ISOLATE] are noticed by nobody else, however many one client sends, and leave nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(hostile, { maxLength: 60, size: 'max' }), fc.boolean(), async (frames, early) => {
        const stage = new Stage(lobby)
        const { check } = await bystander(stage)
        const eve = early ? await stage.connect({ protocol: 'greenroom.v1' }) : await attacker(stage)
        eve.socket.onmessage = null
        for (const frame of frames) send(eve, frame)
        await check()
        eve.socket.cut()
        await check()
        expect(stage.telemetry.filter(({ type }) => type === 'actor.crashed')).toEqual([])
        await stage.close()
      }),
      { numRuns: 60 },
    )
  })

  it('[FRAME-4] are as large as the server’s limit makes them', () => {
    for (const frameBytes of [1_000, 300_000]) {
      const sized = hostileFrames({ frameBytes })
      for (const { answer, frame } of fc.sample(sized, { numRuns: 500, seed: 4 })) {
        expect(Buffer.byteLength(frame) > frameBytes).toBe(answer === 1009)
      }
    }
  })

  it('break no schema that allows all, and one that nothing satisfies by any data', () => {
    const labels = (schema: JsonSchema): Set<string> =>
      new Set(fc.sample(hostileFrames({ messages: { move: schema } }), 1_000).map(({ breaks }) => breaks))
    expect(labels({})).not.toContain('data that its schema does not allow')
    expect(labels(false)).toContain('data that its schema does not allow')
  })

  it('are shown in full when they are short, and in part when they are not', () => {
    const shown = fc.sample(hostile, { numRuns: 1_000, seed: 6 }).map((frame) => ({ frame, text: fc.stringify(frame) }))
    for (const { frame, text } of shown) {
      expect(text).toContain(`${frame.breaks} (${frame.answer}): `)
      expect(text.length).toBeLessThan(2_000)
    }
    const short = shown.find(({ frame }) => typeof frame.frame === 'string' && frame.frame.length < 100)
    expect(short?.text).toContain(JSON.stringify(short?.frame.frame))
  })
})
