import { assign, setup } from 'xstate'

/** What the close code that ended a socket asks of a client. */
export type ReturnPolicy = 'never' | 'renew-token' | 'backoff'

/** What a client is started with. */
export interface ClientInput {
  /** The library's side of the client; opaque to the chart. */
  readonly port: object
}

/** What a client's chart knows. */
export interface ClientContext extends ClientInput {
  /** Attempts since the last one that lasted, and with it; the backoff grows with them. */
  readonly attempts: number
  /** How long a server that is going away asked us to stay away (ms). */
  readonly reconnectAfterMs: number | undefined
  /** When the next attempt is due (ms since the epoch); undefined when none is. */
  readonly retryAt: number | undefined
  /** How the last socket ended. */
  readonly lastClose: { readonly code: number; readonly reason: string } | undefined
}

/** What can happen to a client. */
export type ClientMachineEvent =
  | { readonly type: 'client.open' }
  | { readonly type: 'client.close' }
  | { readonly type: 'socket.opened' }
  /** What `getToken` ends with, unless the connection has ended before. */
  | { readonly type: 'token.got' }
  | { readonly type: 'token.failed' }
  | { readonly type: 'socket.welcomed' }
  /** Anything arrived. */
  | { readonly type: 'socket.heard' }
  | {
      readonly type: 'socket.closed'
      readonly code: number
      readonly reason: string
      readonly policy: ReturnPolicy
    }
  /** The server is going away. */
  | { readonly type: 'server.goodbye'; readonly reconnectAfterMs: number }
  /** Nothing that was sent is unanswered. */
  | { readonly type: 'calls.answered' }
  | { readonly type: 'network.offline' }
  | { readonly type: 'network.online' }
  /** The tab woke up, or something else suggests to look now rather than later. */
  | { readonly type: 'client.wake' }

/** The client's side: it connects, says who it is, stays, and comes back. */
export const clientMachine = setup({
  types: {
    context: {} as ClientContext,
    input: {} as ClientInput,
    events: {} as ClientMachineEvent,
  },
  actions: {
    openSocket: () => {},
    /** Gets the token; a client's `token()` may take its time, and then says whether it came. */
    getToken: () => {},
    sendHello: () => {},
    /** Joins again what was joined, sends what waits. */
    restore: () => {},
    /** Shows rooms as waiting for the connection to come back, and cancels what the server has asked for. */
    pause: () => {},
    sendPing: () => {},
    /** Lets go of the socket without waiting for it. */
    dropSocket: () => {},
    /** Says goodbye properly. */
    closeSocket: () => {},
    /** Rejects what still waits. */
    failCalls: () => {},
    noteClose: assign(({ event }) =>
      event.type === 'socket.closed' ? { lastClose: { code: event.code, reason: event.reason } } : {},
    ),
    noteGoodbye: assign(({ event }) =>
      event.type === 'server.goodbye' ? { reconnectAfterMs: event.reconnectAfterMs } : {},
    ),
    countAttempt: assign({ attempts: ({ context }) => context.attempts + 1 }),
    /** What went before does not count: this attempt was the first. */
    forgetAttempts: assign({ attempts: 1 }),
    /** Chooses when to try again: when the server said, or else with full jitter. */
    scheduleRetry: assign({ retryAt: undefined }),
    clearRetry: assign({ retryAt: undefined, reconnectAfterMs: undefined }),
  },
  guards: {
    mustNotReturn: ({ event }) => event.type === 'socket.closed' && event.policy === 'never',
  },
  delays: {
    connectTimeout: 10_000,
    backoff: 1_000,
    pingInterval: 25_000,
    pongTimeout: 10_000,
    /** After so long it counts as having stayed: a server that lets us in and drops us is not asked ever faster. */
    stable: 10_000,
    /** How long answers may keep us from going when the server has said goodbye. */
    leaveTimeout: 30_000,
  },
}).createMachine({
  id: 'client',
  description: 'The connection as the client sees it.',
  context: ({ input }) => ({
    ...input,
    attempts: 0,
    reconnectAfterMs: undefined,
    retryAt: undefined,
    lastClose: undefined,
  }),
  initial: 'idle',
  on: { 'client.close': { target: '.closed', actions: 'closeSocket' } },
  states: {
    idle: {
      description: 'Made, but not asked to connect.',
      on: { 'client.open': { target: 'connecting' } },
    },
    connecting: {
      description: 'A socket is being opened.',
      entry: ['clearRetry', 'countAttempt', 'openSocket'],
      on: {
        'socket.opened': { target: 'authenticating' },
        'socket.closed': [
          { guard: 'mustNotReturn', target: 'closed', actions: 'noteClose' },
          { target: 'waiting', actions: 'noteClose' },
        ],
        'network.offline': { target: 'suspended', actions: 'dropSocket' },
      },
      after: { connectTimeout: { target: 'waiting', actions: 'dropSocket' } },
    },
    authenticating: {
      description: 'The server is told who this is.',
      entry: 'getToken',
      on: {
        'token.got': { actions: 'sendHello' },
        'token.failed': { target: 'waiting', actions: 'dropSocket' },
        'socket.welcomed': { target: 'open' },
        'socket.closed': [
          { guard: 'mustNotReturn', target: 'closed', actions: 'noteClose' },
          { target: 'waiting', actions: 'noteClose' },
        ],
        'network.offline': { target: 'suspended', actions: 'dropSocket' },
      },
      after: { connectTimeout: { target: 'waiting', actions: 'dropSocket' } },
    },
    open: {
      description: 'Welcomed: messages flow both ways.',
      entry: 'restore',
      exit: 'pause',
      initial: 'assured',
      on: {
        'server.goodbye': { target: '.leaving', actions: 'noteGoodbye' },
        'socket.closed': [
          { guard: 'mustNotReturn', target: 'closed', actions: 'noteClose' },
          { target: 'waiting', actions: 'noteClose' },
        ],
        'network.offline': { target: 'suspended', actions: 'dropSocket' },
      },
      after: { stable: { actions: 'forgetAttempts' } },
      states: {
        assured: {
          description: 'The server was heard recently.',
          on: { 'client.wake': { target: 'checking' } },
          after: { pingInterval: { target: 'checking' } },
        },
        checking: {
          description: 'A ping is out; anything that arrives answers it.',
          entry: 'sendPing',
          on: { 'socket.heard': { target: 'assured' } },
          after: { pongTimeout: { target: '#client.waiting', actions: 'dropSocket' } },
        },
        leaving: {
          description: 'The server is going away. Nothing new is asked of it.',
          on: { 'calls.answered': { target: '#client.waiting', actions: 'dropSocket' } },
          after: { leaveTimeout: { target: '#client.waiting', actions: 'dropSocket' } },
        },
      },
    },
    waiting: {
      description: 'Between attempts.',
      entry: 'scheduleRetry',
      on: {
        'network.online': { target: 'connecting' },
        'client.wake': { target: 'connecting' },
        'network.offline': { target: 'suspended' },
      },
      after: { backoff: { target: 'connecting' } },
    },
    suspended: {
      description: 'The device has no network.',
      entry: 'clearRetry',
      on: { 'network.online': { target: 'connecting' } },
    },
    closed: {
      type: 'final',
      description: 'Over: by our own wish or the server’s.',
      entry: 'failCalls',
    },
  },
})
