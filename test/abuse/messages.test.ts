import { describe, expect } from 'vitest'
import { AbuseStage } from './abuse-stage.ts'

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
    for (const [text] of answers) attacker.say(text)
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

  stage.abuse('message.deep', async () => {
    const attacker = await stage.enter()
    const room = stage.room()
    await attacker.ask({ type: 'join', room })
    // As much of it as a frame holds.
    for (const [type, field, json] of [
      ['message', 'data', nested(32_000)],
      ['presence', 'state', nested(32_000)],
      ['message', 'data', `[${'0,'.repeat(32_000)}0]`],
      ['message', 'data', keys(6_000, '[]')],
    ]) {
      const before = attacker.bytes.messages.length
      const begun = performance.now()
      attacker.say(`{"type":"${type}","room":"${room}","id":1,"${field}":${json}}`)
      await attacker.bytes.until(() => attacker.bytes.messages.length > before)
      expect(performance.now() - begun).toBeLessThan(withinMs)
      expect(attacker.bytes.messages.at(-1)).toMatchObject({ type: 'error', id: 1 })
    }
    attacker.say(`{"type":"message","room":"${room}","data":${keys(100_000, '0')}}`)
    expect((await attacker.ending()).code).toBe(1009)
    const other = await stage.enter()
    other.say(nested(100_000))
    expect((await other.ending()).code).toBe(1009)
  })
})
