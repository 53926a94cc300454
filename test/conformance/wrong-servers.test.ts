import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { listedChecks, runConformance, type ConformanceReport } from 'greenroom/conformance'
import { withFault } from './fault.ts'
import { byToken, serveBehind, serveAltered, tokens, type Served } from './servers.ts'
import { wrongAnswers } from './wrong-answers.ts'
import { wrongConnections } from './wrong-connections.ts'
import { wrongHandshakes, wrongSockets } from './wrong-handshakes.ts'
import { wrongRequests } from './wrong-requests.ts'
import { wrongRooms } from './wrong-rooms.ts'
import type { WrongServer } from './wrong-server.ts'

// A suite that names nothing says nothing. Each of these servers is ours but for one thing.

// Indicators that end sooner than they must are not wrong, and keep nobody waiting.
const options = { ...byToken, typingMs: 2_000 }

/** Runs until something is broken, and says what. */
async function judge(served: Omit<Served, 'runtime'>): Promise<ConformanceReport> {
  try {
    return await runConformance(served.url, { ...tokens, stopAtFirst: true, patienceMs: 1_500 })
  } finally {
    await served.close()
  }
}

const wrongServers: readonly WrongServer[] = [...wrongRequests, ...wrongRooms, ...wrongConnections]

describe('a run', () => {
  it.concurrent('goes on after what is broken, and says what that was in its order', async () => {
    const served = await serveBehind(byToken, (runtime) =>
      withFault(runtime, { out: (m) => (m.type === 'ack' ? [] : [m]) }),
    )
    const only = ['MESSAGE-3', 'LEFT-1', 'PING-1']
    const { results, ...report } = await runConformance(served.url, { ...tokens, only, patienceMs: 500 })
    await served.close()
    expect(results.map(({ rule, outcome }) => [rule, outcome])).toEqual([
      ['PING-1', 'ok'],
      ['LEFT-1', 'broken'],
      ['MESSAGE-3', 'broken'],
    ])
    expect(report).toMatchObject({ broken: ['LEFT-1', 'MESSAGE-3'], firstBroken: 'LEFT-1' })
  })

  it.concurrent('tries nothing but the handshake on a server that welcomes nobody', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/ws' })
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { results, broken } = await runConformance(`ws://127.0.0.1:${port}/ws`, { patienceMs: 200 })
    for (const client of server.clients) client.terminate()
    await new Promise<void>((resolve) => void server.close(() => resolve()))
    // The library chooses whatever was offered first.
    expect(broken).toContain('UPGRADE-2')
    expect(broken).toContain('HELLO-1')
    const others = results.filter(({ rule }) => !/^(UPGRADE|HELLO|WELCOME)-/.test(rule))
    expect(others.length).toBeGreaterThan(70)
    for (const { why } of others) expect(why).toBe('nobody is welcomed')
  })
})

describe('a server that', () => {
  it.concurrent.for(wrongServers)('$does is named by $rule', async ({ rule, fault, options: more }) => {
    const served = await serveBehind({ ...options, ...more }, (runtime) => withFault(runtime, fault()))
    const { firstBroken, results } = await judge(served)
    expect([firstBroken, results.at(-1)?.breach]).toEqual([rule, expect.anything()])
  })

  it.concurrent.for(wrongHandshakes)('$does is named by $rule', async ({ rule, alter }) => {
    const { firstBroken } = await judge(await serveAltered(options, alter))
    expect(firstBroken).toBe(rule)
  })
})

describe('a check', () => {
  it.concurrent.for(wrongAnswers)('of $rule finds a server that $does', async ({ rule, fault, options: more }) => {
    const guests = rule === 'HELLO-2' ? {} : byToken
    const served = await serveBehind({ ...guests, ...more }, (runtime) => withFault(runtime, fault()))
    const credentials = rule === 'HELLO-2' ? {} : tokens
    const { broken } = await runConformance(served.url, {
      ...credentials,
      only: [rule],
      stopAtFirst: true,
      patienceMs: 800,
    })
    await served.close()
    expect(broken).toEqual([rule])
  })

  it.concurrent.for(wrongSockets)('of $rule finds a server that $does', async ({ rule, alter }) => {
    const served = await serveAltered({}, alter)
    const { broken } = await runConformance(served.url, { only: [rule], stopAtFirst: true, patienceMs: 800 })
    await served.close()
    expect(broken).toEqual([rule])
  })

  it('is shown to fail by one of these servers, whatever its rule', () => {
    const all = [...wrongServers, ...wrongHandshakes, ...wrongAnswers, ...wrongSockets]
    expect(new Set(all.map(({ rule }) => rule))).toEqual(new Set(listedChecks.map(({ rule }) => rule)))
  })
})
