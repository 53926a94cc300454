import { assign, setup } from 'xstate'

/** How much restarting is too much: more than `intensity` restarts within `periodMs` (OTP's words). */
export interface RestartLimits {
  readonly intensity: number
  readonly periodMs: number
}

/** What the supervisor knows of itself: when it had to restart something. */
export interface SupervisorContext extends RestartLimits {
  readonly restarts: readonly number[]
}

/** What the supervisor is told. */
export type SupervisorEvent =
  /** A socket was accepted by a transport. */
  | { readonly type: 'connection.accept'; readonly link: object }
  /** Deliver an event to whoever lives at an address. */
  | { readonly type: 'route'; readonly to: string; readonly event: { readonly type: string } }
  /** A child that is to be kept alive died. `at` is the time in ms. */
  | { readonly type: 'child.crashed'; readonly address: string; readonly at: number }
  /** Stop accepting and close every connection. */
  | { readonly type: 'runtime.drain' }
  /** The last connection is gone. */
  | { readonly type: 'connections.gone' }

/** The root of the system: it starts, watches and restarts the others, routes between them, and ends them. */
export const supervisorMachine = setup({
  types: {
    context: {} as SupervisorContext,
    input: {} as RestartLimits,
    events: {} as SupervisorEvent,
  },
  actions: {
    /** Starts the actor of an accepted connection. */
    startConnection: () => {},
    /** Turns an accepted socket away. */
    refuseConnection: () => {},
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
    /** Whether no connection is left. */
    noConnections: () => true,
  },
  delays: { drainTimeout: 30_000 },
}).createMachine({
  id: 'supervisor',
  description: 'The root actor: starts, restarts, drains, and routes by address.',
  context: ({ input }) => ({ ...input, restarts: [] }),
  initial: 'starting',
  states: {
    starting: {
      description: 'Ports are being opened.',
      always: { target: 'running' },
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
        'runtime.drain': { target: 'draining' },
      },
    },
    draining: {
      description: 'Nobody new is accepted; those who are here are handed over.',
      entry: 'closeConnections',
      always: { guard: 'noConnections', target: 'stopped' },
      on: {
        'connection.accept': { actions: 'refuseConnection' },
        route: { actions: 'deliver' },
        'child.crashed': { actions: 'restart' },
        'connections.gone': { target: 'stopped' },
      },
      after: { drainTimeout: { target: 'stopped' } },
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
      after: { drainTimeout: { target: 'stopped' } },
    },
    stopped: {
      type: 'final',
      description: 'Nothing is left.',
      entry: 'stopChildren',
    },
  },
})
