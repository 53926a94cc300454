import { describe, expect, it } from 'vitest'
import type { InspectionEvent } from 'xstate'
import { clientMachine } from '../../machines/client.ts'
import { MachineCoverage } from '../../src/testing/index.ts'
import { ScriptedServer } from './scripted-server.ts'

/** Where the client's machine went, by what an observer was told. */
function path(events: readonly InspectionEvent[]): unknown[] {
  return events.flatMap((event) =>
    event.type === '@xstate.microstep' ? [(event.snapshot as { value?: unknown }).value] : [],
  )
}

describe('inspect of a client', () => {
  it('shows its machine from the first transition on', async () => {
    const server = new ScriptedServer()
    const events: InspectionEvent[] = []
    const client = server.client({ inspect: (event) => events.push(event) })
    expect(events[0]).toMatchObject({ type: '@xstate.actor', actorRef: { sessionId: client.actor.sessionId } })
    await server.clock.settle()
    // The token comes while it authenticates, and leaves it there.
    const opened = ['connecting', 'authenticating', 'authenticating', { open: { server: 'assured', identity: 'held' } }]
    expect(path(events)).toEqual(opened)
    client.close()
    expect(path(events)).toEqual([...opened, 'closed'])
  })

  it('takes an observer with a method as well', async () => {
    const server = new ScriptedServer()
    const events: InspectionEvent[] = []
    server.client({ inspect: { next: (event) => events.push(event) } })
    await server.clock.settle()
    expect(path(events).length).toBeGreaterThan(0)
  })

  it('shows what was reached of the chart', async () => {
    const server = new ScriptedServer()
    const coverage = new MachineCoverage([clientMachine])
    server.client({ inspect: coverage.inspect })
    await server.clock.settle()
    for (const state of ['idle', 'connecting', 'authenticating', 'open']) {
      expect(coverage.reached).toContain(`${clientMachine.id}.${state}`)
    }
    expect(coverage.reached).not.toContain(`${clientMachine.id}.waiting`)
    server.socket.end()
    await server.clock.settle()
    expect(coverage.reached).toContain(`${clientMachine.id}.waiting`)
  })
})
