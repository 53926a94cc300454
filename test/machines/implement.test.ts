import { createActor, fromPromise, setup, type AnyStateMachine } from 'xstate'
import { describe, expect, it } from 'vitest'
import * as machines from '../../machines/index.ts'
import { implement } from '../../src/runtime/actors/actor-system.ts'
import { VirtualClock } from '../../src/testing/index.ts'

// `implement` leans on XState's looking up implementations by the machine of the snapshot. Should an upgrade look
// elsewhere, these fail: every kind of implementation is called by way of it here, two machines side by side.

const bell = setup({
  types: { context: {} as { rung: string[] }, events: {} as { type: 'press' } | { type: 'hold' } },
  actors: { ring: fromPromise<string>(() => Promise.resolve('nobody')) },
  actions: { note: () => {}, open: () => {}, shut: () => {} },
  guards: { allowed: () => false },
  delays: { patience: 1_000 },
}).createMachine({
  context: { rung: [] },
  initial: 'idle',
  states: {
    idle: { entry: 'open', exit: 'shut', on: { press: { guard: 'allowed', target: 'ringing', actions: 'note' } } },
    ringing: { invoke: { src: 'ring', onDone: 'waiting' } },
    waiting: { after: { patience: 'idle' } },
  },
})

function ring(name: string, patience: number, make: typeof implement): { log: string[]; clock: VirtualClock } {
  const log: string[] = []
  const note = (what: string) => () => void log.push(`${name} ${what}`)
  const machine = make(bell, {
    actors: { ring: fromPromise(async () => (log.push(`${name} rings`), name)) },
    actions: { note: note('notes'), open: note('opens'), shut: note('shuts') },
    guards: { allowed: () => true },
    delays: { patience },
  } as never)
  const clock = new VirtualClock()
  const actor = createActor(machine, { clock })
  actor.subscribe(({ value }) => log.push(`${name} ${String(value)} at ${clock.now() - 946_684_800_000}`))
  actor.start()
  actor.send({ type: 'press' })
  return { log, clock }
}

describe('implement', () => {
  it('does what provide does, for machines that share their states', async () => {
    const provide = ((machine: AnyStateMachine, its: never) => machine.provide(its)) as never
    for (const [name, patience] of [
      ['one', 10],
      ['two', 500],
    ] as const) {
      const [shared, provided] = [ring(name, patience, implement), ring(name, patience, provide)]
      for (const { clock } of [shared, provided]) await clock.advance(1_000)
      expect(shared.log).toEqual(provided.log)
      expect(shared.log).toContain(`${name} idle at ${patience}`)
      expect(shared.log.filter((line) => line.endsWith('opens'))).toHaveLength(2)
    }
  })

  it('leaves the machine as it was, and gives it the same states', () => {
    const all = Object.values(machines).filter((it) => typeof it === 'object') as AnyStateMachine[]
    expect(all.length).toBeGreaterThan(7)
    for (const machine of all) {
      const before = { ...machine.implementations.actions }
      const changed = implement(machine, { actions: { added: () => {} } })
      expect(changed.root).toBe(machine.root)
      expect(changed.implementations.actions).toHaveProperty('added')
      expect(machine.implementations.actions).toEqual(before)
    }
  })
})
