import { describe, expect, it } from 'vitest'
import { lobbyConnection } from '../../examples/lobby/lobby-connection.ts'
import type { Permission, PermissionQuestion, RuntimeOptions } from '../../src/index.ts'
import { LaggingHistory, LaggingSessions } from '../lagging-store.ts'
import { ask, byName, claimOf, greet, heard, replayed, v1 } from '../protocol/cast.ts'
import { Stage, type RawClient } from '../stage.ts'

const main = { room: 'main' }
const say = (data: unknown, id = data): object => ({ type: 'message', ...main, data, id })
const presences = (client: RawClient): object[] =>
  client.of('presence').map(({ joined, updated, left }) => ({ joined, updated, left }))

/** A runtime in whose room Ada and Bob are when it is killed, or closed; and what its successor finds. */
async function former(end: 'killed' | 'closed' = 'killed', options = {}) {
  const history = new LaggingHistory()
  history.prompt = true
  const before = new LaggingSessions()
  const stage = new Stage({ ...byName, history, sessions: before, ...options })
  const ada = await greet(stage, { token: 'ada' })
  await ask(stage, ada, { type: 'join', ...main, presence: { name: 'Ada' } }, { type: 'join', room: 'side' })
  const bob = await stage.member('main', { token: 'bob' })
  await ask(stage, bob, { type: 'presence', ...main, state: 1 }, say('hello'))
  const sessions = end === 'killed' ? before.afterKill() : before
  await stage.close()
  return { history, sessions, ada, bob, claim: claimOf(ada) }
}

let seed = 1

/** The runtime that comes after it. */
function successor(
  { history, sessions }: Pick<Awaited<ReturnType<typeof former>>, 'history' | 'sessions'>,
  late = 0,
  options: RuntimeOptions = {},
) {
  sessions.restores.lag = true
  // Another seed, or it would give the ids again that the former one has given.
  const stage = new Stage({ ...byName, history, sessions, ...options }, ++seed)
  const ready = async (): Promise<void> => {
    await stage.clock.advance(late)
    sessions.restores.answer()
    // For some there is nothing left of the grace.
    await stage.clock.advance(0)
  }
  return { stage, ready }
}

describe('a runtime on a store that a former one has used', () => {
  it.each(['killed', 'closed'] as const)('[RESUME-6] knows the sessions of one that was %s', async (end) => {
    const was = await former(end)
    const { stage, ready } = successor(was)
    await ready()
    expect(stage.runtime.census).toEqual({ connections: 0, sessions: 2, rooms: 2 })
    const zoe = await stage.member('main', { token: 'zoe' })
    expect(zoe.last('joined')['members']).toEqual([
      { user: 'ada', state: { name: 'Ada' } },
      { user: 'bob', state: 1 },
      { user: 'zoe' },
    ])
    // Not the secret alone: it is Ada's.
    const eve = await greet(stage, { token: 'eve', resume: was.claim })
    expect(eve.last('welcome')).toMatchObject({ resumed: false })
    const again = await greet(stage, { token: 'ada', resume: was.claim })
    expect(again.last('welcome')).toMatchObject({ resumed: true, user: 'ada', ...was.claim })
    const [{ epoch } = {}] = was.ada.of('joined') as { epoch?: unknown }[]
    const [joined] = await ask(stage, again, { type: 'join', ...main, since: { epoch, offset: 0 } })
    expect([joined, replayed(joined)]).toMatchObject([{ recovered: true, offset: 1 }, [{ data: 'hello' }]])
    // It is a member of the other room without a word.
    const [copy] = await ask(stage, again, { type: 'message', room: 'side', data: 'here' })
    expect(copy).toMatchObject({ from: { session: was.claim.session } })
    expect(presences(zoe)).toEqual([])
    expect([again.of('presence'), was.sessions.disk.size]).toEqual([[], 4])
  })

  it('[RESUME-6] [PERMIT-3] knows what they were let in as, and asks again when they are back', async () => {
    const roles = new Map([['ada', 'owner']])
    const authorize = ({ user, action }: PermissionQuestion): Permission => {
      const role = action === 'join' ? roles.get(user.id) : undefined
      return role === undefined || { role }
    }
    const was = await former('killed', { authorize })
    roles.set('ada', 'member')
    const { stage, ready } = successor(was, 0, { authorize })
    await ready()
    const zoe = await stage.member('main', { token: 'zoe' })
    const [shown] = zoe.last('joined')['members'] as object[]
    expect(shown).toEqual({ user: 'ada', role: 'owner', state: { name: 'Ada' } })
    await greet(stage, { token: 'ada', resume: was.claim })
    expect(zoe.of('presence').flatMap(({ updated }) => updated)).toMatchObject([{ user: 'ada', role: 'member' }])
  })

  it('[PRESENCE] shows those who do not come back as gone after the grace, and lets them go after the window', async () => {
    const was = await former()
    const { stage, ready } = successor(was)
    await ready()
    const zoe = await stage.member('main', { token: 'zoe' })
    const again = await greet(stage, { token: 'ada', resume: was.claim })
    again.send({ type: 'join', room: 'main' })
    await stage.clock.advance(14_999)
    expect(presences(zoe)).toEqual([])
    await stage.clock.advance(1)
    expect(presences(zoe)).toMatchObject([{ left: ['bob'] }])
    await stage.clock.advance(104_000)
    const back = await greet(stage, { token: 'bob', resume: claimOf(was.bob) })
    expect(back.last('welcome')).toMatchObject({ resumed: true })
    expect(presences(zoe).slice(1)).toMatchObject([{ joined: [{ user: 'bob', state: 1 }] }])
    for (const client of [back, again]) client.socket.cut()
    await stage.clock.advance(120_000)
    expect(stage.runtime.census.sessions).toBe(1)
    expect([...was.sessions.disk.keys()]).toEqual([claimOf(zoe).session])
  })

  it('[RESUME-6] [PRESENCE] takes those out of a room again who are back and know nothing of it', async () => {
    const was = await former()
    const { stage, ready } = successor(was)
    await ready()
    const zoe = await stage.member('main', { token: 'zoe' })
    const again = await greet(stage, { token: 'ada', resume: was.claim })
    const bob = await greet(stage, { token: 'bob', resume: claimOf(was.bob) })
    bob.send({ type: 'join', room: 'main' })
    await stage.clock.advance(14_999)
    expect(presences(zoe)).toEqual([])
    await stage.clock.advance(1)
    expect(presences(zoe)).toMatchObject([{ left: ['ada'] }])
    again.send({ type: 'message', room: 'main', data: 1, id: 1 })
    bob.send({ type: 'message', room: 'main', data: 2, id: 1 })
    await stage.clock.settle()
    expect(again.last('error')).toMatchObject({ code: 'not-a-member', id: 1 })
    expect(bob.last('ack')).toMatchObject({ id: 1 })
    for (const client of [again, bob]) client.socket.cut()
    await stage.clock.advance(1)
  })

  it('[RESUME-6] leaves those in a room whose machine has joined it anew', async () => {
    const [sessions, history] = [new LaggingSessions(), new LaggingHistory()]
    history.prompt = true
    const options = { ...byName, connection: lobbyConnection, history }
    const stage = new Stage({ ...options, sessions })
    const ada = await greet(stage, { token: 'ada' })
    await ask(stage, ada, { type: 'ready' })
    ada.last('joined')
    await stage.clock.settle()
    const next = new Stage({ ...options, history: new LaggingHistory(), sessions: sessions.afterKill() })
    await next.runtime.whenReady()
    const again = await greet(next, { token: 'ada', resume: claimOf(ada) })
    await ask(next, again, { type: 'ready' })
    await next.clock.advance(60_000)
    expect(again.last('welcome')['resumed']).toBe(true)
    await ask(next, again, { type: 'message', room: 'table', data: 'here still', id: 1 })
    expect(again.of('error')).toEqual([])
  })

  it('[PRESENCE] does not show those who have been away for longer than the grace, and has them back', async () => {
    const was = await former('closed')
    const { stage, ready } = successor(was, 100_000)
    await ready()
    const zoe = await stage.member('main', { token: 'zoe' })
    expect(zoe.last('joined')['members']).toEqual([{ user: 'zoe' }])
    const again = await greet(stage, { token: 'ada', resume: was.claim })
    expect(again.last('welcome')).toMatchObject({ resumed: true })
    expect(presences(zoe)).toMatchObject([{ joined: [{ user: 'ada', state: { name: 'Ada' } }] }])
    await stage.clock.advance(120_000)
    expect([stage.runtime.census.sessions, was.sessions.disk.size]).toEqual([2, 2])
  })

  it('[ONCE] recognises what the former one had taken', async () => {
    const was = await former()
    const { stage, ready } = successor(was)
    await ready()
    const again = await greet(stage, { token: 'bob', resume: claimOf(was.bob) })
    expect(await ask(stage, again, say('hello'), say('more'))).toMatchObject([
      { type: 'ack', id: 'hello', offset: 1, duplicate: true },
      { type: 'message', offset: 2, data: 'more' },
      { type: 'ack', id: 'more', offset: 2 },
    ])
    expect(heard(again)).toEqual([[2, 'more']])
  })

  it('[FENCE] gives a session to the newer of two connections that were waiting for it to start', async () => {
    const was = await former()
    const { stage, ready } = successor(was)
    await ready()
    was.sessions.claims.lag = true
    const clients = [await stage.connect(v1), await stage.connect(v1)]
    for (const client of clients) await ask(stage, client, { type: 'hello', token: 'ada', resume: was.claim })
    was.sessions.claims.answer(1)
    await stage.clock.settle()
    was.sessions.claims.answer()
    await stage.clock.settle()
    expect(clients.map(({ closed }) => closed)).toEqual([[{ code: 4009, reason: 'replaced' }], []])
    expect(clients[1]?.last('welcome')).toMatchObject({ resumed: true })
  })

  it('[RESUME-6] knows their states also when it is killed itself before their room is open', async () => {
    const was = await former()
    was.history.opens.lag = true
    const { stage, ready } = successor(was)
    await ready()
    // Nobody is shown as new to those who are back before the others: not even when the log takes its time.
    const again = await greet(stage, { token: 'ada', resume: was.claim })
    const third = successor({ history: was.history, sessions: was.sessions.afterKill() })
    was.history.opens.lag = false
    was.history.opens.answerAll()
    await stage.clock.settle()
    expect(again.of('presence')).toEqual([])
    const fourth = was.sessions.afterKill()
    await stage.close()
    for (const next of [third, successor({ history: was.history, sessions: fourth })]) {
      await next.ready()
      const zoe = await next.stage.member('main', { token: 'zoe' })
      expect(zoe.last('joined')['members']).toEqual([
        { user: 'ada', state: { name: 'Ada' } },
        { user: 'bob', state: 1 },
        { user: 'zoe' },
      ])
      await next.stage.close()
    }
  })

  it('[ERROR-2] does not put anybody back into a room that was given up', async () => {
    const was = await former()
    was.history.opens.lag = true
    const { stage, ready } = successor(was)
    await ready()
    const again = await greet(stage, { token: 'ada', resume: was.claim })
    await stage.clock.advance(10_000)
    was.history.opens.answerAll()
    await stage.clock.settle()
    expect([stage.runtime.census.rooms, again.closed]).toEqual([0, []])
    expect([...was.sessions.disk.values()].map(({ record }) => record.rooms)).toEqual([[], []])
    expect(await ask(stage, again, say(1))).toMatchObject([{ code: 'not-a-member' }])
  })

  it('[ERROR-2] does not put anybody into a room again of which they were told that they are out of it', async () => {
    const was = await former()
    const { stage, ready } = successor(was)
    await ready()
    const bob = await greet(stage, { token: 'bob', resume: claimOf(was.bob) })
    was.history.prompt = false
    await ask(stage, bob, say(1))
    was.history.opens.lag = true
    was.history.settle('lost')
    await stage.clock.settle()
    was.history.opens.fail()
    await stage.clock.settle()
    expect(bob.last('error')).toMatchObject({ code: 'room-unavailable', room: 'main' })
    const sessions = was.sessions.afterKill()
    await stage.close()
    was.history.opens.lag = false
    const next = successor({ history: was.history, sessions })
    await next.ready()
    expect(next.stage.runtime.census).toEqual({ connections: 0, sessions: 2, rooms: 1 })
  })

  it('[PRESENCE] counts the grace and the window from when they were lost, however often it is killed', async () => {
    const was = await former('closed')
    let { sessions } = was
    for (const late of [10_000, 20_000, 119_000, 121_000]) {
      const { stage, ready } = successor({ history: was.history, sessions }, late)
      await ready()
      const zoe = await stage.member('main', { token: 'zoe' })
      expect(zoe.last('joined')['members']).toHaveLength(late === 10_000 ? 3 : 1)
      zoe.socket.close(1000)
      await stage.clock.settle()
      expect(stage.runtime.census.sessions).toBe(late > 120_000 ? 0 : 2)
      const next = sessions.afterKill()
      await stage.close()
      sessions = next
    }
  })

  it('takes nobody before it has taken them in, and says so', async () => {
    const was = await former()
    const { stage, ready } = successor(was)
    let isReady = false
    const whenReady = stage.runtime.whenReady().then(() => (isReady = true))
    const early = await stage.connect()
    expect([early.closed, stage.runtime.ready, stage.runtime.ended]).toMatchObject([[{ code: 1013 }], false, false])
    expect(isReady).toBe(false)
    await ready()
    await whenReady
    expect([isReady, stage.runtime.ready]).toEqual([true, true])
    await stage.member('main', { token: 'zoe' })
  })

  it.each([
    ['answers', (sessions: LaggingSessions) => sessions.restores.answer()],
    ['fails', (sessions: LaggingSessions) => sessions.restores.fail()],
  ])('[CLOSED] ends when it is closed before the store %s', async (_, end) => {
    const was = await former()
    const { stage } = successor(was)
    const ready = expect(stage.runtime.whenReady()).rejects.toThrow('closed')
    await stage.close()
    await ready
    end(was.sessions)
    await stage.clock.settle()
    expect(stage.runtime.census).toEqual({ connections: 0, sessions: 0, rooms: 0 })
    expect([stage.clock.pending, was.sessions.disk.size]).toEqual([0, 2])
  })

  it('fails, and says so, when the store cannot tell', async () => {
    const was = await former()
    const { stage } = successor(was)
    const ready = expect(stage.runtime.whenReady()).rejects.toThrow('closed')
    was.sessions.restores.fail()
    await stage.clock.settle()
    await ready
    expect(stage.telemetry).toMatchObject([{ type: 'runtime.failed', error: { message: 'The disk failed to read.' } }])
    expect([stage.runtime.ready, stage.runtime.ended]).toEqual([false, true])
    expect((await stage.connect()).closed).toHaveLength(1)
    // What it could not read it has not thrown away.
    expect(was.sessions.disk.size).toBe(2)
  })
})
