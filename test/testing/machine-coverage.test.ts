import { describe, expect, it } from 'vitest'
import { and, createActor, not, setup } from 'xstate'
import { connectionMachine } from '../../machines/index.ts'
import { createTestRuntime, MachineCoverage } from '../../src/testing/index.ts'

const door = setup({
  types: { context: {} as { locked: boolean }, events: {} as { type: 'push' | 'pull' | 'look' | 'lock' } },
  guards: { locked: ({ context }) => context.locked },
  actions: { see: () => {}, turn: () => {} },
}).createMachine({
  id: 'door',
  context: { locked: false },
  initial: 'shut',
  on: { look: { actions: 'see' } },
  states: {
    shut: { on: { push: [{ guard: 'locked', actions: 'turn' }, { target: 'ajar' }] } },
    ajar: { always: 'open' },
    open: { on: { pull: 'shut' }, after: { 1_000: 'shut' } },
  },
})

const all = [
  'door: look → itself / see',
  'door.shut',
  'door.shut: push when locked → itself / turn',
  'door.shut: push → door.ajar',
  'door.ajar',
  'door.ajar: always → door.open',
  'door.open',
  'door.open: pull → door.shut',
  'door.open: xstate.after.1000.door.open → door.shut',
]

/** Leads an actor of a machine through some events. */
function lead(coverage: MachineCoverage, ...types: ('push' | 'pull' | 'look')[]): void {
  const actor = createActor(door, { inspect: coverage.inspect }).start()
  for (const type of types) actor.send({ type })
  actor.stop()
}

describe('MachineCoverage', () => {
  it('begins with nothing, and names all that there is', () => {
    const [report] = new MachineCoverage([door]).report()
    expect(report).toMatchObject({ machine: 'door', states: [0, 4], transitions: [0, 6] })
    expect(report?.missing.toSorted()).toEqual(['door', ...all].toSorted())
  })

  it('tells what was reached, a state that is left at once as well', () => {
    const coverage = new MachineCoverage([door])
    lead(coverage)
    expect(coverage.report()).toMatchObject([{ states: [2, 4], transitions: [0, 6] }])
    lead(coverage, 'push')
    const missing = [
      'door: look → itself / see',
      'door.shut: push when locked → itself / turn',
      'door.open: pull → door.shut',
      'door.open: xstate.after.1000.door.open → door.shut',
    ]
    const [report] = coverage.report()
    expect(report).toMatchObject({ states: [4, 4], transitions: [2, 6] })
    expect(report?.missing.toSorted()).toEqual(missing.toSorted())
    lead(coverage, 'look', 'push', 'pull')
    expect(coverage.report()).toMatchObject([{ states: [4, 4], transitions: [4, 6] }])
  })

  it('goes on from what others have reached, and counts nothing twice', () => {
    const [first, second] = [new MachineCoverage([door]), new MachineCoverage([door])]
    lead(first, 'push')
    lead(second, 'look', 'push')
    const merged = new MachineCoverage([door], [...first.reached, ...second.reached, 'of another machine'])
    expect(merged.report()).toMatchObject([{ states: [4, 4], transitions: [3, 6] }])
    lead(merged, 'push', 'pull')
    expect(merged.report()).toMatchObject([{ states: [4, 4], transitions: [4, 6] }])
    expect(first.report()).toMatchObject([{ transitions: [2, 6] }])
  })

  it('knows a machine by its chart, whatever it is provided with', () => {
    const coverage = new MachineCoverage([door])
    const locked = door.provide({ guards: { locked: () => true } })
    const actor = createActor(locked, { inspect: coverage.inspect }).start()
    actor.send({ type: 'push' })
    expect(coverage.reached).toContain('door.shut: push when locked → itself / turn')
    expect(coverage.report()).toMatchObject([{ states: [2, 4], transitions: [1, 6] }])
  })

  it('tells transitions apart that say the same of themselves', () => {
    const lamp = setup({
      types: { context: {} as { dim: boolean }, events: {} as { type: 'press' } },
      guards: { dim: ({ context }) => context.dim },
    }).createMachine({
      id: 'lamp',
      context: { dim: true },
      initial: 'off',
      states: {
        off: {
          on: {
            press: [
              { guard: and([not('dim')]), target: 'on' },
              { guard: and(['dim']), target: 'on' },
            ],
          },
        },
        on: {},
      },
    })
    const coverage = new MachineCoverage([lamp])
    const actor = createActor(lamp, { inspect: coverage.inspect }).start()
    actor.send({ type: 'press' })
    expect(coverage.report()).toEqual([
      { machine: 'lamp', states: [3, 3], transitions: [1, 2], missing: ['lamp.off: press → lamp.on'] },
    ])
  })

  it('sees what a runtime does with its machines', async () => {
    const coverage = new MachineCoverage([connectionMachine, door])
    const test = createTestRuntime({ inspect: coverage.inspect })
    await test.member('main')
    const [before] = coverage.report()
    await test.close()
    const [after, other] = coverage.report()
    expect(before?.machine).toBe(connectionMachine.id)
    expect(before?.states[0]).toBeGreaterThan(0)
    expect(before?.missing).toContain(`${connectionMachine.id}.closed`)
    expect(after?.missing).not.toContain(`${connectionMachine.id}.closed`)
    expect(after?.states[0]).toBeGreaterThan(before?.states[0] ?? NaN)
    expect(other).toMatchObject({ machine: 'door', states: [0, 4], transitions: [0, 6] })
  })
})
