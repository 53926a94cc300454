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
  /** How long the credentials held when the server last said so (ms); `Infinity` for those that nobody is to renew. */
  readonly lifeMs: number
  /** What was left then until they are renewed (ms). */
  readonly renewInMs: number
  /** Attempts to renew them that have failed in a row. */
  readonly failedRenewals: number
  /** How the last socket ended. */
  readonly lastClose: { readonly code: number; readonly reason: string } | undefined
}

/** What can happen to a client. */
export type ClientMachineEvent =
  | { readonly type: 'client.open' }
  | { readonly type: 'client.close' }
  /** There is a token to present: a guest is to become a user. */
  | { readonly type: 'client.authenticate' }
  | { readonly type: 'socket.opened' }
  /** What `getToken` ends with, unless it has been asked again before. */
  | { readonly type: 'token.got' }
  | { readonly type: 'token.failed'; readonly error: Error }
  | { readonly type: 'socket.welcomed'; readonly lifeMs: number }
  /** What `sendAuth` ends with. */
  | { readonly type: 'server.authenticated'; readonly lifeMs: number }
  | { readonly type: 'server.refused'; readonly error: Error }
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

/** Platforms take a delay of more than 31 bits for none at all. */
export const longestDelayMs = 2 ** 31 - 1

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
    /** Presents a fresh token on the live connection. */
    sendAuth: () => {},
    /** Tells the application why there is no fresh token. */
    reportFailure: () => {},
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
    noteLife: assign(({ event }) => ('lifeMs' in event ? { lifeMs: event.lifeMs, failedRenewals: 0 } : {})),
    /** Chooses when to renew: with so much time to spare that it may fail a few times, and not all clients at once. */
    scheduleRenewal: assign({ renewInMs: ({ context }) => context.lifeMs * 0.8 }),
    countWait: assign({ renewInMs: ({ context }) => context.renewInMs - longestDelayMs }),
    countFailure: assign({ failedRenewals: ({ context }) => context.failedRenewals + 1 }),
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
    /** Whether what there is holds for ever: then nothing need be renewed unless somebody asks for it. */
    endures: ({ context }) => context.lifeMs === Infinity,
    /** Whether the renewal is further off than any timer reaches. */
    isFarOff: ({ context }) => context.renewInMs > longestDelayMs,
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
    renewalDue: ({ context }) => Math.min(context.renewInMs, longestDelayMs),
    /** How long a client's `token()` may take when the credentials are renewed. */
    tokenTimeout: 10_000,
    /** How long the server may take to check a fresh token; it has 10 s for that itself. */
    checkTimeout: 15_000,
    /** Before another attempt to renew; grows with each. */
    renewalBackoff: 1_000,
  },
}).createMachine({
  id: 'client',
  description: 'The connection as the client sees it.',
  context: ({ input }) => ({
    ...input,
    attempts: 0,
    reconnectAfterMs: undefined,
    retryAt: undefined,
    lifeMs: Infinity,
    renewInMs: Infinity,
    failedRenewals: 0,
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
        'token.failed': { target: 'waiting', actions: ['reportFailure', 'dropSocket'] },
        // The application has another token than the one that the server may have been shown.
        'client.authenticate': { target: 'connecting', actions: 'dropSocket' },
        'socket.welcomed': { target: 'open', actions: ['noteLife', 'scheduleRenewal'] },
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
      type: 'parallel',
      on: {
        'socket.closed': [
          { guard: 'mustNotReturn', target: 'closed', actions: 'noteClose' },
          { target: 'waiting', actions: 'noteClose' },
        ],
        'network.offline': { target: 'suspended', actions: 'dropSocket' },
      },
      after: { stable: { actions: 'forgetAttempts' } },
      states: {
        server: {
          description: 'Whether the server is there, and is to stay.',
          initial: 'assured',
          on: { 'server.goodbye': { target: '.leaving', actions: 'noteGoodbye' } },
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
        identity: {
          description: 'Whether the credentials still hold. They are renewed before they run out.',
          initial: 'held',
          // However late: the server goes by it, too.
          on: { 'server.authenticated': { target: '.held', actions: ['noteLife', 'scheduleRenewal'] } },
          states: {
            held: {
              description: 'They hold, for long enough or for ever; or there are none, for a guest.',
              on: { 'client.authenticate': { target: 'renewing' } },
              after: {
                renewalDue: [
                  { guard: 'isFarOff', target: 'held', reenter: true, actions: 'countWait' },
                  { target: 'renewing' },
                ],
              },
            },
            renewing: {
              description: 'The application is asked for a fresh token.',
              entry: 'getToken',
              on: {
                // Another than is asked for now.
                'server.authenticated': { actions: 'noteLife' },
                // What it was asked for before does not count.
                'client.authenticate': { target: 'renewing', reenter: true },
                'token.got': { target: 'presenting' },
                'token.failed': { target: 'retrying', actions: 'reportFailure' },
              },
              after: { tokenTimeout: { target: 'retrying', actions: 'reportFailure' } },
            },
            presenting: {
              description: 'The server is shown the fresh token.',
              entry: 'sendAuth',
              on: {
                'client.authenticate': { target: 'outdated' },
                'server.refused': { target: 'retrying', actions: 'reportFailure' },
              },
              after: { checkTimeout: { target: 'retrying', actions: 'reportFailure' } },
            },
            outdated: {
              description: 'The application has another by now; whatever the server says of this one, that comes next.',
              on: {
                'server.authenticated': { target: 'renewing', actions: 'noteLife' },
                'server.refused': { target: 'renewing', actions: 'reportFailure' },
              },
              after: { checkTimeout: { target: 'renewing', actions: 'reportFailure' } },
            },
            retrying: {
              description:
                'There was none, or the server did not want it; a further attempt will be made while it lets us stay.',
              entry: 'countFailure',
              always: { guard: 'endures', target: 'held' },
              on: { 'client.authenticate': { target: 'renewing' } },
              after: { renewalBackoff: { target: 'renewing' } },
            },
          },
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
