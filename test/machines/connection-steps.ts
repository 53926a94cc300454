import { expect } from 'vitest'
import { connectionMachine, type ConnectionContext, type EndReason, type Identity } from '../../machines/index.ts'
import { Chart, type Play, type Step } from './chart.ts'

// What can happen to a connection, and charts of it to which it does.

export const ada: Identity = { user: { id: 'ada' } }
export const message = { type: 'socket.message', message: { type: 'join' } }
export const hello = { type: 'socket.hello', message: { type: 'hello' } }
export const renew = { type: 'identity.renew', message: { type: 'auth' } }
export const congested = { type: 'outbox.congested' }
export const drained = { type: 'outbox.drained' }
export const overflowed = { type: 'outbox.overflowed' }
export const handOver = { type: 'connection.handOver', reconnectAfterMs: 40 }
export const end = (reason: EndReason): Step => ({ type: 'connection.close', reason })
export const closed = (reason: EndReason): Step => ({ type: 'socket.closed', reason })
export const authenticated = { type: 'xstate.done.actor.0.connection.authenticating', output: ada }
export const refused = { type: 'xstate.error.actor.0.connection.authenticating', error: 'nobody' }
export const renewed = { type: 'xstate.done.actor.0.connection.open.identity.refreshing', output: ada }
export const notRenewed = { type: 'xstate.error.actor.0.connection.open.identity.refreshing', error: 'expired' }
export const lost = { type: 'xstate.done.actor.heartbeat' }
export const expiry = { type: 'xstate.after.untilExpiry.connection.open.identity.valid' }
export const expired = { type: 'xstate.after.renewalGrace.connection.open.identity.expiring' }
export const tooSlow = { type: 'xstate.after.credentialsTimeout.connection.open.identity.refreshing' }
export const noHello = { type: 'xstate.after.credentialsTimeout.connection.connecting' }
export const noAnswer = { type: 'xstate.after.credentialsTimeout.connection.authenticating' }
export const goodbyeGrace = { type: 'xstate.after.goodbyeGrace.connection.open.stay.leaving' }
export const closeTimeout = { type: 'xstate.after.closeTimeout.connection.closing' }

export const toOpen = [hello, authenticated]

export const events: readonly Step[] = [
  message,
  hello,
  renew,
  { ...renew, late: true },
  congested,
  drained,
  overflowed,
  handOver,
  end('server-closing'),
  closed('client-left'),
  { ...renewed, sameUser: true },
  { ...renewed, mayBecomeUser: true },
  { ...renewed, mayBecomeUser: true, isOneTooMany: true },
  renewed,
  refused,
  { ...refused, error: 'forbidden' },
  { ...refused, error: 'unavailable' },
]

const chartOf = (hasCredentials: boolean): Chart =>
  new Chart(connectionMachine, {
    input: { link: {} },
    events,
    outputs: { authenticate: [ada], heartbeat: [undefined] },
    delays: { untilExpiry: 60_000, untilFormerExpiry: 60_000 },
    guards: {
      isForbidden: (step) => step['error'] === 'forbidden',
      isUnknown: (step) => step['error'] === 'unavailable',
      sameUser: (step) => step['sameUser'] === true,
      isOneTooMany: (step) => step['isOneTooMany'] === true,
      mayBecomeUser: (step) => step['mayBecomeUser'] === true,
      mayRenew: (step) => step['late'] !== true,
      hasCredentials: () => hasCredentials,
    },
    memory: ({ reason, identity }: ConnectionContext) => [reason, identity?.user.id],
  })

export const chart = chartOf(false)
/** The same, with credentials that came with the upgrade request. */
export const withCredentials = chartOf(true)

/** A connection to which something has happened. */
export async function played(...steps: readonly Step[]): Promise<Play> {
  const play = await chart.play()
  for (const step of steps) await play.perform(step)
  return play
}

export const identityOf = (play: Play): Identity | undefined => (play.snapshot.context as ConnectionContext).identity

/** What holds of a connection at every moment, and what more when it has ended. */
export function checkClosed({ ran, snapshot, log }: Pick<Play, 'ran' | 'snapshot' | 'log'>): void {
  const times = (name: string): number => ran.filter((it) => it === name).length
  expect(times('sendClose'), log.join()).toBeLessThanOrEqual(1)
  expect(times('sayGoodbye'), log.join()).toBeLessThanOrEqual(times('admit'))
  expect(times('release'), log.join()).toBe(snapshot.status === 'done' ? 1 : 0)
  expect(times('closeOutbox'), log.join()).toBe(times('admit') - (snapshot.matches('open') ? 1 : 0))
  // Nothing takes a goodbye back.
  if (snapshot.matches('open')) {
    expect(snapshot.matches({ open: { stay: 'leaving' } }), log.join()).toBe(times('sayGoodbye') === 1)
  }
  if (snapshot.status !== 'done') return
  expect(ran.at(-1), log.join()).toBe('release')
  expect(snapshot.output, log.join()).toEqual({ reason: expect.any(String) as string })
}
