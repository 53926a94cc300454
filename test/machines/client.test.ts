import { describe, expect, it } from 'vitest'
import { clientMachine, type ClientContext, type ReturnPolicy } from '../../machines/index.ts'
import { Chart, type Play, type Step } from './chart.ts'
import { walk } from './walk.ts'

const open = { type: 'client.open' }
const close = { type: 'client.close' }
const authenticate = { type: 'client.authenticate' }
const opened = { type: 'socket.opened' }
const welcomed = { type: 'socket.welcomed', lifeMs: Infinity }
const admitted = { type: 'socket.welcomed', lifeMs: 100_000 }
const admittedLong = { type: 'socket.welcomed', lifeMs: 90 * 86_400_000 }
const heard = { type: 'socket.heard' }
const goodbye = { type: 'server.goodbye', reconnectAfterMs: 7_000 }
const answered = { type: 'calls.answered' }
const offline = { type: 'network.offline' }
const online = { type: 'network.online' }
const wake = { type: 'client.wake' }
const gotToken = { type: 'token.got' }
const noToken = { type: 'token.failed', error: new Error('none') }
const authenticated = { type: 'server.authenticated', lifeMs: 60_000 }
const refused = { type: 'server.refused', error: new Error('not this one') }
const connectTimeout = { type: 'xstate.after.connectTimeout.client.connecting' }
const backoff = { type: 'xstate.after.backoff.client.waiting' }
const pingInterval = { type: 'xstate.after.pingInterval.client.open.server.assured' }
const stable = { type: 'xstate.after.stable.client.open' }
const leaveTimeout = { type: 'xstate.after.leaveTimeout.client.open.server.leaving' }
const pongTimeout = { type: 'xstate.after.pongTimeout.client.open.server.checking' }
const renewalDue = { type: 'xstate.after.renewalDue.client.open.identity.held' }
const tokenTimeout = { type: 'xstate.after.tokenTimeout.client.open.identity.renewing' }
const checkTimeout = { type: 'xstate.after.checkTimeout.client.open.identity.presenting' }
const renewalBackoff = { type: 'xstate.after.renewalBackoff.client.open.identity.retrying' }
const closed = (policy: ReturnPolicy, code: number): Step => ({ type: 'socket.closed', code, reason: '', policy })
const cut = closed('backoff', 1006)
const banned = closed('never', 4003)

const chart = new Chart(clientMachine, {
  input: { port: {} },
  events: [
    open,
    close,
    authenticate,
    opened,
    gotToken,
    noToken,
    welcomed,
    admitted,
    authenticated,
    refused,
    heard,
    goodbye,
    answered,
    offline,
    online,
    wake,
    cut,
    closed('renew-token', 4101),
    banned,
  ],
  // Attempts only count up; with them the graph would have no end.
  memory: ({ lastClose, renewInMs }: ClientContext) => [lastClose?.code, renewInMs < Infinity],
})

const toOpen = [open, opened, gotToken, welcomed]
const toHeld = [open, opened, gotToken, admitted]
const held = (server: string): object => ({ open: { server, identity: 'held' } })

async function played(...steps: Step[]): Promise<Play> {
  const play = await chart.play()
  for (const step of steps) await play.perform(step)
  return play
}

const renewInMsOf = (play: Play): number => (play.snapshot.context as ClientContext).renewInMs
const failuresOf = (play: Play): number => (play.snapshot.context as ClientContext).failedRenewals
const identityOf = (play: Play): unknown => (play.snapshot.value as { open: { identity: string } }).open.identity

/** Moves the time on, while the server answers what it is asked. */
async function elapse(play: Play, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    await play.clock.advance(Math.min(left, 1_000))
    await play.perform(heard)
  }
}

const attemptsOf = (play: Play): number => (play.snapshot.context as ClientContext).attempts

describe('client', () => {
  it('goes where its graph says, and can get everywhere', async () => {
    expect(await walk(chart)).toEqual({
      states: [
        'idle',
        'connecting',
        'authenticating',
        'open',
        'open.server',
        'open.server.assured',
        'open.server.checking',
        'open.server.leaving',
        'open.identity',
        'open.identity.held',
        'open.identity.renewing',
        'open.identity.presenting',
        'open.identity.outdated',
        'open.identity.retrying',
        'waiting',
        'suspended',
        'closed',
      ],
      finals: ['closed'],
      untaken: [],
    })
  })

  it('has one socket at a time, and none when it does not connect', async () => {
    await walk(chart, ({ log, snapshot }) => {
      let sockets = 0
      for (const name of log) {
        if (name === 'openSocket') sockets++
        if (name === 'dropSocket' || name === 'closeSocket' || name === 'socket.closed') sockets = 0
        expect(sockets, log.join()).toBeLessThanOrEqual(1)
      }
      const connects = ['connecting', 'authenticating', 'open'].some((state) => snapshot.matches(state))
      expect(sockets, log.join()).toBe(connects ? 1 : 0)
    })
  })

  it('says hello when it has its token, and restores what it had when it is welcomed', async () => {
    const play = await played(open, opened, gotToken)
    expect(play.ran).toEqual(['openSocket', 'getToken', 'sendHello'])
    await play.perform(welcomed)
    expect(play.snapshot.value).toEqual(held('assured'))
    expect(play.ran.at(-1)).toBe('restore')
  })

  it('comes back after a wait, and counts its attempts until one has lasted', async () => {
    const play = await played(open, cut, backoff, connectTimeout, backoff)
    expect(play.snapshot.value).toBe('connecting')
    expect(attemptsOf(play)).toBe(3)
    for (const step of [opened, noToken, backoff, opened, gotToken, welcomed]) await play.perform(step)
    await play.clock.advance(9_999)
    expect(attemptsOf(play)).toBe(4)
    await play.clock.advance(1)
    expect(attemptsOf(play)).toBe(1)
    await play.perform(cut)
    await play.perform(backoff)
    expect(attemptsOf(play)).toBe(2)
  })

  it('lasts by staying open, whatever happens meanwhile', async () => {
    for (const way of [[], [wake, heard], [goodbye]]) {
      const play = await played(open, cut, backoff, opened, gotToken, welcomed, ...way)
      expect(attemptsOf(play)).toBe(2)
      await play.perform(stable)
      expect(attemptsOf(play)).toBe(1)
      expect(play.snapshot.matches('open')).toBe(true)
    }
  })

  it('goes when the server has said goodbye: as soon as it is answered, or after a while', async () => {
    for (const way of [toOpen, [...toOpen, pingInterval]]) {
      const leaving = [...way, goodbye]
      expect((await played(...leaving)).snapshot.value).toEqual(held('leaving'))
      for (const step of [answered, leaveTimeout]) {
        const play = await played(...leaving, step)
        expect(play.snapshot).toMatchObject({ value: 'waiting', context: { reconnectAfterMs: 7_000 } })
        expect(play.ran.slice(-2)).toEqual(['pause', 'dropSocket'])
        await play.perform(backoff)
        expect(play.snapshot).toMatchObject({ value: 'connecting', context: { reconnectAfterMs: undefined } })
      }
      expect((await played(...leaving, cut)).snapshot).toMatchObject({
        value: 'waiting',
        context: { reconnectAfterMs: 7_000 },
      })
      expect((await played(...leaving, banned)).snapshot.value).toBe('closed')
    }
  })

  it('comes back after every close code but those that forbid it', async () => {
    for (const way of [[open], [open, opened], toOpen, [...toOpen, pingInterval]]) {
      for (const step of [cut, closed('renew-token', 4101)]) {
        expect((await played(...way, step)).snapshot.value).toBe('waiting')
      }
      const play = await played(...way, banned)
      expect(play.snapshot).toMatchObject({ value: 'closed', status: 'done', context: { lastClose: { code: 4003 } } })
      expect(play.ran.at(-1)).toBe('failCalls')
      expect(play.clock.pending).toBe(0)
    }
  })

  it('gives up on a connection that takes too long, at each step', async () => {
    const silent = await played(open)
    await silent.clock.advance(10_000)
    expect(silent.snapshot.value).toBe('waiting')
    expect(silent.ran).toEqual(['openSocket', 'dropSocket'])

    const mute = await played(open, opened)
    await mute.clock.advance(10_000)
    expect(mute.snapshot.value).toBe('waiting')
  })

  it('pings when it has heard nothing for a while, and drops a socket that does not answer', async () => {
    const play = await played(...toOpen, pingInterval)
    expect(play.snapshot.value).toEqual(held('checking'))
    await play.perform(heard)
    expect(play.snapshot.value).toEqual(held('assured'))
    for (const step of [pingInterval, pongTimeout]) await play.perform(step)
    expect(play.snapshot.value).toBe('waiting')
    expect(play.ran.slice(4)).toEqual(['sendPing', 'sendPing', 'pause', 'dropSocket'])
  })

  it('looks now rather than later when it wakes up', async () => {
    expect((await played(...toOpen, wake)).snapshot.value).toEqual(held('checking'))
    const waiting = await played(open, cut, wake)
    expect(waiting.snapshot.value).toBe('connecting')
    expect(attemptsOf(waiting)).toBe(2)
  })

  it('does not try while there is no network', async () => {
    for (const way of [[open], [open, opened], toOpen, [open, cut]]) {
      const play = await played(...way, offline)
      expect(play.snapshot.value).toBe('suspended')
      expect(play.clock.pending).toBe(0)
      for (const step of [wake, offline, cut]) await play.perform(step)
      expect(play.snapshot.value).toBe('suspended')
      await play.perform(online)
      expect(play.snapshot.value).toBe('connecting')
    }
  })

  it('renews its token when most of its life is over, and the fresh one when most of its own is', async () => {
    const play = await played(...toHeld)
    for (const beforeMs of [80_000, 48_000]) {
      play.calls.length = 0
      await elapse(play, beforeMs - 1)
      expect(play.snapshot.value).toEqual(held('assured'))
      await play.clock.advance(1)
      expect(identityOf(play)).toBe('renewing')
      await play.perform(gotToken)
      expect(identityOf(play)).toBe('presenting')
      await play.perform(authenticated)
      expect(play.snapshot.value).toEqual(held('assured'))
      expect(play.ran.filter((name) => name !== 'sendPing')).toEqual(['getToken', 'sendAuth'])
    }
  })

  it('waits for as long as it takes for a renewal that no timer reaches', async () => {
    const play = await played(open, opened, gotToken, admittedLong)
    const dueMs = 72 * 86_400_000
    for (const waits of [1, 2]) {
      await play.perform(renewalDue)
      expect([identityOf(play), renewInMsOf(play)]).toEqual(['held', dueMs - waits * (2 ** 31 - 1)])
    }
    await play.perform(renewalDue)
    expect(identityOf(play)).toBe('renewing')
  })

  it('tries again when there is no token, and when the server refuses it, and tells why', async () => {
    for (const [ways, failure] of [
      [[], noToken],
      [[], tokenTimeout],
      [[gotToken], refused],
      [[gotToken], checkTimeout],
    ] as const) {
      const play = await played(...toHeld, renewalDue, ...ways, failure)
      expect(identityOf(play)).toBe('retrying')
      expect(play.calls.at(-1)).toMatchObject({ name: 'reportFailure', event: failure })
      expect(failuresOf(play)).toBe(1)
      for (const step of [renewalBackoff, gotToken, refused]) await play.perform(step)
      expect(failuresOf(play)).toBe(2)
      for (const step of [renewalBackoff, gotToken, authenticated]) await play.perform(step)
      expect([identityOf(play), failuresOf(play), renewInMsOf(play)]).toEqual(['held', 0, 48_000])
    }
  })

  it('takes the server’s word that a token holds, however late', async () => {
    const late = [...toHeld, renewalDue, gotToken, checkTimeout]
    const play = await played(...late, authenticated)
    expect([identityOf(play), failuresOf(play)]).toEqual(['held', 0])
    // Another is asked for already, perhaps because the application wants it to be presented: that comes next.
    const busy = await played(...late, renewalBackoff, authenticated)
    expect([identityOf(busy), failuresOf(busy)]).toEqual(['renewing', 0])
    for (const step of [gotToken, authenticated]) await busy.perform(step)
    expect(identityOf(busy)).toBe('held')
  })

  it('makes nothing of a token or an answer that it does not wait for', async () => {
    const play = await played(...toHeld)
    for (const step of [gotToken, noToken, refused]) await play.perform(step)
    expect(play.snapshot.value).toEqual(held('assured'))
    for (const step of [renewalDue, noToken, gotToken, refused, noToken]) await play.perform(step)
    expect([identityOf(play), failuresOf(play)]).toEqual(['retrying', 1])
    expect(play.ran.filter((name) => name === 'reportFailure')).toHaveLength(1)
  })

  it('renews while it looks whether the server is there, and while that is going away', async () => {
    for (const [way, state] of [
      [[pingInterval], 'checking'],
      [[goodbye], 'leaving'],
    ] as const) {
      const play = await played(...toHeld, ...way, renewalDue, gotToken)
      expect(play.snapshot.value).toEqual({ open: { server: state, identity: 'presenting' } })
      await play.perform(authenticated)
      expect(play.snapshot.value).toEqual(held(state))
    }
    const play = await played(...toHeld, renewalDue, wake, goodbye)
    expect(play.snapshot.value).toEqual({ open: { server: 'leaving', identity: 'renewing' } })
  })

  it('leaves no timer of a renewal when its connection ends', async () => {
    for (const way of [[], [renewalDue], [renewalDue, gotToken], [renewalDue, noToken]]) {
      for (const step of [offline, close]) expect((await played(...toHeld, ...way, step)).clock.pending).toBe(0)
      const play = await played(...toHeld, ...way, cut)
      // The backoff's.
      expect(play.clock.pending).toBe(1)
    }
  })

  it('pauses whenever it is not open any more, and only then', async () => {
    for (const step of [cut, banned, offline, close]) {
      const { ran } = await played(...toOpen, step)
      expect(ran.filter((name) => name === 'pause')).toHaveLength(1)
    }
    expect((await played(open, opened, cut)).ran).not.toContain('pause')
  })

  it('closes for good from wherever it is, and fails what still waits', async () => {
    for (const way of [[], [open], [open, opened], toOpen, [open, cut], [open, offline]]) {
      const play = await played(...way, close)
      expect(play.snapshot).toMatchObject({ value: 'closed', status: 'done' })
      expect(play.ran.slice(-2)).toEqual(['closeSocket', 'failCalls'])
      expect(play.clock.pending).toBe(0)
    }
  })
})
