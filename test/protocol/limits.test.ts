import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { protocolLimits } from '../../src/protocol/index.ts'
import { Stage } from '../stage.ts'
import { ask } from './cast.ts'

const document = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8')

describe('limits', () => {
  it('[LIMIT-1] are those that PROTOCOL.md lists', () => {
    const section = document.slice(document.indexOf('**[LIMIT-1]**'), document.indexOf('## Application messages'))
    const rows = [...section.matchAll(/^\| .+ \| (\d+)[a-z ]* \| `(\w+)` \|$/gm)]
    const { settings } = new Stage().runtime
    // These say how a server runs, not what a client meets.
    const { drainMs: _, drainPerSecond: __, restartIntensity: ___, ...met } = settings
    expect(Object.fromEntries(rows.map(([, value, option]) => [option, Number(value)]))).toEqual(met)
  })

  it('[LIMIT-1] can be set for one server, and hold for it', async () => {
    const stage = new Stage({
      roomsPerSession: 1,
      presenceBytes: 5,
      replayCount: 2,
      typingMs: 100,
      credentialsTimeoutMs: 50,
    })
    const ada = await stage.connect()
    expect(ada.last('welcome')['limits']).toMatchObject({ rooms: 1, presenceBytes: 5 })
    const join = (room: string, presence: unknown): object => ({ type: 'join', room, presence })
    const replies = await ask(stage, ada, join('a', '1234'), join('a', '123'), join('b', 1))
    expect(replies.map(({ type, code }) => code ?? type).toSorted()).toEqual([
      'joined',
      'presence-too-large',
      'too-many-rooms',
    ])
    await ask(stage, ada, ...[1, 2, 3].map((data) => ({ type: 'message', room: 'a', data })))
    const [page] = await ask(stage, ada, { type: 'history', room: 'a', limit: 100 })
    expect(page?.['messages']).toHaveLength(2)
    const silent = await stage.connect({ protocol: 'greenroom.v1' })
    await stage.clock.advance(50)
    expect(silent.closed).toMatchObject([{ code: 4210 }])
  })

  it('[LIMIT-1] that belong to the protocol stand in its rules', () => {
    for (const [rule, limit] of [
      ['JOIN-2', protocolLimits.roomNameBytes],
      ['REQUEST-1', protocolLimits.idLength],
      ['DATA-2', protocolLimits.dataDepth],
      ['DATA-2', protocolLimits.dataNodes],
      ['META-1', protocolLimits.metaEntries],
      ['META-1', protocolLimits.dataDepth],
    ] as const) {
      const from = document.indexOf(`**[${rule}]**`)
      const paragraph = document.slice(from, document.indexOf('\n\n', from))
      expect(paragraph).toContain(limit.toLocaleString('en'))
    }
  })

  it('[LIMIT-1] refuse to be what they cannot be', () => {
    for (const value of [-1, NaN, '5', null]) {
      expect(() => new Stage({ frameBytes: value as number })).toThrow(RangeError)
    }
  })
})
