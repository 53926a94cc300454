import { assign, fromPromise, setup } from 'xstate'

/** How much restarting is too much: more than `intensity` restarts within `periodMs` (OTP's words). */
export interface RestartLimits {
  readonly intensity: number
  readonly periodMs: number
}

/** What the supervisor knows of itself: when it had to restart something. */
export interface SupervisorContext extends RestartLimits {
  readonly restarts: readonly number[]
  /** How long a drain may take (ms). */
  readonly withinMs: number
}

/** What the supervisor is told. */
export type SupervisorEvent =
  /** A socket was accepted by a transport. */
  | { readonly type: 'connection.accept'; readonly link: object }
  /** Deliver an event to whoever lives at an address. */
  | { readonly type: 'route'; readonly to: string; readonly event: { readonly type: string } }
  /** A child that is to be kept alive died. `at` is the time in ms. */
  | { readonly type: 'child.crashed'; readonly address: string; readonly at: number }
  /** Stop accepting, and hand the connections over within that time (ms). */
  | { readonly type: 'runtime.drain'; readonly withinMs: number }
  /** Stop accepting, and close every connection now. */
  | { readonly type: 'runtime.close' }
  /** The last connection is gone. */
  | { readonly type: 'connections.gone' }

/** The root of the system: it starts, watches and restarts the others, routes between them, and ends them. */
export const supervisorMachine = setup({
  types: {
    context: {} as SupervisorContext,
    input: {} as RestartLimits,
    events: {} as SupervisorEvent,
  },
  actors: {
    /** Takes in the sessions that were here before. */
    restoreSessions: fromPromise<void>(() => Promise.resolve()),
  },
  actions: {
    /** Starts the actor of an accepted connection. */
    startConnection: () => {},
    /** Turns an accepted socket away. */
    refuseConnection: () => {},
    /** Turns a socket away that came before the runtime was ready. */
    postponeConnection: () => {},
    /** Hands the event to the actor at the address. Hot. */
    deliver: () => {},
    /** Starts the child again, with what it had. */
    restart: () => {},
    /** Counts a restart, forgetting those older than the period. */
    countRestart: assign({
      restarts: ({ context, event }) =>
        event.type === 'child.crashed'
          ? [...context.restarts.filter((at) => at > event.at - context.periodMs), event.at]
          : context.restarts,
    }),
    /** Notes how long the drain may take. */
    noteDeadline: assign({
      withinMs: ({ context, event }) => (event.type === 'runtime.drain' ? event.withinMs : context.withinMs),
    }),
    /** Chooses who goes when. */
    planDrain: () => {},
    /** Says goodbye to those whose turn it is. */
    handOver: () => {},
    /** Asks every connection to close. */
    closeConnections: () => {},
    /** Ends sessions and rooms. */
    stopChildren: () => {},
    /** Tells the runtime's owner that it gave up. */
    reportFailure: () => {},
  },
  guards: {
    withinIntensity: ({ context, event }) =>
      event.type === 'child.crashed' &&
      context.restarts.filter((at) => at > event.at - context.periodMs).length < context.intensity,
    /** Whether there are sessions to be taken in first. */
    mustRestore: () => false,
    /** Whether no connection is left. */
    noConnections: () => true,
  },
  delays: {
    /** Between two batches of a drain. */
    drainInterval: 100,
    /** When a drain gives up on those who are still here. */
    drainTimeout: ({ context }) => context.withinMs,
    /** When closing gives up on those who are still here. */
    closingTimeout: 30_000,
  },
}).createMachine({
  id: 'supervisor',
  description: 'The root actor: starts, restarts, drains, and routes by address.',
  context: ({ input }) => ({ ...input, restarts: [], withinMs: 0 }),
  initial: 'starting',
  states: {
    starting: {
      description: 'Ports are being opened.',
      always: [{ guard: 'mustRestore', target: 'restoring' }, { target: 'running' }],
    },
    restoring: {
      description: 'Sessions that were here before are taken in, so that their clients find them.',
      invoke: {
        src: 'restoreSessions',
        onDone: { target: 'running' },
        onError: { target: 'failed', actions: 'reportFailure' },
      },
      on: {
        'connection.accept': { actions: 'postponeConnection' },
        route: { actions: 'deliver' },
        'child.crashed': [
          { guard: 'withinIntensity', actions: ['countRestart', 'restart'] },
          { target: 'failed', actions: 'reportFailure' },
        ],
        'runtime.drain': { target: 'stopped' },
        'runtime.close': { target: 'stopped' },
      },
    },
    running: {
      description: 'Connections are accepted and events routed.',
      on: {
        'connection.accept': { actions: 'startConnection' },
        route: { actions: 'deliver' },
        'child.crashed': [
          { guard: 'withinIntensity', actions: ['countRestart', 'restart'] },
          { target: 'failed', actions: 'reportFailure' },
        ],
        'runtime.drain': { target: 'draining', actions: ['noteDeadline', 'planDrain'] },
        'runtime.close': { target: 'closing' },
      },
    },
    draining: {
      description:
        'Nobody new is accepted; those who are here are handed over in batches, each told when to come back.',
      always: { guard: 'noConnections', target: 'stopped' },
      on: {
        'connection.accept': { actions: 'refuseConnection' },
        route: { actions: 'deliver' },
        'child.crashed': { actions: 'restart' },
        'connections.gone': { target: 'stopped' },
        'runtime.close': { target: 'closing' },
      },
      after: { drainTimeout: { target: 'closing' } },
      initial: 'handingOver',
      states: {
        handingOver: {
          description: 'One batch after the other.',
          entry: 'handOver',
          after: { drainInterval: { target: 'handingOver', reenter: true } },
        },
      },
    },
    closing: {
      description: 'Every connection has been asked to close.',
      entry: 'closeConnections',
      always: { guard: 'noConnections', target: 'stopped' },
      on: {
        'connection.accept': { actions: 'refuseConnection' },
        route: { actions: 'deliver' },
        'child.crashed': { actions: 'restart' },
        'connections.gone': { target: 'stopped' },
      },
      after: { closingTimeout: { target: 'stopped' } },
    },
    failed: {
      description: 'Restarting did not help.',
      entry: 'closeConnections',
      always: { guard: 'noConnections', target: 'stopped' },
      on: {
        'connection.accept': { actions: 'refuseConnection' },
        route: { actions: 'deliver' },
        'connections.gone': { target: 'stopped' },
      },
      after: { closingTimeout: { target: 'stopped' } },
    },
    stopped: {
      type: 'final',
      description: 'Nothing is left.',
      entry: 'stopChildren',
    },
  },
})
