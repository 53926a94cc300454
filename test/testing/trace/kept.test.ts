import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readTrace, replayTrace, type WireMessage } from 'greenroom/testing'

/** A message in a few words. */
function inShort({ type, id, offset, data, ...rest }: WireMessage): string {
  const more = ['resumed', 'typing', 'joined', 'left', 'recovered'].filter((name) => Boolean(rest[name]))
  return [type, id, offset, data, ...more].filter((word) => word !== undefined).join(' ')
}

const shouts = Array.from({ length: 10 }, (_, index) => [
  `message ${index + 1} ${index}`,
  `ack a${index} ${index + 1}`,
  `reply s${index} X${index}`,
])

describe('a trace that was kept', () => {
  it('of a chat over real sockets still gives what it gave: order, offsets, acks, a resume and what was missed', async () => {
    const users: Readonly<Record<string, string>> = { 'token-1': 'ada', 'token-2': 'bob' }
    const trace = readTrace(readFileSync(new URL('chat.trace', import.meta.url), 'utf8'))
    const { connections, telemetry, unrecorded } = await replayTrace(trace, {
      options: {
        authenticate: ({ token = '' }) => ({ id: users[token] ?? '' }),
        rooms: { 'chat:*': { history: 50 } },
        handlers: { shout: async (data) => String(data).toUpperCase() },
        typingMs: 100,
      },
    })
    expect(connections.map(({ messages }) => messages.map(inShort))).toEqual([
      [
        'welcome',
        'joined 1 0',
        'presence joined',
        ...shouts.flat(),
        'message 11',
        'ack bytes 11',
        'message 12 meanwhile',
        'ack m 12',
        'message 13 back',
        'presence left',
      ],
      [
        'welcome',
        'joined 1 0',
        'typing typing',
        'typing',
        ...shouts.map(([message]) => message),
        'message 11',
        'message 12 meanwhile',
      ],
      ['welcome resumed', 'joined 12 recovered', 'message 13 back', 'ack b 13'],
    ])
    expect(connections.map(({ closed }) => closed?.code)).toEqual([undefined, 1006, 1000])
    expect(telemetry.map(({ type }) => type)).toEqual([
      'connection.opened',
      'connection.opened',
      'connection.closed',
      'connection.opened',
      'connection.closed',
    ])
    expect(unrecorded).toBe(0)
  })
})
