import { describe, expect, it } from 'vitest'
import { assign } from 'xstate'
import { connectionSetup, type ConnectionContext, type Identity } from '../../machines/index.ts'
import { Chart, type Step } from './chart.ts'
import { walk } from './walk.ts'

// What an application's own chart can be made of beyond what the built-in one uses.

interface Game {
  readonly ready: boolean
}
type Skip = { type: 'client.skip' }

/** Asks its client whether it is ready, as often as the client asks to be asked. */
const machine = connectionSetup<Game, Skip>().createMachine({
  id: 'game',
  context: ({ input }) => ({ link: input.link, identity: undefined, reason: undefined, ready: false }),
  output: ({ context }) => ({ reason: context.reason }),
  initial: 'authenticating',
  on: {
    'socket.closed': {
      target: '.closed',
      actions: { type: 'end', params: ({ event }) => ({ reason: event.reason }) },
    },
  },
  states: {
    authenticating: {
      invoke: {
        src: 'authenticate',
        input: ({ context }) => ({ link: context.link }),
        onDone: { target: 'open', actions: assign({ identity: ({ event }) => event.output }) },
      },
    },
    open: {
      tags: 'open',
      entry: ['admit', 'runHeld'],
      exit: 'closeOutbox',
      on: { 'connection.handOver': { target: '.leaving' } },
      initial: 'asking',
      states: {
        asking: {
          entry: { type: 'joinRoom', params: { room: 'lobby' } },
          invoke: {
            src: 'request',
            input: ({ context }) => ({ link: context.link, type: 'ready?', data: { round: 1 }, timeoutMs: 5_000 }),
            onDone: { target: 'playing', actions: assign({ ready: ({ event }) => event.output === true }) },
            onError: { target: 'watching' },
          },
          on: { 'client.skip': { target: 'watching' } },
        },
        playing: { entry: { type: 'publish', params: { room: 'lobby', data: 'plays' } } },
        watching: { entry: { type: 'leaveRoom', params: { room: 'lobby' } } },
        leaving: { entry: ['sayGoodbye', { type: 'send', params: { type: 'bye' } }] },
      },
    },
    closed: { type: 'final', entry: 'release' },
  },
})

const ada: Identity = { user: { id: 'ada' } }
const authenticated = { type: 'xstate.done.actor.0.game.authenticating', output: ada }
const answered = { type: 'xstate.done.actor.0.game.open.asking', output: true }
const failed = { type: 'xstate.error.actor.0.game.open.asking', error: 'timeout' }
const skip = { type: 'client.skip' }
const handOver = { type: 'connection.handOver', reconnectAfterMs: 0 }
const closed = { type: 'socket.closed', reason: 'client-left' }

const link = {}
const chart = new Chart(machine, {
  input: { link },
  events: [skip, handOver, closed],
  outputs: { authenticate: [ada], request: [true, false] },
  memory: ({ ready, reason, identity }: ConnectionContext & Game) => [ready, reason, identity?.user.id],
})

async function played(...steps: readonly Step[]) {
  const play = await chart.play()
  for (const step of steps) await play.perform(step)
  return play
}

describe('a connection chart of an application’s own', () => {
  it('goes where its graph says, and can get everywhere', async () => {
    const { finals, untaken } = await walk(chart)
    expect(finals).toEqual(['closed'])
    expect(untaken).toEqual([])
  })

  it('asks its client with what it was told to ask', async () => {
    const play = await played(authenticated)
    expect(play.snapshot.value).toEqual({ open: 'asking' })
    expect(play.invoked.get('request')?.input).toEqual({
      link,
      type: 'ready?',
      data: { round: 1 },
      timeoutMs: 5_000,
    })
    play.actor.stop()
  })

  it('goes on with its client’s answer, or without one', async () => {
    const ready = await played(authenticated, answered)
    expect(ready.snapshot).toMatchObject({ value: { open: 'playing' }, context: { ready: true } })
    const mute = await played(authenticated, failed)
    expect(mute.snapshot).toMatchObject({ value: { open: 'watching' }, context: { ready: false } })
  })

  it('takes its question back when it leaves the state that asks, however it does', async () => {
    for (const step of [skip, handOver, closed]) {
      const play = await played(authenticated)
      const request = play.invoked.get('request')
      expect(request?.signal.aborted).toBe(false)
      await play.perform(step)
      expect(request?.signal.aborted, step.type).toBe(true)
      // An answer that is on its way all the same is nobody’s.
      const { value } = play.snapshot
      if (play.snapshot.status === 'active') await play.perform(answered)
      expect(play.snapshot).toMatchObject({ value, context: { ready: false } })
    }
  })

  it('takes its question back when it is stopped', async () => {
    const play = await played(authenticated)
    play.actor.stop()
    expect(play.invoked.get('request')?.signal.aborted).toBe(true)
  })

  it('has actions for what a client could ask for, with parameters of its own', async () => {
    const play = await played(authenticated, skip, handOver)
    const said = play.calls.filter(({ params }) => params !== undefined).map(({ name, params }) => ({ name, params }))
    expect(said).toEqual([
      { name: 'joinRoom', params: { room: 'lobby' } },
      { name: 'leaveRoom', params: { room: 'lobby' } },
      { name: 'send', params: { type: 'bye' } },
    ])
  })
})
