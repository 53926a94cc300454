import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EndReason, Identity } from '../../machines/index.ts'
import { endings } from '../../src/runtime/connection/endings.ts'
import type { Step } from './chart.ts'
import {
  ada,
  authenticated,
  chart,
  checkClosed,
  closed,
  closeTimeout,
  congested,
  drained,
  end,
  events,
  expired,
  expiry,
  goodbyeGrace,
  handOver,
  hello,
  identityOf,
  lost,
  message,
  noAnswer,
  noHello,
  notRenewed,
  overflowed,
  played,
  refused,
  renew,
  renewed,
  toOpen,
  tooSlow,
  withCredentials,
} from './connection-steps.ts'
import { walk } from './walk.ts'

/** Open, with nothing out of the ordinary. */
const atEase = { open: { flow: 'flowing', stay: 'staying', identity: 'valid' } }

describe('connection', () => {
  it('goes where its graph says, and can get everywhere', async () => {
    expect(await walk(chart, checkClosed)).toEqual({
      states: [
        'connecting',
        'authenticating',
        'open',
        'open.flow',
        'open.flow.flowing',
        'open.flow.congested',
        'open.flow.overflowing',
        'open.stay',
        'open.stay.staying',
        'open.stay.leaving',
        'open.identity',
        'open.identity.valid',
        'open.identity.expiring',
        'open.identity.refreshing',
        'closing',
        'closed',
      ],
      finals: ['closed'],
      // Only a connection whose credentials came with the upgrade goes this way: the next test's does.
      untaken: ['connecting:  "hasCredentials"'],
    })
  })

  it('does not wait for a hello when its credentials are there', async () => {
    const { untaken } = await walk(withCredentials, checkClosed)
    expect(untaken.filter((transition) => !transition.startsWith('connecting: '))).toEqual([])
    expect(untaken).not.toContain('connecting:  "hasCredentials"')
    expect((await withCredentials.play()).snapshot.value).toBe('authenticating')
  })

  it('ends for its reason on every way to the end, and tells its parent', async () => {
    const answered = closed('client-left')
    const ways: readonly (readonly [EndReason, ...Step[]])[] = [
      ['client-left', closed('client-left')],
      ['socket-lost', ...toOpen, closed('socket-lost')],
      ['authentication-timeout', noHello, answered],
      ['authentication-timeout', hello, noAnswer, answered],
      ['not-authenticated', hello, refused, answered],
      ['heartbeat-lost', ...toOpen, lost, closeTimeout],
      ['slow-consumer', ...toOpen, overflowed, answered],
      ['slow-consumer', ...toOpen, congested, overflowed, closeTimeout],
      ['server-closing', ...toOpen, handOver, goodbyeGrace, answered],
      ['token-expired', ...toOpen, expiry, expired, answered],
      ['token-expired', ...toOpen, renew, tooSlow, expiry, expired, answered],
      // Whatever the runtime closes a connection for, in its first state and in its last.
      ...(Object.keys(endings) as EndReason[]).flatMap((reason): (readonly [EndReason, ...Step[]])[] => [
        [reason, end(reason), answered],
        [reason, ...toOpen, end(reason), closeTimeout],
      ]),
    ]
    for (const [reason, ...steps] of ways) {
      const play = await played(...steps)
      expect(play.snapshot.output, play.log.join()).toEqual({ reason })
      checkClosed(play)
      expect(play.clock.pending).toBe(0)
    }
  })

  it('keeps the first reason: what comes while it is closing changes nothing', async () => {
    const play = await played(
      ...toOpen,
      end('forbidden'),
      end('replaced'),
      overflowed,
      message,
      renew,
      closed('socket-lost'),
    )
    expect(play.snapshot.output).toEqual({ reason: 'forbidden' })
    expect(play.ran.filter((name) => name === 'sendClose')).toHaveLength(1)
    expect(play.ran).not.toContain('handleMessage')
  })

  it('waits for the other side to close, but not for ever', async () => {
    const play = await played(...toOpen, end('server-closing'))
    await play.clock.advance(4_999)
    expect(play.snapshot.value).toBe('closing')
    await play.clock.advance(1)
    expect(play.snapshot).toMatchObject({ value: 'closed', status: 'done' })
    expect(play.ran.slice(-3)).toEqual(['sendClose', 'terminate', 'release'])
    expect((await played(end('server-closing'), closed('client-left'))).ran).not.toContain('terminate')
  })

  it('sends what waits before the close frame, and nothing that overflowed', async () => {
    expect((await played(...toOpen, end('server-closing'))).ran.slice(-2)).toEqual(['closeOutbox', 'sendClose'])
    const { ran } = await played(...toOpen, overflowed)
    expect(ran.slice(-3)).toEqual(['discardOutbox', 'closeOutbox', 'sendClose'])
  })

  it('holds what comes before the welcome, and runs it after', async () => {
    const play = await played(message, renew, hello, message, hello, authenticated)
    expect(play.ran).toEqual(['hold', 'hold', 'keepCredentials', 'hold', 'hold', 'admit', 'runHeld'])
    expect(play.snapshot.hasTag('open')).toBe(true)
    await play.perform(message)
    await play.perform(hello)
    expect(play.ran.slice(-2)).toEqual(['handleMessage', 'resume'])
  })

  it('lives through congestion', async () => {
    const play = await played(...toOpen, congested)
    expect(play.snapshot.value).toEqual({ open: { ...atEase.open, flow: 'congested' } })
    expect(play.snapshot.hasTag('open')).toBe(true)
    await play.perform(drained)
    expect(play.snapshot.value).toEqual(atEase)
  })

  it('takes a fresh token of the same user, before and after the old one ran out', async () => {
    for (const way of [[], [expiry]]) {
      const fresh: Identity = { user: { id: 'ada' }, expiresAt: 1 }
      const play = await played(...toOpen, ...way, renew, { ...renewed, output: fresh, sameUser: true })
      expect(play.snapshot.value).toEqual(atEase)
      expect(identityOf(play)).toEqual(fresh)
      expect(play.ran.at(-1)).toBe('confirmIdentity')
      play.actor.stop()
    }
  })

  it('refuses the token of another user and a bad one, and remains who it is', async () => {
    for (const answer of [{ ...renewed, output: { user: { id: 'bob' } } }, notRenewed]) {
      const play = await played(...toOpen, renew, answer)
      expect(identityOf(play)).toEqual(ada)
      expect(play.snapshot.value).toEqual(atEase)
      expect(play.ran.at(-1)).toBe('refuseIdentity')
    }
  })

  it('makes a guest the user that it turns out to be, before it says so', async () => {
    const bob: Identity = { user: { id: 'bob' } }
    const play = await played(...toOpen, renew, { ...renewed, output: bob, mayBecomeUser: true })
    expect(identityOf(play)).toEqual(bob)
    expect(play.snapshot.value).toEqual(atEase)
    expect(play.ran.slice(-2)).toEqual(['becomeUser', 'confirmIdentity'])
  })

  it('checks one fresh token at a time', async () => {
    expect((await played(...toOpen, renew, renew)).ran.at(-1)).toBe('refuseIdentity')
  })

  it('is not let in by an answer that comes when its time is over', async () => {
    const play = await played(hello, noAnswer, authenticated)
    expect(play.snapshot.value).toBe('closing')
    expect(play.ran).not.toContain('admit')
  })

  it('[CLOSED] sends one close frame at most and lets go once and last, whatever happens', async () => {
    const happening = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...toOpen) },
      { weight: 4, arbitrary: fc.constantFrom(...events, refused, goodbyeGrace, notRenewed, lost) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 70_000 }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 25 }), async (happenings) => {
        const play = await chart.play()
        for (const it of happenings) {
          if (play.snapshot.status !== 'active') break
          if (typeof it === 'number') await play.clock.advance(it)
          else if (!it.type.startsWith('xstate.') || chart.canHappen(play.snapshot, it)) await play.perform(it)
          checkClosed(play)
        }
        if (play.snapshot.status === 'active') await play.perform(end('server-closing'))
        if (play.snapshot.status === 'active') await play.clock.advance(5_000)
        expect(play.snapshot.status).toBe('done')
        checkClosed(play)
        expect(play.clock.pending).toBe(0)
      }),
    )
  })
})
