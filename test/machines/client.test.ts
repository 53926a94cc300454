import { describe, expect, it } from 'vitest'
import { clientMachine, type ClientContext, type ReturnPolicy } from '../../machines/index.ts'
import { Chart, type Play, type Step } from './chart.ts'
import { walk } from './walk.ts'

const open = { type: 'client.open' }
const close = { type: 'client.close' }
const opened = { type: 'socket.opened' }
const welcomed = { type: 'socket.welcomed' }
const heard = { type: 'socket.heard' }
const goodbye = { type: 'server.goodbye', reconnectAfterMs: 7_000 }
const answered = { type: 'calls.answered' }
const offline = { type: 'network.offline' }
const online = { type: 'network.online' }
const wake = { type: 'client.wake' }
const gotToken = { type: 'token.got' }
const noToken = { type: 'token.failed' }
const connectTimeout = { type: 'xstate.after.connectTimeout.client.connecting' }
const backoff = { type: 'xstate.after.backoff.client.waiting' }
const pingInterval = { type: 'xstate.after.pingInterval.client.open.assured' }
const stable = { type: 'xstate.after.stable.client.open' }
const leaveTimeout = { type: 'xstate.after.leaveTimeout.client.open.leaving' }
const pongTimeout = { type: 'xstate.after.pongTimeout.client.open.checking' }
const closed = (policy: ReturnPolicy, code: number): Step => ({ type: 'socket.closed', code, reason: '', policy })
const cut = closed('backoff', 1006)
const banned = closed('never', 4003)

const chart = new Chart(clientMachine, {
  input: { port: {} },
  events: [
    open,
    close,
    opened,
    gotToken,
    noToken,
    welcomed,
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
  memory: ({ lastClose }: ClientContext) => lastClose?.code,
})

const toOpen = [open, opened, gotToken, welcomed]

async function played(...steps: Step[]): Promise<Play> {
  const play = await chart.play()
  for (const step of steps) await play.perform(step)
  return play
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
        'open.assured',
        'open.checking',
        'open.leaving',
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
    expect(play.snapshot.value).toEqual({ open: 'assured' })
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
      expect((await played(...leaving)).snapshot.value).toEqual({ open: 'leaving' })
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
    expect(play.snapshot.value).toEqual({ open: 'checking' })
    await play.perform(heard)
    expect(play.snapshot.value).toEqual({ open: 'assured' })
    for (const step of [pingInterval, pongTimeout]) await play.perform(step)
    expect(play.snapshot.value).toBe('waiting')
    expect(play.ran.slice(4)).toEqual(['sendPing', 'sendPing', 'pause', 'dropSocket'])
  })

  it('looks now rather than later when it wakes up', async () => {
    expect((await played(...toOpen, wake)).snapshot.value).toEqual({ open: 'checking' })
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
