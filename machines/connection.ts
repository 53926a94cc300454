import { assign, fromPromise, fromTransition, setup, type EventObject } from 'xstate'

/**
 * Why a connection ended: our own word for it, never a number. The runtime joins each to a close code; a reason
 * without a code does not compile there.
 */
export type EndReason =
  | 'client-left'
  | 'socket-lost'
  | 'protocol-error'
  | 'message-too-big'
  | 'not-authenticated'
  | 'authentication-timeout'
  | 'authentication-unavailable'
  | 'forbidden'
  | 'replaced'
  | 'token-expired'
  | 'heartbeat-lost'
  | 'slow-consumer'
  | 'limit-reached'
  | 'rate-limited'
  | 'server-closing'
  | 'crashed'

/** An authenticated identity. `id` is what other members see as `user`. */
export interface User {
  readonly id: string
}

/** What authentication yields: who it is and, for credentials that end, when (ms since the epoch). */
export interface Identity {
  readonly user: User
  readonly expiresAt?: number
  /** Whether nobody vouches for it: somebody without credentials. */
  readonly guest?: boolean
}

/** What a connection is started with. */
export interface ConnectionInput {
  /** The runtime's handle on the socket; opaque to charts. */
  readonly link: object
}

/** What every connection's chart knows; a chart of your own adds fields beside these. */
export interface ConnectionContext {
  readonly link: object
  readonly identity: Identity | undefined
  readonly reason: EndReason | undefined
}

/** The events that the runtime sends to a connection. The set is closed: nothing on the wire chooses a type. */
export type ConnectionEvent =
  /** A decoded message; its own type is in `message`, not here. */
  | { readonly type: 'socket.message'; readonly message: { readonly type: string } }
  /** The client's first message, or a later one that resumes a session. */
  | { readonly type: 'socket.hello'; readonly message: { readonly type: string } }
  /** The socket is gone. */
  | { readonly type: 'socket.closed'; readonly reason: EndReason }
  /** A fresh token arrived on a live connection. */
  | { readonly type: 'identity.renew'; readonly message: { readonly type: string } }
  /** The outbox's watermarks. */
  | { readonly type: 'outbox.congested' }
  | { readonly type: 'outbox.drained' }
  | { readonly type: 'outbox.overflowed' }
  /** The runtime is draining: the client is to go, and to come back after so many ms. */
  | { readonly type: 'connection.handOver'; readonly reconnectAfterMs: number }
  /** Somebody inside the runtime ends the connection. */
  | { readonly type: 'connection.close'; readonly reason: EndReason }

/**
 * An event of a user's own chart. The client sends `{ "type": "ready", "data": … }`; the chart receives
 * `{ type: 'client.ready', data, id }`. Only types that the chart names are let through.
 */
export interface ClientEvent extends EventObject {
  readonly type: `client.${string}`
  readonly data?: unknown
  readonly id?: string | number
}

/**
 * The tag `open` marks the states in which a connection takes part. A chart of your own names its states as it likes;
 * the runtime looks for the tag.
 */
export type ConnectionTag = 'open'

/**
 * Starts a connection machine of your own: XState's `setup`, with the runtime's events, named actions, guards, delays
 * and actors already declared. The runtime provides their implementations once, at start.
 *
 * @typeParam Context - fields of your own beside {@link ConnectionContext}
 * @typeParam Events - events of your own, each `client.<type on the wire>`
 * @example
 * ```ts
 * type Move = { type: 'client.move'; data: { x: number } }
 * const machine = connectionSetup<{ moves: number }, Move>().createMachine({ … })
 * createRuntime({ connection: machine })
 * ```
 */
export function connectionSetup<Context extends object = object, Events extends ClientEvent = never>() {
  return setup({
    types: {
      context: {} as ConnectionContext & Context,
      input: {} as ConnectionInput,
      events: {} as ConnectionEvent | Events,
      tags: {} as ConnectionTag,
      output: {} as { reason: EndReason | undefined },
    },
    actors: {
      /** Asks the application who this is; rejects when it is nobody. Aborted when its state is left. */
      authenticate: fromPromise<Identity, { link: object }>(() => Promise.reject(new Error('not provided'))),
      /** Asks again, with a fresh token. */
      renew: fromPromise<Identity, { link: object; message: unknown }>(() => Promise.reject(new Error('not provided'))),
      /** Finds out whether the other side is still there; done when it is lost. */
      heartbeat: fromTransition((state: object, _event: { type: 'socket.heard' }) => state, {} as object),
      /** Asks this client for something, and is done with its answer. Cancelled when its state is left. */
      request: fromPromise<unknown, { link: object; type: string; data?: unknown; timeoutMs?: number }>(() =>
        Promise.reject(new Error('not provided')),
      ),
    },
    actions: {
      /** Notes why the connection ends. */
      end: assign(
        (_, params: { reason: EndReason }) => ({ reason: params.reason }) as Partial<Context & ConnectionContext>,
      ),
      /** Keeps the credentials of a `hello` for `authenticate`. */
      keepCredentials: () => {},
      /** Puts a message by until the welcome. */
      hold: () => {},
      /** Attaches the session, lets the outbox take frames, and sends `welcome`. */
      admit: () => {},
      /** Cancels handlers that are under way and sends what waits; from here on nothing more is taken. */
      closeOutbox: () => {},
      /** Runs what was held before the welcome, in order. */
      runHeld: () => {},
      /** Handles one protocol message. Hot: the runtime's fast lane takes it past the interpreter. */
      handleMessage: () => {},
      /** Takes over the session that a late `hello` names. */
      resume: () => {},
      /** What the client says from here on waits until its credentials hold again. */
      suspend: () => {},
      /** Answers `authenticated`, and goes on with what has waited for it. */
      confirmIdentity: () => {},
      /** Makes a guest's session that of the user that the guest has turned out to be. */
      becomeUser: () => {},
      /** Answers that the fresh token was refused. */
      refuseIdentity: () => {},
      /** Answers that there is no place for one more connection of the user. */
      refusePlace: () => {},
      /** Tells the client to go, and when to come back. */
      sayGoodbye: () => {},
      /** Drops everything that waits to be sent. */
      discardOutbox: () => {},
      /** Sends the close frame. */
      sendClose: () => {},
      /** Gives up on the close handshake. */
      terminate: () => {},
      /** Detaches from session and supervisor. Always the last action. */
      release: () => {},
      /** Sends a message of your own to this client. */
      send: (_, _params: { type: string; data?: unknown }) => {},
      /** Makes this connection's session join a room. */
      joinRoom: (_, _params: { room: string }) => {},
      /** Makes this connection's session leave a room. */
      leaveRoom: (_, _params: { room: string }) => {},
      /** Publishes to a room that this connection's session has joined. */
      publish: (_, _params: { room: string; data: unknown }) => {},
    },
    guards: {
      /** Whether there is nothing to wait for: credentials came with the upgrade request, or none are needed. */
      hasCredentials: () => false,
      /** Whether the application knows who it is, and does not want them. */
      isForbidden: () => false,
      /** Whether the application cannot tell just now who it is. */
      isUnknown: () => false,
      /** Whether it is not too late for a fresh token. */
      mayRenew: () => true,
      /** Whether a fresh identity is the same user as before. */
      sameUser: () => false,
      /** Whether a guest has turned out to be somebody. */
      mayBecomeUser: () => false,
      /** Whether that is somebody who has as many connections as one may have. */
      isOneTooMany: () => false,
    },
    delays: {
      credentialsTimeout: 10_000,
      /** Until the present credentials expire; `Infinity` (no timer) for those that do not. */
      untilExpiry: Infinity,
      /** Until credentials that are about to be replaced expire; `Infinity` when they have. */
      untilFormerExpiry: Infinity,
      /** How long an expired identity may take to be renewed. */
      renewalGrace: 25_000,
      /** How long the close handshake may take. */
      closeTimeout: 5_000,
      /** How long a client that has been told to go may take to finish what it has begun. */
      goodbyeGrace: 1_000,
    },
  })
}

/** The life of one WebSocket connection on the server, from upgrade to the last close frame. */
export const connectionMachine = connectionSetup().createMachine({
  id: 'connection',
  description: 'One socket on the server: from its upgrade to the end of its close handshake.',
  context: ({ input }) => ({ link: input.link, identity: undefined, reason: undefined }),
  initial: 'connecting',
  output: ({ context }) => ({ reason: context.reason }),
  on: {
    'socket.closed': {
      target: '.closed',
      actions: { type: 'end', params: ({ event }) => ({ reason: event.reason }) },
    },
    'connection.close': {
      target: '.closing',
      actions: { type: 'end', params: ({ event }) => ({ reason: event.reason }) },
    },
  },
  states: {
    connecting: {
      description: 'The socket is up; who it is is not known yet.',
      always: { guard: 'hasCredentials', target: 'authenticating' },
      on: {
        'socket.hello': { target: 'authenticating', actions: 'keepCredentials' },
        'socket.message': { actions: 'hold' },
        'identity.renew': { actions: 'hold' },
      },
      after: {
        credentialsTimeout: {
          target: 'closing',
          actions: { type: 'end', params: { reason: 'authentication-timeout' } },
        },
      },
    },
    authenticating: {
      description: 'The application is asked who this is.',
      invoke: {
        src: 'authenticate',
        input: ({ context }) => ({ link: context.link }),
        onDone: { target: 'open', actions: assign({ identity: ({ event }) => event.output }) },
        onError: [
          {
            guard: 'isForbidden',
            target: 'closing',
            actions: { type: 'end', params: { reason: 'forbidden' } },
          },
          {
            guard: 'isUnknown',
            target: 'closing',
            actions: { type: 'end', params: { reason: 'authentication-unavailable' } },
          },
          { target: 'closing', actions: { type: 'end', params: { reason: 'not-authenticated' } } },
        ],
      },
      on: {
        'socket.message': { actions: 'hold' },
        'socket.hello': { actions: 'hold' },
        'identity.renew': { actions: 'hold' },
      },
      after: {
        credentialsTimeout: {
          target: 'closing',
          actions: { type: 'end', params: { reason: 'authentication-timeout' } },
        },
      },
    },
    open: {
      description: 'The connection takes part: it is heard, and it hears.',
      tags: 'open',
      type: 'parallel',
      entry: ['admit', 'runHeld'],
      exit: 'closeOutbox',
      invoke: {
        id: 'heartbeat',
        src: 'heartbeat',
        input: ({ context }) => ({ link: context.link }),
        onDone: { target: 'closing', actions: { type: 'end', params: { reason: 'heartbeat-lost' } } },
      },
      on: {
        'socket.message': { actions: 'handleMessage' },
        'socket.hello': { actions: 'resume' },
      },
      states: {
        flow: {
          description: 'Whether the other side reads as fast as we write.',
          initial: 'flowing',
          states: {
            flowing: {
              description: 'What is queued leaves within the turn.',
              on: { 'outbox.congested': { target: 'congested' }, 'outbox.overflowed': { target: 'overflowing' } },
            },
            congested: {
              description: 'The socket takes no more; frames wait in the outbox.',
              on: { 'outbox.drained': { target: 'flowing' }, 'outbox.overflowed': { target: 'overflowing' } },
            },
            overflowing: {
              description: 'More waits than a connection may hold.',
              entry: 'discardOutbox',
              always: {
                target: '#connection.closing',
                actions: { type: 'end', params: { reason: 'slow-consumer' } },
              },
            },
          },
        },
        stay: {
          description: 'Whether the client is wanted here.',
          initial: 'staying',
          states: {
            staying: {
              description: 'Until somebody says otherwise.',
              on: { 'connection.handOver': { target: 'leaving' } },
            },
            leaving: {
              description: 'The client was told to go. What it has begun is still answered.',
              entry: 'sayGoodbye',
              after: {
                goodbyeGrace: {
                  target: '#connection.closing',
                  actions: { type: 'end', params: { reason: 'server-closing' } },
                },
              },
            },
          },
        },
        identity: {
          description: 'How long the credentials still hold.',
          initial: 'valid',
          states: {
            valid: {
              description: 'The credentials hold.',
              on: {
                'identity.renew': [{ guard: 'mayRenew', target: 'refreshing' }, { actions: 'refuseIdentity' }],
              },
              after: { untilExpiry: { target: 'expiring' } },
            },
            expiring: {
              description: 'The credentials have run out; a fresh token is due, and what the client says waits for it.',
              entry: 'suspend',
              on: {
                'identity.renew': [{ guard: 'mayRenew', target: 'refreshing' }, { actions: 'refuseIdentity' }],
              },
              after: {
                renewalGrace: {
                  target: '#connection.closing',
                  actions: { type: 'end', params: { reason: 'token-expired' } },
                },
              },
            },
            refreshing: {
              description: 'A token is being checked. A user never becomes another; a guest may become a user, once.',
              on: { 'identity.renew': { actions: 'refuseIdentity' } },
              invoke: {
                src: 'renew',
                input: ({ context, event }) => ({
                  link: context.link,
                  message: event.type === 'identity.renew' ? event.message : undefined,
                }),
                onDone: [
                  { guard: 'isOneTooMany', target: 'valid', actions: 'refusePlace' },
                  {
                    guard: 'mayBecomeUser',
                    target: 'valid',
                    actions: [assign({ identity: ({ event }) => event.output }), 'becomeUser', 'confirmIdentity'],
                  },
                  {
                    guard: 'sameUser',
                    target: 'valid',
                    actions: [assign({ identity: ({ event }) => event.output }), 'confirmIdentity'],
                  },
                  { target: 'valid', actions: 'refuseIdentity' },
                ],
                onError: { target: 'valid', actions: 'refuseIdentity' },
              },
              after: {
                credentialsTimeout: { target: 'valid', actions: 'refuseIdentity' },
                // Whatever is being checked, the former credentials hold no longer than they do.
                untilFormerExpiry: { actions: 'suspend' },
              },
            },
          },
        },
      },
    },
    closing: {
      description: 'Our close frame is out; the other side has yet to answer.',
      entry: 'sendClose',
      on: {
        'socket.closed': { target: 'closed' },
        'connection.close': {},
      },
      after: { closeTimeout: { target: 'closed', actions: 'terminate' } },
    },
    closed: {
      type: 'final',
      description: 'The socket is gone and nothing refers to it any more.',
      entry: 'release',
    },
  },
})
