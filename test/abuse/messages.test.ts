import { describe, expect } from 'vitest'
import { text } from '../transports/raw/raw-frame.ts'
import { AbuseStage } from './abuse-stage.ts'
import type { Message } from './attacker.ts'

const keys = (count: number, value: string): string =>
  `{${Array.from({ length: count }, (_, i) => `"k${i}":${value}`).join()}}`

describe('messages', () => {
  const stage = new AbuseStage({ malformedCount: 10 })

  stage.abuse('message.unreadable', async () => {
    const attacker = await stage.enter()
    const answers = [
      ['nonsense', 'bad-json'],
      ['[]', 'bad-message'],
      ['null', 'bad-message'],
      ['{"type":1,"id":3}', 'bad-message'],
      ['{"type":"message","room":"pit","id":4}', 'bad-message'],
      ['{"type":"constructor","id":5}', 'unknown-type'],
    ] as const
    for (const [said] of answers) attacker.say(said)
    const errors = await attacker.heardAll('error', answers.length)
    expect(errors.map(({ code }) => code)).toEqual(answers.map(([, code]) => code))
    expect(errors.map(({ id }) => id)).toEqual([undefined, undefined, undefined, 3, 4, 5])
    for (let i = 0; i < 5; i++) attacker.say('nonsense')
    expect((await attacker.ending()).code).toBe(4213)
  })

  stage.abuse('message.meta', async () => {
    const room = stage.room()
    const attacker = await stage.enter()
    await attacker.ask({ type: 'join', room })
    const metas = [
      { values: ['regexp'] },
      { values: { a: ['class', 'User'] } },
      { values: { a: ['symbol', 'x'] }, v: 1 },
      { values: { a: [['typed-array', 'Float64Array']] } },
      { referentialEqualities: { a: ['b'] } },
      { values: { '__proto__.x': ['Date'] } },
      { values: { [`${'.'.repeat(20_000)}x`]: ['Date'] } },
    ]
    for (const meta of metas) {
      const reply = await attacker.ask({ type: 'message', room, data: { a: '(a+)+$', b: 9 }, meta })
      expect(reply).toMatchObject({ type: 'error', code: 'bad-meta' })
    }
    expect(await attacker.ask({ type: 'history', room })).toMatchObject({ messages: [] })
    await attacker.leave()
  })

  stage.abuse('message.forged', async () => {
    const room = stage.room()
    const attacker = await stage.enter({ token: 'eve' })
    await attacker.ask({ type: 'join', room })
    const forged = { at: 1, offset: 99, epoch: 'x', from: { user: 'ada', session: 'y' } }
    await attacker.ask({ type: 'message', room, data: 0, ...forged })
    const said = await attacker.heard('message')
    expect(said).toMatchObject({ offset: 1, from: { user: 'eve', session: attacker.welcome['session'] } })
    expect([said['epoch'], said['at']]).not.toEqual(['x', 1])
    await attacker.leave()
  })

  stage.abuse('once.repeated', async () => {
    const room = stage.room()
    const attacker = await stage.enter()
    await attacker.ask({ type: 'join', room })
    for (let i = 0; i < 5; i++) attacker.say({ type: 'message', room, data: i, id: 'same' })
    const acks = await attacker.heardAll('ack', 5)
    expect(acks.map(({ offset, duplicate }) => [offset, duplicate])).toEqual([
      [1, undefined],
      ...Array.from({ length: 4 }, () => [1, true]),
    ])
    expect(attacker.bytes.messages.filter(({ type }) => type === 'message')).toMatchObject([{ data: 0 }])
    await attacker.leave()
  })
})

describe('messages that are deep and wide', () => {
  const stage = new AbuseStage()
  /** They are parsed, looked at and refused in a few; the rest is for a machine that has other work. */
  const withinMs = 250
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  const saying = (type: string, field: string, json: string): Uint8Array =>
    text(`{"type":"${type}","room":"deep","id":1,"${field}":${json}}`)

  // As much of it as a frame holds; as many keys are fewer than may be. They are written here, or else the attacker
  // would be busier than the server.
  const held = [
    [saying('message', 'data', nested(32_000)), 'error'],
    [saying('presence', 'state', nested(32_000)), 'error'],
    [saying('message', 'data', `[${'0,'.repeat(32_000)}0]`), 'error'],
    [saying('message', 'data', keys(6_000, '0')), 'ack'],
  ] as const
  const tooLarge = [saying('message', 'data', nested(100_000)), saying('message', 'data', keys(100_000, '0'))]

  stage.abuse(
    'message.deep',
    async () => {
      const attacker = await stage.enter()
      await attacker.ask({ type: 'join', room: 'deep' })
      for (const [bytes, type] of held) {
        const begun = performance.now()
        attacker.bytes.write(bytes)
        const answers = (): Message[] => attacker.bytes.messages.filter(({ id }) => id === 1)
        const before = answers().length
        await attacker.bytes.until(() => answers().length > before)
        expect(performance.now() - begun).toBeLessThan(withinMs)
        expect(answers().at(-1)).toMatchObject(type === 'error' ? { type, code: 'bad-data' } : { type })
      }
      await attacker.leave()
      for (const bytes of tooLarge) {
        const other = await stage.enter()
        other.bytes.write(bytes)
        expect((await other.ending()).code).toBe(1009)
      }
    },
    // V8 takes some milliseconds for 6,000 names that it has not seen, whoever asks it to.
    { withinMs: 100 },
  )
})
