import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assign, createActor, fromPromise, raise, sendTo, setup } from 'xstate'
import { handlerMachine, heartbeatMachine, sessionMachine, typingMachine } from 'greenroom/machines'
import { createTestRuntime, machineModel, modelCommands, VirtualClock, type ModelDriver } from 'greenroom/testing'
import { waitingHandler } from '../../protocol/waiting-handler.ts'
import { handlerDriver, heartbeatDriver, SessionDriver, typingDriver } from './drivers.ts'

const upTo = (ms: number): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: ms }))

/** The history that remains of those in which chart and system disagree. */
async function shortest(
  property: fc.IAsyncProperty<[Iterable<unknown>]>,
): Promise<{ history: string[]; error: string }> {
  const { counterexample, errorInstance } = await fc.check(property, { numRuns: 300 })
  const history = [...(counterexample?.[0] ?? [])].filter((command) => (command as { hasRan: boolean }).hasRan)
  return { history: history.map(String), error: (errorInstance as Error | undefined)?.message ?? '' }
}

describe('machineModel', () => {
  it('[TYPING] holds what members see of somebody’s typing against its chart', async () => {
    await fc.assert(
      fc.asyncProperty(modelCommands(typingMachine), async (commands) => {
        await using stage = createTestRuntime()
        const driver = await typingDriver(stage)
        await fc.asyncModelRun(() => machineModel(typingMachine, driver, { input: { session: {} } }), commands)
      }),
    )
  })

  it('holds the heartbeat of a connection against its chart', async () => {
    await fc.assert(
      fc.asyncProperty(modelCommands(heartbeatMachine, { stepMs: upTo(40_000) }), async (commands) => {
        await using stage = createTestRuntime()
        const driver = await heartbeatDriver(stage)
        await fc.asyncModelRun(() => machineModel(heartbeatMachine, driver, { input: { link: {} } }), commands)
      }),
    )
  })

  it('holds a session that is lost and resumed against its chart', async () => {
    await fc.assert(
      fc.asyncProperty(modelCommands(sessionMachine, { stepMs: upTo(130_000) }), async (commands) => {
        await using stage = createTestRuntime({ detachedSessions: 1 })
        const driver = await SessionDriver.open(stage)
        await fc.asyncModelRun(() => machineModel(sessionMachine, driver, { input: { session: {} } }), commands)
      }),
    )
  })

  it('holds a call of a handler against its chart, the ends of what it invokes included', async () => {
    const outcome = fc.oneof(
      fc.record({ output: fc.constantFrom(undefined, 'done') }),
      fc.record({ error: fc.constant('no') }),
    )
    const histories = modelCommands(handlerMachine, { actors: { run: outcome }, stepMs: upTo(40_000), maxCommands: 6 })
    await fc.assert(
      fc.asyncProperty(histories, async (commands) => {
        const { handle, call } = waitingHandler()
        await using stage = createTestRuntime({ handlers: { work: handle } })
        const driver = await handlerDriver(stage, call)
        await fc.asyncModelRun(() => machineModel(handlerMachine, driver, { input: { call: {} } }), commands)
      }),
    )
  })

  it('finds an indicator that ends too early, by the two things that it takes', async () => {
    const { history, error } = await shortest(
      fc.asyncProperty(modelCommands(typingMachine), async (commands) => {
        await using stage = createTestRuntime({ typingMs: 2_000 })
        const driver = await typingDriver(stage)
        await fc.asyncModelRun(() => machineModel(typingMachine, driver, { input: { session: {} } }), commands)
      }),
    )
    expect(history).toEqual(['typing.start', '+2999 ms'])
    expect(error).toBe(
      'After +2999 ms the chart and the system disagree.\n' +
        '  The chart says:  {"value":{"typing":"heard"},"status":"active"}\n' +
        '  The system says: {"value":"idle","status":"active"}',
    )
  })

  it('finds one that ends too late', async () => {
    const { history } = await shortest(
      fc.asyncProperty(modelCommands(typingMachine), async (commands) => {
        await using stage = createTestRuntime({ typingMs: 3_001 })
        const driver = await typingDriver(stage)
        await fc.asyncModelRun(() => machineModel(typingMachine, driver, { input: { session: {} } }), commands)
      }),
    )
    expect(history).toEqual(['typing.start', '+3000 ms'])
  })
})

const performed: string[] = []

/** A machine with a bit of everything, all of it written in place. */
const odd = setup({
  types: { context: {} as { count: number }, events: {} as { type: 'go' | 'more' | 'fail' | 'x.one' | 'x.two' } },
  actors: { look: fromPromise<undefined>(async () => void performed.push('look')) },
}).createMachine({
  id: 'odd',
  context: { count: 0 },
  initial: 'one',
  entry: () => void performed.push('entry'),
  on: {
    more: { actions: assign({ count: ({ context }) => context.count + 1 }) },
    'x.*': { target: '.over' },
    fail: {
      guard: () => {
        throw new Error('a guard')
      },
      target: '.over',
    },
  },
  states: {
    one: {
      entry: [() => void performed.push('one'), raise({ type: 'more' }, { delay: 50 })],
      on: { go: { target: 'two', actions: sendTo(({ self }) => self, { type: 'more' }) } },
      after: { 100: 'two' },
    },
    two: { invoke: { src: 'look', onDone: 'one', onError: 'over' } },
    over: { type: 'final' },
  },
})

/** The same machine in earnest, as the system. Its own actors end when they are told to. */
function inEarnest(): ModelDriver {
  const clock = new VirtualClock(0)
  const ends: ((outcome: { output?: unknown; error?: unknown }) => void)[] = []
  const look = fromPromise(
    () =>
      new Promise<undefined>((resolve, reject) => {
        ends.push((outcome) => ('error' in outcome ? reject(outcome.error as Error) : resolve(undefined)))
      }),
  )
  const timers = {
    setTimeout: (callback: () => void, ms: number) => clock.setTimeout(callback, ms),
    clearTimeout: (timer: unknown) => clock.clearTimeout(timer),
  }
  const actor = createActor(odd.provide({ actors: { look } }), { clock: timers })
  actor.subscribe({ error: () => {} })
  actor.start()
  performed.length = 0
  return {
    send: (event) => actor.send(event as never),
    advance: (ms) => clock.advance(ms),
    snapshot: () => actor.getSnapshot(),
    end: async (_actor, outcome) => {
      ends.at(-1)?.(outcome)
      await clock.settle()
    },
  }
}

describe('the chart of a model', () => {
  const outcome = fc.constantFrom({ output: 1 }, { error: new Error('not found') })
  const histories = modelCommands(odd, { events: { 'x.one': fc.constant({}) }, actors: { look: outcome } })

  it('goes where the machine goes: delays, events to itself, guards that throw, actors that fail', async () => {
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(histories, async (commands) => {
        const driver = inEarnest()
        const setUp = machineModel(odd, driver, { compare: ({ count }) => count })
        await fc.asyncModelRun(() => setUp, commands)
        const { value, status } = setUp.model.snapshot
        seen.add(`${String(value)} ${status}`)
      }),
      { numRuns: 500 },
    )
    expect([...seen].toSorted()).toEqual(['one active', 'one error', 'over done', 'two active', 'two error'])
  })

  it('performs no action and starts no actor, whoever wrote it where', () => {
    const { model } = machineModel(odd, inEarnest())
    performed.length = 0
    model.send({ type: 'go' })
    model.end('look', { output: undefined })
    model.advance(100)
    expect(model.snapshot.value).toBe('two')
    expect(performed).toEqual([])
  })

  it('has its actors end at once where it is told what with', () => {
    const two: ModelDriver = { send: () => {}, advance: () => {}, snapshot: () => ({ value: 'one' }) }
    const { model } = machineModel(odd, two, { actors: { look: () => ({ output: 1 }) } })
    model.send({ type: 'go' })
    expect(model.snapshot.value).toBe('one')
    const { model: undecided } = machineModel(odd, two, { actors: { look: () => undefined } })
    undecided.send({ type: 'go' })
    expect(undecided.snapshot.value).toBe('two')
  })

  it('has to begin where the system does', () => {
    const elsewhere = { ...inEarnest(), snapshot: () => ({ value: 'two' }) }
    expect(() => machineModel(odd, elsewhere)).toThrow('After the start the chart and the system disagree')
  })

  it('compares of the context what it is told to', async () => {
    const driver = { ...inEarnest(), snapshot: () => ({ value: 'one', context: { count: 0 } }) }
    const { model } = machineModel(odd, driver, { compare: ({ count }) => ({ count }) })
    model.send({ type: 'more' })
    expect(() => model.agree('more')).toThrow(
      'The chart says:  {"value":"one","status":"active","context":{"count":1}}',
    )
  })
})
