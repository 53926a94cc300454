import { describe, expect, it, vi } from 'vitest'
import type { RuntimeOptions } from 'greenroom'
import { runConformance, type ConformanceOptions, type ConformanceReport } from 'greenroom/conformance'
import { byToken, serve, tokens } from './servers.ts'

interface Run extends ConformanceReport {
  /** The rules with a check that was skipped, each with the reason. */
  readonly skipped: readonly string[]
}

/** A run against our own server; nothing may be broken, and nothing may be left. */
async function check(options: RuntimeOptions, how: ConformanceOptions = {}): Promise<Run> {
  const { url, runtime, close } = await serve(options)
  try {
    const report = await runConformance(url, how)
    expect(report.results.filter(({ outcome }) => outcome === 'broken')).toEqual([])
    expect(report).not.toHaveProperty('firstBroken')
    expect(report.broken).toEqual([])
    // The last of them may still be on their way out.
    await vi.waitFor(() => expect(runtime.census).toMatchObject({ connections: 0, sessions: 0 }), 5_000)
    const skipped = report.results.flatMap(({ rule, why }) => (why === undefined ? [] : [`${rule}: ${why}`]))
    return { ...report, skipped }
  } finally {
    await close()
  }
}

const slow = [
  'HELLO-4: slow, about 10 s: --slow',
  'CLOSE-4: slow, about 5 s: --slow',
  'BOUND: slow, about 5 s: --slow',
  'PRESENCE: slow, about 55 s: --slow',
  'HEARTBEAT-1: slow, about 35 s: --slow',
]
const guests = 'HELLO-2: the server lets nobody in without credentials'
const counts = 'COUNT-1: rooms tell who is here, not only how many'

/** A server that gives up sooner than others, so that nobody has to wait for it; not so soon that a busy machine is late. */
const hasty: RuntimeOptions = {
  credentialsTimeoutMs: 1_500,
  heartbeatMs: 500,
  heartbeatTimeoutMs: 1_500,
  presenceGraceMs: 1_500,
  closeTimeoutMs: 1_000,
  typingMs: 2_000,
}

describe('our server', () => {
  it.concurrent('keeps to all that can be told of it as guests', async () => {
    const { skipped } = await check({})
    expect(skipped).toEqual(expect.arrayContaining([...slow, counts]))
    const needed = skipped.filter((why) => !slow.includes(why) && why !== counts)
    expect(needed.every((why) => why.includes('--token') || why.includes('refuses no token'))).toBe(true)
  })

  it.concurrent('keeps to all that can be told of it as two users, slow or not', async () => {
    const { skipped, results } = await check({ ...byToken, ...hasty }, { ...tokens, slow: true })
    expect(skipped).toEqual([guests, counts])
    expect(results.length).toBeGreaterThan(100)
  })

  it.concurrent('is held to its own numbers, however small', async () => {
    const options = { frameBytes: 1_600, roomsPerSession: 1, presenceBytes: 5, rooms: { '*': { history: 2 } } }
    const { skipped } = await check({ ...options, ...byToken, typingMs: 2_000 }, tokens)
    expect(skipped).toContain('JOINED-2: rooms keep too little of their log here')
    expect(skipped).toContain('PRESENCE-1: limits.presenceBytes leaves hardly anything to be said')
  })

  it.concurrent('may tell only how many are in a room', async () => {
    const options: RuntimeOptions = { ...byToken, typingMs: 2_000, rooms: { '*': { presence: 'count' } } }
    const { skipped } = await check(options, tokens)
    expect(skipped).toContain('JOINED-1: rooms tell only how many are here')
    expect(skipped).not.toContain(counts)
  })

  it.concurrent('may take any token for a name, and let guests in beside', async () => {
    const anybody: RuntimeOptions = {
      authenticate: ({ token = '' }) => ({ id: token }),
      guest: () => ({ id: 'a guest' }),
      typingMs: 2_000,
    }
    const { skipped } = await check(anybody, { token: 'ada' })
    expect(skipped.filter((why) => why.includes('refuses no token'))).not.toEqual([])
    expect(skipped.filter((why) => why.includes('everybody is the same user'))).toEqual([])
  })

  it.concurrent('may be checked by a single user', async () => {
    const { skipped } = await check({ ...byToken, typingMs: 2_000 }, { token: tokens.token })
    expect(skipped).toContain('PRESENCE-3: needs --other-token: everybody is the same user here')
  })
})

describe('a run', () => {
  it.concurrent('is only of the rules that are asked for, slow ones included', async () => {
    const heard: string[] = []
    const only = ['HEARTBEAT-1', 'PING-1']
    const { results } = await check(hasty, { only, onResult: ({ rule }) => heard.push(rule) })
    expect(results.map(({ rule, outcome }) => [rule, outcome])).toEqual([
      ['PING-1', 'ok'],
      ['HEARTBEAT-1', 'ok'],
    ])
    expect(heard).toEqual(['PING-1', 'HEARTBEAT-1'])
  })
})
