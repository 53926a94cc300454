import { assign } from 'xstate'
import { connectionSetup } from 'greenroom'

/** What a player's client may send beside the protocol: `{ "type": "move", "data": { "square": 4 } }`, and so on. */
export type PlayerEvent =
  | { type: 'client.ready'; data?: undefined }
  | { type: 'client.wait'; data?: undefined }
  | { type: 'client.start'; data?: undefined }
  | { type: 'client.move'; data: { square: number } }
  | { type: 'client.resign'; data?: undefined }

/** A player's connection: which messages are legal is a matter of where the player is. */
export const lobbyConnection = connectionSetup<{ moves: number }, PlayerEvent>().createMachine({
  id: 'lobby-connection',
  context: ({ input }) => ({ link: input.link, identity: undefined, reason: undefined, moves: 0 }),
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
      always: { guard: 'hasCredentials', target: 'authenticating' },
      on: {
        'socket.hello': { target: 'authenticating', actions: 'keepCredentials' },
        'socket.message': { actions: 'hold' },
      },
      after: {
        credentialsTimeout: {
          target: 'closing',
          actions: { type: 'end', params: { reason: 'authentication-timeout' } },
        },
      },
    },
    authenticating: {
      invoke: {
        src: 'authenticate',
        input: ({ context }) => ({ link: context.link }),
        onDone: { target: 'open', actions: assign({ identity: ({ event }) => event.output }) },
        onError: { target: 'closing', actions: { type: 'end', params: { reason: 'not-authenticated' } } },
      },
      on: { 'socket.message': { actions: 'hold' } },
    },
    open: {
      tags: 'open',
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
        'outbox.overflowed': {
          target: 'closing',
          actions: ['discardOutbox', { type: 'end', params: { reason: 'slow-consumer' } }],
        },
      },
      initial: 'lobby',
      states: {
        lobby: {
          description: 'Looking around.',
          on: { 'client.ready': { target: 'ready' } },
        },
        ready: {
          description: 'Waiting for the game to begin.',
          entry: { type: 'joinRoom', params: { room: 'table' } },
          on: {
            'client.wait': { target: 'lobby', actions: { type: 'leaveRoom', params: { room: 'table' } } },
            'client.start': { target: 'playing' },
          },
        },
        playing: {
          description: 'In the game: moves count.',
          entry: { type: 'send', params: { type: 'started' } },
          on: {
            'client.move': {
              // The type says what a client should send; what it did send is anybody's guess.
              guard: ({ event }) => Number.isInteger(event.data?.square),
              actions: [
                assign({ moves: ({ context }) => context.moves + 1 }),
                {
                  type: 'publish',
                  params: ({ context, event }) => ({
                    room: 'table',
                    data: { square: event.data.square, move: context.moves },
                  }),
                },
              ],
            },
            'client.resign': {
              target: 'lobby',
              actions: [assign({ moves: 0 }), { type: 'leaveRoom', params: { room: 'table' } }],
            },
          },
        },
      },
    },
    closing: {
      entry: 'sendClose',
      on: { 'socket.closed': { target: 'closed' }, 'connection.close': {} },
      after: { closeTimeout: { target: 'closed', actions: 'terminate' } },
    },
    closed: { type: 'final', entry: 'release' },
  },
})
