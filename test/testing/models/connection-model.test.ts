import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assign, type AnyStateMachine } from 'xstate'
import { connectionMachine, connectionSetup } from 'greenroom/machines'
import { connectionModel, createTestRuntime, modelCommands, type TestRuntimeOptions } from 'greenroom/testing'
import { lobbyConnection } from '../../../examples/lobby/lobby-connection.ts'

const square = fc.oneof(fc.nat(8), fc.constantFrom(0.5, 'four', null))
const move = fc.oneof(fc.record({ data: fc.record({ square }) }), fc.constant({}))
const ending = fc.record({ reason: fc.constantFrom('client-left', 'socket-lost') })
const upTo = (ms: number): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: ms }))

const histories = modelCommands(lobbyConnection, { events: { 'client.move': move, 'socket.closed': ending } })

/** Somebody's credentials hold for a minute. */
const expiring = (now: () => number): TestRuntimeOptions => ({
  authenticate: async ({ token = 'bad' }) => {
    if (token === 'bad') throw new Error('Who is this?')
    return { user: { id: token }, expiresAt: now() + 60_000 }
  },
})

/** A small chart of one's own, with what the lobby has not: delays, a request, a guard that throws. */
const quiz = connectionSetup<
  { answer: unknown },
  { type: 'client.ask' } | { type: 'client.boom' } | { type: 'client.quit' }
>().createMachine({
  id: 'quiz',
  context: ({ input }) => ({ link: input.link, identity: undefined, reason: undefined, answer: undefined }),
  initial: 'connecting',
  on: { 'socket.closed': { target: '.closed' } },
  states: {
    connecting: { on: { 'socket.hello': { target: 'authenticating', actions: 'keepCredentials' } } },
    authenticating: {
      invoke: {
        src: 'authenticate',
        input: ({ context }) => ({ link: context.link }),
        onDone: { target: 'waiting', actions: assign({ identity: ({ event }) => event.output }) },
      },
    },
    waiting: {
      tags: 'open',
      entry: 'admit',
      on: {
        'client.ask': 'asking',
        'client.quit': 'closing',
        'client.boom': {
          guard: () => {
            throw new Error('a guard')
          },
        },
      },
    },
    asking: {
      tags: 'open',
      on: { 'socket.message': { actions: 'handleMessage' } },
      invoke: {
        src: 'request',
        input: ({ context }) => ({ link: context.link, type: 'question', timeoutMs: 4_000 }),
        onDone: { target: 'answered', actions: assign({ answer: ({ event }) => event.output }) },
        onError: {
          target: 'waiting',
          actions: assign({ answer: ({ event }) => (event.error as { code: string }).code }),
        },
      },
    },
    answered: { tags: 'open', after: { 2_000: 'waiting' }, on: { 'socket.message': 'waiting' } },
    closing: { entry: ['closeOutbox', 'sendClose'], on: { 'socket.closed': 'closed' } },
    closed: { type: 'final', entry: 'release' },
  },
})

describe('connectionModel', () => {
  it('holds the lobby of the examples against its chart', async () => {
    const compare = ({ moves, reason }: { moves: number; reason: unknown }) => ({ moves, reason })
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(histories, async (commands) => {
        await using stage = createTestRuntime({ connection: lobbyConnection })
        const setUp = await connectionModel(stage, lobbyConnection, { compare })
        await fc.asyncModelRun(() => setUp, commands)
        seen.add(JSON.stringify(setUp.model.snapshot.value))
      }),
      { numRuns: 200 },
    )
    expect([...seen].toSorted()).toEqual(['"closed"', '{"open":"lobby"}', '{"open":"playing"}', '{"open":"ready"}'])
  })

  it('holds the connection that is built in against its chart, with credentials that run out', async () => {
    const token = fc.record({ token: fc.constantFrom('ada', 'ada', 'bob', 'bad') })
    const histories = modelCommands(connectionMachine, {
      events: { 'socket.closed': ending, 'identity.renew': fc.record({ message: token }) },
      stepMs: upTo(90_000),
    })
    const compare = ({ identity, reason }: { identity: unknown; reason: unknown }) => ({ identity, reason })
    const reasons = new Set<unknown>()
    await fc.assert(
      fc.asyncProperty(histories, async (commands) => {
        await using stage = createTestRuntime(expiring(() => stage.clock.now()))
        const setUp = await connectionModel(stage, connectionMachine, { connect: { token: 'ada' }, compare })
        await fc.asyncModelRun(() => setUp, commands)
        reasons.add(setUp.model.snapshot.output?.reason)
      }),
      { numRuns: 200 },
    )
    expect(reasons).toEqual(
      new Set([undefined, 'client-left', 'socket-lost', 'forbidden', 'server-closing', 'token-expired']),
    )
  })

  it('holds a chart that asks its client for something, says hello, and has a guard that throws', async () => {
    const outcome = fc.constantFrom({ output: { right: true } }, { output: null }, { error: 'no' })
    const histories = modelCommands(quiz, { actors: { request: outcome }, stepMs: upTo(5_000) })
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(histories, async (commands) => {
        await using stage = createTestRuntime({ connection: quiz, ...expiring(() => stage.clock.now()) })
        const connect = { hello: { token: 'ada' } }
        const compare = ({ answer }: { answer: unknown }): unknown => {
          seen.add(JSON.stringify(answer) ?? 'none')
          return answer
        }
        await fc.asyncModelRun(() => connectionModel(stage, quiz, { connect, compare }), commands)
      }),
      { numRuns: 200 },
    )
    expect([...seen].toSorted()).toEqual(['"internal"', '"timeout"', 'none', 'null', '{"right":true}'])
  })

  it('finds a lobby that takes moves where the chart does not, by the move alone', async () => {
    const { counterexample, errorInstance } = await fc.check(
      fc.asyncProperty(histories, async (commands) => {
        await using stage = createTestRuntime({ connection: laxLobby() })
        await fc.asyncModelRun(() => connectionModel(stage, lobbyConnection), commands)
      }),
      { numRuns: 300 },
    )
    expect(String(counterexample)).toMatch(/^client\.move( \S+)? \/\*/)
    expect((errorInstance as Error).message).toContain(
      'The chart says:  {"value":{"open":"lobby"},"status":"active","answer":"not-allowed"}\n' +
        '  The system says: {"value":{"open":"ready"},"status":"active","answer":"ack"}',
    )
  })

  it('lets fast-check choose when the application’s promises settle', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), histories, async (scheduler, commands) => {
        const authenticate = async ({ token = '' }) => ({ id: token })
        await using stage = createTestRuntime({ connection: lobbyConnection, scheduler, authenticate })
        const connect = { token: 'ada' }
        await fc.scheduledModelRun(scheduler, () => connectionModel(stage, lobbyConnection, { connect }), commands)
      }),
      { numRuns: 50 },
    )
  })

  it('needs a network without latency, and a welcome', async () => {
    await using slow = createTestRuntime({ network: { latencyMs: [0, 5] } })
    await expect(connectionModel(slow, connectionMachine)).rejects.toThrow('set no latencyMs')
    await using stage = createTestRuntime(expiring(() => 0))
    await expect(connectionModel(stage, connectionMachine, { connect: { token: 'bad' } })).rejects.toThrow('welcome')
  })
})

/** A lobby in which whoever looks around can make a move. */
function laxLobby(): AnyStateMachine {
  const config = structuredLobby()
  const { lobby } = config.states.open.states
  lobby.on = { ...lobby.on, 'client.move': 'ready' }
  return connectionSetup<{ moves: number }>().createMachine(config as never) as unknown as AnyStateMachine
}

/** The chart of the lobby, as far as it is changed, in copies. */
function structuredLobby() {
  const { states, ...config } = lobbyConnection.config as unknown as LobbyConfig
  const { open } = states
  const lobby = { ...open.states.lobby }
  return { ...config, states: { ...states, open: { ...open, states: { ...open.states, lobby } } } }
}

interface LobbyConfig {
  readonly states: { readonly open: { readonly states: { readonly lobby: { on: object } } } }
}
