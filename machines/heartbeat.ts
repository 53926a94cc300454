import { setup } from 'xstate'

/** What a heartbeat is started with. */
export interface HeartbeatInput {
  /** The connection this heartbeat listens to; the runtime's, opaque to the chart. */
  readonly link: object
}

/** What a heartbeat can be told: `socket.heard` when the other side answered a probe. */
export type HeartbeatEvent = { readonly type: 'socket.heard' }

/**
 * One per connection. It waits, probes the socket, and ends in `lost` when two probes in a row go unanswered and
 * nothing else was heard either. What to do about a lost socket is the connection's decision, not the heartbeat's.
 *
 * Delays (ms): `interval` between probes, `patience` for each of the two probes (half of the time allowed to answer).
 */
export const heartbeatMachine = setup({
  types: {
    context: {} as HeartbeatInput,
    input: {} as HeartbeatInput,
    events: {} as HeartbeatEvent,
  },
  actions: {
    /** Sends a ping frame. */
    probe: () => {},
  },
  guards: {
    /** Whether any frame arrived since the last probe; traffic is as good as an answer. */
    heardMeanwhile: () => false,
  },
  delays: { interval: 25_000, patience: 5_000 },
}).createMachine({
  id: 'heartbeat',
  description: 'Finds out whether the other side of one socket is still there.',
  context: ({ input }) => input,
  initial: 'waiting',
  states: {
    waiting: {
      description: 'The socket was heard recently.',
      after: { interval: { target: 'probing' } },
    },
    probing: {
      description: 'A ping is out.',
      entry: 'probe',
      on: { 'socket.heard': { target: 'waiting' } },
      after: { patience: [{ guard: 'heardMeanwhile', target: 'waiting' }, { target: 'suspect' }] },
    },
    suspect: {
      description: 'The first ping went unanswered; a second is out.',
      entry: 'probe',
      on: { 'socket.heard': { target: 'waiting' } },
      after: { patience: [{ guard: 'heardMeanwhile', target: 'waiting' }, { target: 'lost' }] },
    },
    lost: {
      type: 'final',
      description: 'Nobody answers.',
    },
  },
})
