import { assign } from 'xstate'
import { connectionSetup } from 'greenroom'

type Unruly =
  | { type: 'client.ready'; data?: unknown }
  | { type: 'client.move'; data?: unknown; id?: string | number }
  | { type: 'client.forbid'; data?: unknown }
  | { type: 'client.throw'; data?: unknown }
  | { type: 'client.doubt'; data?: unknown }
  // Names of the protocol's own types: they never arrive.
  | { type: 'client.ping'; data?: unknown }
  | { type: 'client.join'; data?: unknown }

/** An application's machine: `move` is legal after `ready`; it can be told to throw, and to show somebody the door. */
export const unrulyConnection = connectionSetup<{ moves: number }, Unruly>().createMachine({
  context: ({ input }) => ({ link: input.link, identity: undefined, reason: undefined, moves: 0 }),
  initial: 'connecting',
  output: ({ context }) => ({ reason: context.reason }),
  on: {
    'socket.closed': { target: '.closed', actions: { type: 'end', params: ({ event }) => ({ reason: event.reason }) } },
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
        'client.forbid': { target: 'closing', actions: { type: 'end', params: { reason: 'forbidden' } } },
        'client.throw': {
          actions: () => {
            throw new Error('The application throws.')
          },
        },
        'client.doubt': {
          guard: () => {
            throw new Error('The application cannot say.')
          },
          actions: { type: 'send', params: { type: 'certain' } },
        },
        'client.ping': { actions: { type: 'send', params: { type: 'redefined' } } },
        'client.join': { actions: { type: 'send', params: { type: 'redefined' } } },
      },
      initial: 'waiting',
      states: {
        waiting: { on: { 'client.ready': { target: 'playing' } } },
        playing: {
          entry: { type: 'send', params: { type: 'your turn' } },
          on: {
            'client.move': {
              actions: [
                assign({ moves: ({ context }) => context.moves + 1 }),
                {
                  type: 'send',
                  params: ({ context, event }) => ({ type: 'moved', data: { moves: context.moves, to: event.data } }),
                },
              ],
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
