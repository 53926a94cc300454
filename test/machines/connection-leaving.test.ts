import { describe, expect, it } from 'vitest'
import type { EndReason } from '../../machines/index.ts'
import type { Step } from './chart.ts'
import {
  checkClosed,
  closed,
  congested,
  drained,
  end,
  expired,
  expiry,
  goodbyeGrace,
  handOver,
  hello,
  lost,
  message,
  overflowed,
  played,
  renew,
  renewed,
  toOpen,
} from './connection-steps.ts'

const goodbyeGraceMs = 1_000

describe('a connection that is handed over', () => {
  it('tells its client to go, and when the client may come back', async () => {
    const play = await played(...toOpen, handOver)
    expect(play.snapshot.value).toEqual({ open: { flow: 'flowing', stay: 'leaving', identity: 'valid' } })
    expect(play.calls.at(-1)).toMatchObject({ name: 'sayGoodbye', event: { reconnectAfterMs: 40 } })
  })

  it('still takes part, so that what its client has begun is answered', async () => {
    const play = await played(...toOpen, handOver, message, hello, renew, { ...renewed, sameUser: true })
    expect(play.snapshot.hasTag('open')).toBe(true)
    expect(play.ran.slice(-4)).toEqual(['sayGoodbye', 'handleMessage', 'resume', 'confirmIdentity'])
  })

  it('closes as the server’s when its client has not gone by the end of the grace', async () => {
    const play = await played(...toOpen, handOver)
    await play.clock.advance(goodbyeGraceMs - 1)
    expect(play.snapshot.matches('open')).toBe(true)
    await play.clock.advance(1)
    expect(play.snapshot).toMatchObject({ value: 'closing', context: { reason: 'server-closing' } })
    // What waits to be sent, answers among it, leaves before the close frame.
    expect(play.ran.slice(-2)).toEqual(['closeOutbox', 'sendClose'])
  })

  it('lets its client go by itself, at any moment, without a close frame', async () => {
    const play = await played(...toOpen, handOver, closed('client-left'))
    expect(play.snapshot.output).toEqual({ reason: 'client-left' })
    expect(play.ran).not.toContain('sendClose')
    expect(play.clock.pending).toBe(0)
  })

  it('says goodbye once, and gives no more time to who is told twice', async () => {
    const play = await played(...toOpen, handOver)
    await play.clock.advance(goodbyeGraceMs - 1)
    await play.perform(handOver)
    await play.clock.advance(1)
    expect(play.snapshot.value).toBe('closing')
    expect(play.ran.filter((name) => name === 'sayGoodbye')).toHaveLength(1)
  })

  it('leaves it to the runtime, which closes it, when its client takes no part: nothing has begun', async () => {
    for (const way of [[], [hello], [hello, message], [...toOpen, end('forbidden')]]) {
      const play = await played(...way)
      expect(play.snapshot.can(handOver), play.log.join()).toBe(false)
      play.actor.stop()
    }
    const play = await played(...toOpen)
    expect(play.snapshot.can(handOver)).toBe(true)
    play.actor.stop()
  })

  it('has its say beside the others: flow and identity go on as before', async () => {
    const play = await played(...toOpen, congested, handOver, expiry, drained)
    expect(play.snapshot.value).toEqual({ open: { flow: 'flowing', stay: 'leaving', identity: 'expiring' } })
  })

  it('ends for whatever comes first', async () => {
    const ways: readonly (readonly [EndReason, ...Step[]])[] = [
      ['slow-consumer', handOver, overflowed, closed('client-left')],
      ['heartbeat-lost', handOver, lost, closed('client-left')],
      ['token-expired', expiry, handOver, expired, closed('client-left')],
      ['forbidden', handOver, end('forbidden'), closed('client-left')],
      ['server-closing', expiry, handOver, goodbyeGrace, end('forbidden'), closed('client-left')],
    ]
    for (const [reason, ...steps] of ways) {
      const play = await played(...toOpen, ...steps)
      expect(play.snapshot.output, play.log.join()).toEqual({ reason })
      checkClosed(play)
      expect(play.clock.pending).toBe(0)
    }
  })
})
