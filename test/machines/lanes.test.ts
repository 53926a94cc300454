import fc from 'fast-check'
import {
  assign,
  createActor,
  enqueueActions,
  raise,
  setup,
  type AnyMachineSnapshot,
  type AnyStateMachine,
} from 'xstate'
import { describe, expect, it } from 'vitest'
import { connectionMachine, roomMachine, supervisorMachine } from '../../machines/index.ts'
import { withLanes } from '../../src/runtime/actors/lanes.ts'
import { Steps } from '../../src/runtime/actors/steps.ts'
import { Chart, type Step } from './chart.ts'

interface Counter {
  interpreted: number
}

/** A machine with its lanes on for all of `hot`, and how often it went through the interpreter all the same. */
function laned(machine: AnyStateMachine, hot: readonly string[], counter: Counter = { interpreted: 0 }) {
  const counted = Object.create(machine) as AnyStateMachine
  counted.transition = (...args: Parameters<AnyStateMachine['transition']>) => {
    if (!args[1].type.startsWith('xstate.')) counter.interpreted++
    return machine.transition(...args)
  }
  return withLanes(counted, { hot, steps: new Steps(), watched: () => false })
}

const session = {}
const roomEvents = [
  ...['join', 'leave', 'publish', 'presence', 'typing', 'history', 'withdraw', 'reappear'].map((name) => ({
    type: `room.${name}`,
    session,
    message: { type: name },
  })),
  { type: 'typing.started', session },
  { type: 'typing.stopped', session },
  { type: 'room.emptied', empty: true, kept: true },
  { type: 'room.emptied', empty: true, kept: false },
  { type: 'room.emptied', empty: false },
]
const connectionEvents = [
  ...['socket.message', 'socket.hello', 'identity.renew'].map((type) => ({ type, message: { type } })),
  { type: 'outbox.congested' },
  { type: 'outbox.drained' },
  { type: 'outbox.overflowed' },
  { type: 'connection.close', reason: 'forbidden' },
  { type: 'socket.closed', reason: 'client-left' },
]
const supervisorEvents = [
  { type: 'connection.accept', link: {} },
  { type: 'route', to: 'room:main', event: { type: 'room.join' } },
  { type: 'child.crashed', address: 'room:main', at: 0 },
  { type: 'child.crashed', address: 'room:main', at: 2_000 },
  { type: 'runtime.drain' },
  { type: 'runtime.drain', alone: true },
  { type: 'connections.gone' },
]
const ada = { user: { id: 'ada' } }

const charts: Readonly<Record<string, Chart>> = {
  room: new Chart(roomMachine, {
    input: { room: {} },
    events: roomEvents,
    guards: { empty: ({ empty }) => empty === true, nothingToKeep: ({ kept }) => kept === false },
  }),
  connection: new Chart(connectionMachine, {
    input: { link: {} },
    events: connectionEvents,
    outputs: { authenticate: [ada], renew: [ada] },
    guards: { hasCredentials: () => false, sameUser: () => true },
    delays: { untilExpiry: 60_000 },
  }),
  supervisor: new Chart(supervisorMachine, {
    input: { intensity: 2, periodMs: 1_000 },
    events: supervisorEvents,
    guards: { noConnections: ({ alone }) => alone === true },
  }),
}

/** Everything that can be seen of an actor after a step. */
const shown = ({ value, context, status, output, tags }: AnyMachineSnapshot) =>
  structuredClone({ value, context, status, output, tags: [...tags] })

describe.each(Object.entries(charts))('the lanes of %s', (_name, chart) => {
  const hot = [...new Set(chart.options.events.map(({ type }) => type))]

  it('do what the interpreter does, in every state and for every event', async () => {
    const counters = { interpreted: 0, steps: 0 }
    const reached = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 5, maxLength: 30 }), async (choices) => {
        const plain = await chart.play()
        const fast = await chart.play((machine) => laned(machine, hot, counters))
        for (const choice of choices) {
          const possible = chart.steps.filter((step) => chart.canHappen(plain.snapshot, step))
          const step: Step | undefined = possible[choice % possible.length]
          if (step === undefined) break
          const before = plain.calls.length
          await plain.perform(step)
          await fast.perform(step)
          expect(shown(fast.snapshot)).toEqual(shown(plain.snapshot))
          expect(fast.calls.slice(before)).toEqual(plain.calls.slice(before))
          reached.add(JSON.stringify(plain.snapshot.value))
          counters.steps++
        }
        plain.actor.stop()
        fast.actor.stop()
      }),
      { numRuns: 100 },
    )
    // The lanes were taken, and the scripts were not all about one state.
    expect(counters.interpreted).toBeLessThan(counters.steps)
    expect(reached.size).toBeGreaterThanOrEqual(3)
  })
})

describe('a lane', () => {
  const ran: string[] = []
  const base = setup({
    types: { context: {} as { count: number; allowed: boolean }, events: {} as { type: string } },
    actions: {
      note: () => void ran.push('note'),
      noteToo: () => void ran.push('noteToo'),
      noteParams: (_, params: unknown) => void ran.push(JSON.stringify(params)),
      count: assign({ count: ({ context }) => context.count + 1 }),
      echo: raise({ type: 'echoed' }),
      enqueue: enqueueActions(({ enqueue }) => enqueue('note')),
      allow: assign({ allowed: true }),
      forbid: assign({ allowed: false }),
    },
    guards: { allowed: ({ context }) => context.allowed },
  })
  const machineOf = (config: object): AnyStateMachine =>
    base.createMachine({ context: { count: 0, allowed: false }, ...config } as never) as unknown as AnyStateMachine

  /** Sends events to a machine with its lanes on: what ran, and how often the interpreter was asked. */
  function send(config: object, ...types: string[]): { ran: string[]; interpreted: number } {
    ran.length = 0
    const counter = { interpreted: 0 }
    const actor = createActor(laned(machineOf(config), ['hot', 'hot.one'], counter)).start()
    for (const type of types) actor.send({ type })
    actor.stop()
    return { ran: [...ran], interpreted: counter.interpreted }
  }

  it('is one plain action on one unguarded transition that leads nowhere', () => {
    const expected = { ran: ['note', 'note'], interpreted: 0 }
    expect(send({ on: { hot: { actions: 'note' } } }, 'hot', 'hot')).toEqual(expected)
    expect(send({ on: { hot: { actions: { type: 'note' } } } }, 'hot', 'hot')).toEqual(expected)
    expect(send({ on: { '*': { actions: 'note' } } }, 'hot', 'hot')).toEqual(expected)
    expect(send({ on: { hot: { actions: 'note' } }, initial: 'a', states: { a: {} } }, 'hot', 'hot')).toEqual(expected)
  })

  const inState = (state: object): object => ({ initial: 'a', states: { a: state } })

  it.each<[string, object, string[]]>([
    ['a guard', { on: { hot: [{ guard: 'allowed', actions: 'noteToo' }, { actions: 'note' }] } }, ['note', 'note']],
    ['several actions', { on: { hot: { actions: ['note', 'noteToo'] } } }, ['note', 'noteToo', 'note', 'noteToo']],
    ['no action', { on: { hot: {} } }, []],
    ['parameters', { on: { hot: { actions: { type: 'noteParams', params: 1 } } } }, ['1', '1']],
    ['assign', { on: { hot: { actions: 'count' } } }, []],
    ['raise', { on: { hot: { actions: 'echo' }, echoed: { actions: 'note' } } }, ['note', 'note']],
    ['enqueueActions', { on: { hot: { actions: 'enqueue' } } }, ['note', 'note']],
    ['a target', inState({ on: { hot: { target: 'a', actions: 'note' } } }), ['note', 'note']],
    ['a reentry', inState({ on: { hot: { target: 'a', reenter: true } }, entry: 'note' }), ['note', 'note', 'note']],
    ['an `always`', inState({ always: { guard: 'allowed' }, on: { hot: { actions: 'note' } } }), ['note', 'note']],
    [
      'two regions that answer',
      {
        type: 'parallel',
        states: { a: { on: { hot: { actions: 'note' } } }, b: { on: { hot: { actions: 'noteToo' } } } },
      },
      ['note', 'noteToo', 'note', 'noteToo'],
    ],
  ])('is not: %s', (_name, config, expected) => {
    expect(send(config, 'hot', 'hot')).toEqual({ ran: expected, interpreted: 2 })
  })

  it('is only for events that are hot', () => {
    expect(send({ on: { cold: { actions: 'note' } } }, 'cold')).toEqual({ ran: ['note'], interpreted: 1 })
  })

  it.each<[string, object]>([
    ['its own', { hot: [{ guard: 'allowed', actions: 'noteToo' }, { actions: 'note' }] }],
    ['that of a wildcard', { '*': { guard: 'allowed', actions: 'note' } }],
    ['that of a part of the name', { 'hot.*': { guard: 'allowed', actions: 'note' } }],
  ])('asks a guard every time: %s', (_name, transitions) => {
    const config = { on: { ...transitions, allow: { actions: 'allow' }, forbid: { actions: 'forbid' } } }
    const asked = ['hot', 'hot.one']
    // Whatever the first answer was, it must not be the answer for ever.
    for (const script of [
      [...asked, 'allow', ...asked, 'forbid', ...asked],
      ['allow', ...asked, 'forbid', ...asked, 'allow', ...asked],
    ]) {
      const fast = send(config, ...script).ran
      ran.length = 0
      const plain = createActor(machineOf(config)).start()
      for (const type of script) plain.send({ type })
      expect(fast).toEqual(ran)
    }
  })
})
