import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Stage, type RawClient } from '../stage.ts'
import { ask, byName, claimOf, greet, heard, serverEnds, v1 } from './cast.ts'

const say = (data: unknown, fields: object = {}): object => ({ type: 'message', room: 'main', data, ...fields })
const replaced = [{ code: 4009, reason: 'replaced' }]

describe('a session that is claimed by a newer connection', () => {
  it('[FENCE] leaves the older one, which is closed with 4009 and hears nothing more', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const older = await stage.member('main', { token: 'ada' })
    const newer = await greet(stage, { token: 'ada', resume: claimOf(older) })
    expect(newer.last('welcome')).toMatchObject({ resumed: true })
    expect(older.closed).toEqual(replaced)
    const before = older.received.length
    await ask(stage, bob, say('for one'))
    expect(heard(newer)).toEqual([[1, 'for one']])
    expect(older.received).toHaveLength(before)
    expect(bob.of('presence')).toMatchObject([{ joined: [{ user: 'ada' }] }])
  })

  it('[FENCE] is not touched by what the older one still says', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const older = await stage.member('main', { token: 'ada' })
    const newer = await stage.connect(v1)
    newer.send({ type: 'hello', token: 'ada', resume: claimOf(older) })
    // In the same turn and after it: the close frame is under way, the older client does not know it yet.
    older.socket.pause()
    await ask(stage, older, say('before the fence'))
    const late = [
      say('late'),
      { type: 'typing', room: 'main', typing: true },
      { type: 'presence', room: 'main', state: 1 },
    ]
    await ask(stage, older, ...late, { type: 'leave', room: 'main' }, { type: 'hello', resume: claimOf(older) })
    older.socket.close(1000)
    await stage.clock.settle()
    await ask(stage, newer, say('mine'))
    expect(bob.of('message').map(({ data }) => data)).not.toContain('late')
    expect(bob.of('message').at(-1)).toMatchObject({ data: 'mine' })
    expect([bob.of('typing'), bob.of('presence').length, newer.closed]).toEqual([[], 1, []])
    expect(stage.runtime.census).toMatchObject({ connections: 2, sessions: 2 })
  })

  it('[FENCE] is taken from a half-open socket that nobody has noticed', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const ends = serverEnds(stage)
    const older = await stage.member('main', { token: 'ada' })
    older.socket.cut({ halfOpen: true })
    await stage.clock.advance(1_000)
    const newer = await greet(stage, { token: 'ada', resume: claimOf(older) })
    expect(newer.last('welcome')).toMatchObject({ resumed: true })
    await ask(stage, bob, say('for one'))
    expect(heard(newer)).toEqual([[1, 'for one']])
    expect(ends.map(({ closeFrames }) => closeFrames)).toEqual([[4009], []])
    expect(ends[0]?.link.outbox.bytes).toBe(0)
    // The old one's end changes nothing for the session.
    await stage.clock.advance(200_000)
    expect(stage.runtime.census).toMatchObject({ connections: 2, sessions: 2 })
    await ask(stage, newer, say('still mine'))
    expect(bob.last('message')).toMatchObject({ data: 'still mine' })
    expect(bob.of('presence')).toHaveLength(1)
  })

  it('[FENCE] is taken from a reader that does not read, backlog and all', async () => {
    const stage = new Stage(byName)
    const bob = await stage.member('main', { token: 'bob' })
    const older = await stage.member('main', { token: 'ada' })
    const { epoch } = older.last('joined')
    older.socket.pause()
    for (let i = 0; i < 10; i++) await ask(stage, bob, say('x'.repeat(30_000)))
    const newer = await greet(stage, { token: 'ada', resume: claimOf(older) })
    const [joined] = await ask(stage, newer, { type: 'join', room: 'main', since: { epoch, offset: 0 } })
    expect(joined).toMatchObject({ recovered: true, offset: 10 })
    expect(heard(newer)).toEqual([])
    await stage.clock.advance(10_000)
    expect(stage.runtime.census.connections).toBe(2)
  })

  it('[FENCE] is not taken by whoever has not yet been let in', async () => {
    let letIn = (): void => {}
    const stage = new Stage({
      authenticate: ({ token = '' }) =>
        token === 'slow' ? new Promise((resolve) => (letIn = () => resolve({ id: 'ada' }))) : { id: token },
    })
    const older = await stage.member('main', { token: 'ada' })
    const newer = await greet(stage, { token: 'slow', resume: claimOf(older) })
    await ask(stage, older, say('still mine'))
    expect(heard(older)).toHaveLength(1)
    letIn()
    await stage.clock.settle()
    expect([newer.last('welcome')['resumed'], older.closed]).toEqual([true, replaced])
  })

  it('[FENCE] is not taken by what arrives late of a connection that its client has given up', async () => {
    const stage = new Stage(byName)
    const first = await stage.member('main', { token: 'ada' })
    const claim = (attempt: number) => ({ type: 'hello', token: 'ada', resume: { ...claimOf(first), attempt } })
    const [given, up] = [await stage.connect(v1), await stage.connect(v1)]
    await ask(stage, up, claim(2))
    await ask(stage, given, claim(1), say('too late'))
    expect([up.last('welcome')['resumed'], up.closed, given.closed]).toEqual([true, [], replaced])
    await ask(stage, up, say('here'))
    expect(heard(up)).toEqual([[1, 'here']])
    // The other way round, and by one who does not count.
    const next = await stage.connect(v1)
    await ask(stage, next, claim(3))
    expect([next.closed, up.closed]).toEqual([[], replaced])
    const last = await greet(stage, { token: 'ada', resume: claimOf(first) })
    expect([last.last('welcome')['resumed'], next.closed]).toEqual([true, replaced])
  })

  it('[FENCE] is nobody’s to lock its owner out of by a great count, once it is nobody’s', async () => {
    const stage = new Stage(byName)
    const first = await stage.member('main', { token: 'ada' })
    const claim = (attempt: number) => ({ type: 'hello', token: 'ada', resume: { ...claimOf(first), attempt } })
    const other = await stage.connect(v1)
    await ask(stage, other, claim(Number.MAX_SAFE_INTEGER))
    other.socket.cut()
    await stage.clock.settle()
    const again = await stage.connect(v1)
    await ask(stage, again, claim(1))
    expect([again.last('welcome')['resumed'], again.closed]).toEqual([true, []])
  })

  it.each(['1', 0.5, null, {}])('[HELLO-6] is not claimed by an attempt that is %j', async (attempt) => {
    const stage = new Stage(byName)
    const first = await stage.member('main', { token: 'ada' })
    const client = await stage.connect(v1)
    await ask(stage, client, { type: 'hello', token: 'ada', resume: { ...claimOf(first), attempt } })
    expect([client.received, first.closed]).toEqual([[], []])
  })

  it('[FENCE] has one owner among any number that claim it at once, and its messages are heard once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('polite', 'late', 'cut', 'halfOpen', 'turn'), { minLength: 1, maxLength: 12 }),
        async (steps) => {
          const stage = new Stage(byName)
          const bob = await stage.member('main', { token: 'bob' })
          const first = await stage.member('main', { token: 'ada' })
          const claims: RawClient[] = [first]
          for (const step of steps) {
            if (step === 'turn') await stage.clock.settle()
            else if (step === 'cut') claims.at(-1)?.socket.cut()
            else if (step === 'halfOpen') claims.at(-1)?.socket.cut({ halfOpen: true })
            else {
              const client = await stage.connect(step === 'polite' ? v1 : { token: 'ada' })
              client.send({ type: 'hello', token: 'ada', resume: claimOf(first) })
              claims.push(client)
            }
          }
          await ask(stage, bob, say('for one'))
          expect(claims.filter((client) => heard(client).length > 0).length).toBeLessThanOrEqual(1)
          const closes = claims.flatMap(({ closed }) => closed).filter(({ code }) => code !== 1006)
          expect(closes).toEqual(closes.flatMap(() => replaced))
          await stage.clock.advance(60_000)
          // What is left is bob's, and the last claim's if it still lives.
          expect(stage.runtime.census.connections).toBeLessThanOrEqual(2)
          await stage.close()
        },
      ),
      { numRuns: 60 },
    )
  })
})
