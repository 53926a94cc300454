import { assign } from 'xstate'
import { connectionSetup } from 'greenroom'

/** A connection that does what every one does, and breaks when its client says so. */
export const fragileConnection = connectionSetup<object, { type: 'client.break' }>().createMachine({
  id: 'fragile-connection',
  context: ({ input }) => ({ link: input.link, identity: undefined, reason: undefined }),
  initial: 'authenticating',
  output: ({ context }) => ({ reason: context.reason }),
  on: {
    'socket.closed': { target: '.closed', actions: { type: 'end', params: ({ event }) => ({ reason: event.reason }) } },
    'connection.close': {
      target: '.closing',
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
      on: { 'socket.message': { actions: 'hold' } },
    },
    open: {
      tags: 'open',
      entry: ['admit', 'runHeld'],
      exit: 'closeOutbox',
      on: {
        'socket.message': { actions: 'handleMessage' },
        'client.break': {
          actions: () => {
            throw new Error('broken')
          },
        },
      },
    },
    closing: { entry: 'sendClose', on: { 'socket.closed': { target: 'closed' } } },
    closed: { type: 'final', entry: 'release' },
  },
})
