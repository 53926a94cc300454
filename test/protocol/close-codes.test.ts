import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closeCodes, closeReason, returnPolicy } from '../../src/protocol/index.ts'
import { endings } from '../../src/runtime/connection/endings.ts'
import { Stage, type RawClient } from '../stage.ts'
import { ask, byName, claimOf, greet, serverEnds, v1 } from './cast.ts'
import { wellFormed } from './hostile-frames.ts'
import { unrulyConnection } from '../unruly-connection.ts'

const document = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8')

describe('a close code', () => {
  it('[CLOSE-1] tells by its range what a client does, known or not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 4999 }), (code) => {
        const final = [1000, 1002, 1003, 1007, 1008, 1009, 1010].includes(code)
        const expected =
          final || (code >= 4000 && code < 4100) ? 'never' : code >= 4100 && code < 4200 ? 'renew-token' : 'backoff'
        expect(returnPolicy(code)).toBe(expected)
      }),
    )
    for (const code of [3999, 4200, 4299, 4300, 1001, 1005, 1006, 1011, 1012, 1013, 0, NaN]) {
      expect([code, returnPolicy(code)]).toEqual([code, 'backoff'])
    }
    expect([4000, 4099, 4100, 4199].map(returnPolicy)).toEqual(['never', 'never', 'renew-token', 'renew-token'])
  })

  it('[CLOSE-1] is obeyed by the client library', async () => {
    for (const [code, status] of [
      [1008, 'closed'],
      [4001, 'closed'],
      [4042, 'closed'],
      [4101, 'waiting'],
      [4208, 'waiting'],
      [1006, 'waiting'],
      [1012, 'waiting'],
      [3999, 'waiting'],
    ] as const) {
      const stage = new Stage()
      const ends = serverEnds(stage)
      const client = stage.client()
      await stage.clock.advance(100)
      ends[0]?.socket.close(code, '')
      await stage.clock.settle()
      expect([code, client.status]).toEqual([code, status])
    }
  })

  it('[CLOSE-2] stands in PROTOCOL.md with its reason, for every ending that a server chooses', () => {
    const section = document.slice(document.indexOf('**[CLOSE-2]**'), document.indexOf('**[CLOSE-3]**'))
    const rows = [...section.matchAll(/^\| ([\d, ]+) \| (.+?) \|/gm)]
    const listed = rows.flatMap(([, code = '', reasons = '']) =>
      [...reasons.matchAll(/`([a-z-]+)`/g)].map(([, reason]) => [reason, Number(code)]),
    )
    // The other side's doing, or the WebSocket library's: there is no frame of ours with these reasons.
    const { 'client-left': _, 'socket-lost': __, 'protocol-error': ___, 'message-too-big': ____, ...ours } = endings
    // Said to a socket that never became a connection.
    const starting = { starting: closeCodes.tryAgainLater }
    expect(Object.fromEntries(listed)).toEqual({
      ...Object.fromEntries(Object.entries(ours).map(([reason, { code }]) => [reason, code])),
      ...starting,
    })
    const codes = [...section.matchAll(/\b[14]\d{3}\b/g)].map(([code]) => Number(code))
    expect(codes.toSorted()).toEqual(
      Object.values(closeCodes)
        .filter((code) => ![1000].includes(code))
        .toSorted(),
    )
  })
})

type Scene = (stage: Stage, ada: RawClient) => unknown

/** What a server closes for, in the room of somebody who has been welcomed; and whether the session waits then. */
const scenes: readonly (readonly [code: number, reason: string, waits: boolean, scene: Scene])[] = [
  [1009, '', true, (stage, ada) => ask(stage, ada, 'x'.repeat(65_537))],
  [1011, 'crashed', true, (stage, ada) => ask(stage, ada, { type: 'throw' })],
  [4003, 'forbidden', false, (stage, ada) => ask(stage, ada, { type: 'forbid' })],
  [4009, 'replaced', true, (stage, ada) => greet(stage, { token: 'ada', resume: claimOf(ada) })],
  [
    4101,
    'token-expired',
    true,
    async (stage, ada) => {
      await stage.clock.advance(3_625_000)
      expect(ada.of('error')).toEqual([])
    },
  ],
  [
    4201,
    'heartbeat-lost',
    true,
    async (stage, ada) => {
      ada.socket.pause()
      await stage.clock.advance(35_000)
      ada.socket.resume()
    },
  ],
  [
    4208,
    'slow-consumer',
    true,
    async (stage, ada) => {
      ada.socket.pause()
      const pings = Array.from({ length: 100 }, (_, id) => ({ type: 'ping', id: `${id}`.padEnd(64, '.') }))
      for (let i = 0; i < 30; i++) await ask(stage, ada, ...pings)
      ada.socket.resume()
    },
  ],
]

describe('closing', () => {
  it.each(scenes)('[CLOSE-2] comes with %d %s (the session waits: %s)', async (code, reason, waits, scene) => {
    const stage: Stage = new Stage({
      authenticate: ({ token = '' }) => ({ user: { id: token }, expiresAt: stage.clock.now() + 3_600_000 }),
      outboxBytes: 100_000,
      ...(reason === 'crashed' || reason === 'forbidden' ? { connection: unrulyConnection } : {}),
    })
    const ada = await stage.connect({ token: 'ada' })
    await scene(stage, ada)
    await stage.clock.settle()
    expect(ada.closed).toEqual([{ code, reason }])
    const again = await greet(stage, { token: 'ada', resume: claimOf(ada) })
    expect(again.last('welcome')).toMatchObject({ resumed: waits })
  })

  it('[CLOSE-2] comes with 1012 to everybody when the server closes', async () => {
    const stage = new Stage(byName)
    const waiting = await stage.connect(v1)
    const open = await stage.member('main', { token: 'ada' })
    const closed = stage.runtime.close()
    await stage.clock.settle()
    await closed
    for (const client of [waiting, open]) expect(client.closed).toEqual([{ code: 1012, reason: 'server-closing' }])
  })

  it('[CLOSE-3] has a reason of at most 123 bytes, in which no character is cut', () => {
    fc.assert(
      fc.property(
        fc.array(wellFormed, { maxLength: 20 }).map((parts) => parts.join('')),
        (text) => {
          const reason = closeReason(text)
          expect(text.startsWith(reason)).toBe(true)
          expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123)
          expect(Buffer.from(reason).toString()).toBe(reason)
          // Nothing is cut that would have fitted.
          const [next = ''] = text.slice(reason.length)
          if (next !== '') expect(Buffer.byteLength(reason + next)).toBeGreaterThan(123)
        },
      ),
    )
    expect(closeReason('ä'.repeat(100))).toBe('ä'.repeat(61))
    expect(closeReason(`${'x'.repeat(122)}😀`)).toBe('x'.repeat(122))
    expect(closeReason('\ud800'.repeat(100)).length).toBe(41)
    for (const [reason, { code }] of Object.entries(endings))
      expect([code, closeReason(reason)]).toEqual([code, reason])
  })

  it('[CLOSE-4] gives a client 5 s to answer, and one that does not read 1 s', async () => {
    const stage = new Stage()
    const ends = serverEnds(stage)
    const [mute, slow, loud] = [await stage.member(), await stage.member(), await stage.member()]
    slow.socket.pause()
    await ask(
      stage,
      loud,
      ...Array.from({ length: 40 }, () => ({ type: 'message', room: 'main', data: 'x'.repeat(60_000) })),
    )
    await stage.clock.advance(999)
    expect(ends.map(({ closeFrames }) => closeFrames)).toEqual([[], [4208], []])
    expect(stage.runtime.census.connections).toBe(3)
    await stage.clock.advance(1)
    expect(stage.runtime.census.connections).toBe(2)
    mute.socket.pause()
    const closed = stage.runtime.close()
    await stage.clock.advance(4_999)
    expect(stage.runtime.census.connections).toBe(1)
    await stage.clock.advance(1)
    await closed
    expect(stage.runtime.census.connections).toBe(0)
  })

  it('[CLOSE-5] is followed by attempts at random times within a bound that doubles', async () => {
    const stage = new Stage()
    let luck = 0
    const client = stage.client({ environment: { ...stage.environment, random: () => luck } })
    const waits: number[] = []
    client.on('status', (status) => {
      if (status === 'waiting') waits.push((client.retryAt ?? 0) - stage.clock.now())
    })
    await stage.clock.advance(100)
    luck = 1
    const closed = stage.runtime.close()
    await stage.clock.advance(60_000)
    await closed
    expect(waits.slice(0, 7)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000])
    luck = 0.25
    await stage.clock.advance(20_000)
    expect(waits.at(-1)).toBe(5_000)
    client.close()
  })
})
