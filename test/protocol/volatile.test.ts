import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBinary, encodeBinary } from '../../src/protocol/index.ts'
import { Stage, type RawClient } from '../stage.ts'
import { ask, byName, claimOf, greet, heard, replayed } from './cast.ts'

const say = (data: unknown, fields: object = {}): object => ({ type: 'message', room: 'main', data, ...fields })
const hint = (data: unknown, fields: object = {}): object => say(data, { volatile: true, ...fields })

/** Two members of a room, and the room's epoch. */
async function two(stage: Stage): Promise<{ ada: RawClient; bob: RawClient; epoch: unknown }> {
  const ada = await stage.member('main', { token: 'ada' })
  const bob = await stage.member('main', { token: 'bob' })
  return { ada, bob, epoch: ada.last('joined')['epoch'] }
}

describe('a volatile message', () => {
  it('[VOLATILE-1] reaches every member without a place in the log, and changes nobody else’s', async () => {
    const stage = new Stage(byName)
    const { ada, bob, epoch } = await two(stage)
    await ask(stage, ada, say('a'), hint('x', { meta: { values: ['Date'] } }), hint('y'), say('b'), hint(null))
    expect(heard(bob)).toEqual([
      [1, 'a'],
      [undefined, 'x'],
      [undefined, 'y'],
      [2, 'b'],
      [undefined, null],
    ])
    expect(heard(ada)).toEqual(heard(bob))
    const from = { user: 'ada', session: ada.last('welcome')['session'] }
    const at = stage.clock.now()
    expect(bob.of('message')[1]).toEqual({
      type: 'message',
      room: 'main',
      volatile: true,
      at,
      from,
      data: 'x',
      meta: { values: ['Date'] },
    })
    const [history] = await ask(stage, bob, { type: 'history', room: 'main', id: 1 })
    expect(replayed(history).map(({ offset, data }) => [offset, data])).toEqual([
      [1, 'a'],
      [2, 'b'],
    ])
    const [joined] = await ask(stage, bob, { type: 'join', room: 'main', since: { epoch, offset: 0 } })
    expect(joined).toMatchObject({ recovered: true, offset: 2 })
    expect(replayed(joined).map(({ offset }) => offset)).toEqual([1, 2])
  })

  it('[VOLATILE-1] is acknowledged without an offset, and sent again is another message', async () => {
    const stage = new Stage(byName)
    const { ada, bob } = await two(stage)
    const replies = await ask(stage, ada, hint('x', { id: 1 }), hint('x', { id: 1 }), hint('y'), say('z', { id: 1 }))
    expect(replies.filter(({ type }) => type === 'ack')).toEqual([
      { type: 'ack', id: 1, room: 'main' },
      { type: 'ack', id: 1, room: 'main' },
      { type: 'ack', id: 1, room: 'main', epoch: ada.last('joined')['epoch'], offset: 1 },
    ])
    expect(heard(bob)).toEqual([
      [undefined, 'x'],
      [undefined, 'x'],
      [undefined, 'y'],
      [1, 'z'],
    ])
    // `false` is as good as nothing.
    expect(await ask(stage, ada, say('z', { id: 2, volatile: false }))).toMatchObject([{ offset: 2 }, { offset: 2 }])
  })

  it('[VOLATILE-1] is refused where any message is', async () => {
    const stage = new Stage()
    const ada = await stage.connect()
    expect(await ask(stage, ada, hint('x', { id: 1 }))).toMatchObject([{ code: 'not-a-member', id: 1 }])
    await ask(stage, ada, { type: 'join', room: 'main' })
    const wrong = [{ volatile: 'yes' }, { volatile: 1 }, { volatile: null }, { key: 7 }, { key: 'k'.repeat(65) }]
    const codes = await ask(stage, ada, ...wrong.map((fields, id) => say('x', { id, ...fields })))
    expect(codes.map(({ code, id }) => [code, id])).toEqual(wrong.map((_, id) => ['bad-message', id]))
    const deep = JSON.stringify(hint(0)).replace('0', '['.repeat(40) + ']'.repeat(40))
    expect(await ask(stage, ada, deep)).toMatchObject([{ code: 'bad-data' }])
    expect(await ask(stage, ada, hint('x', { meta: { values: ['symbol'] } }))).toMatchObject([{ code: 'bad-meta' }])
    expect(ada.of('message')).toEqual([])
  })

  it('[VOLATILE-1] [GAPLESS] does not move the place from which its receivers recover', async () => {
    const stage = new Stage(byName)
    const { ada, bob, epoch } = await two(stage)
    await ask(stage, ada, say('seen'), hint('9'), hint({ offset: 99, epoch: 'other' }, { offset: 99, epoch: 'other' }))
    const last = bob.of('message').findLast((message) => 'offset' in message)
    expect(last).toMatchObject({ offset: 1, epoch })
    bob.socket.cut()
    await ask(stage, ada, hint('missed for good'), say('missed'), hint('again'))
    const back = await greet(stage, { token: 'bob', resume: claimOf(bob) })
    const [joined] = await ask(stage, back, { type: 'join', room: 'main', since: { epoch, offset: 1 } })
    expect(joined).toMatchObject({ recovered: true, offset: 2 })
    expect(replayed(joined).map(({ offset, data }) => [offset, data])).toEqual([[2, 'missed']])
    // Also when nothing but volatile messages was ever said before the cut.
    await ask(stage, back, { type: 'leave', room: 'main' })
    await ask(stage, ada, hint('nothing kept'))
    const [again] = await ask(stage, back, { type: 'join', room: 'main', since: { epoch, offset: 2 } })
    expect(again).toMatchObject({ recovered: true, offset: 2, messages: [] })
  })

  it('[VOLATILE-1] is dropped for members who are congested, and for them only', async () => {
    const stage = new Stage(byName)
    const { ada, bob } = await two(stage)
    const slow = await stage.member('main', { token: 'slow' })
    slow.socket.pause()
    // What the socket takes at once it takes; from then on the member is behind.
    await ask(stage, ada, say('x'.repeat(20_000)), hint('early'))
    for (let i = 0; i < 3; i++) await ask(stage, ada, hint(i), say(`said ${i}`))
    slow.socket.resume()
    await ask(stage, ada, hint('late'))
    expect(bob.of('message').filter(({ volatile }) => volatile === true)).toHaveLength(5)
    expect(heard(slow).slice(2)).toEqual([
      [2, 'said 0'],
      [3, 'said 1'],
      [4, 'said 2'],
      [undefined, 'late'],
    ])
    expect(slow.closed).toEqual([])
  })

  it('[VOLATILE-1] [BOUND] never makes a reader slow enough to be closed', async () => {
    const stage = new Stage({ ...byName, outboxBytes: 100_000 })
    const { ada, bob } = await two(stage)
    bob.socket.pause()
    for (let i = 0; i < 100; i++) await ask(stage, ada, hint('x'.repeat(10_000)))
    await stage.clock.advance(5_000)
    bob.socket.resume()
    await ask(stage, ada, say('done'))
    expect(bob.closed).toEqual([])
    expect(heard(bob).at(-1)).toEqual([1, 'done'])
  })

  it('[VOLATILE-1] [BINARY-3] may be bytes', async () => {
    const stage = new Stage(byName)
    const { ada, bob } = await two(stage)
    const [sent, received]: unknown[][] = [[], []]
    ada.socket.onmessage = ({ data }) => sent?.push(data)
    bob.socket.onmessage = ({ data }) => received?.push(data)
    const bytes = new Uint8Array([0, 255, 123])
    ada.socket.send(encodeBinary(JSON.stringify({ type: 'message', room: 'main', volatile: true, id: 1 }), bytes))
    await ask(stage, ada, say('text'))
    const parts = decodeBinary(received?.[0] as Uint8Array)
    expect(JSON.parse(parts?.header ?? '')).toEqual({
      type: 'message',
      room: 'main',
      volatile: true,
      at: stage.clock.now(),
      from: { user: 'ada', session: ada.last('welcome')['session'] },
    })
    expect([...(parts?.bytes ?? [])]).toEqual([...bytes])
    expect(JSON.parse(String(received?.[1]))).toMatchObject({ offset: 1, data: 'text' })
    expect(JSON.parse(String(sent?.[1]))).toEqual({ type: 'ack', id: 1, room: 'main' })
  })

  it('[VOLATILE-1] [TYPING] does not end an indicator', async () => {
    const stage = new Stage(byName)
    const { ada, bob } = await two(stage)
    await ask(stage, ada, { type: 'typing', room: 'main', typing: true }, hint('moved'))
    expect(bob.of('typing').map(({ typing }) => typing)).toEqual([true])
    await ask(stage, ada, say('said'))
    expect(bob.of('typing').map(({ typing }) => typing)).toEqual([true, false])
  })

  it('[VOLATILE-1] [GAPLESS] leaves the others gapless, over any mixture and any cut', async () => {
    const step = fc.constantFrom('say', 'hint', 'pause', 'resume', 'cut')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const stage = new Stage(byName)
        const { ada, epoch, bob: first } = await two(stage)
        let bob = first
        const seen: number[] = []
        const collect = (): void => {
          for (const { offset } of bob.of('message')) if (typeof offset === 'number') seen.push(offset)
        }
        let said = 0
        for (const kind of steps) {
          if (kind === 'say') await ask(stage, ada, say(++said))
          else if (kind === 'hint') await ask(stage, ada, hint('x'.repeat(9_000)))
          else if (kind === 'pause') bob.socket.pause()
          else if (kind === 'resume') bob.socket.resume()
          else {
            collect()
            bob.socket.cut()
            const resume = claimOf(bob)
            bob = await greet(stage, { token: 'bob', resume })
            const since = { epoch, offset: seen.at(-1) ?? 0 }
            const [joined] = await ask(stage, bob, { type: 'join', room: 'main', since })
            expect(joined).toMatchObject({ recovered: true, offset: said })
            seen.push(...replayed(joined).map(({ offset }) => offset))
          }
          await stage.clock.settle()
        }
        bob.socket.resume()
        await stage.clock.settle()
        collect()
        expect(seen).toEqual(Array.from({ length: said }, (_, i) => i + 1))
        await stage.close()
      }),
      { numRuns: 60 },
    )
  })
})
