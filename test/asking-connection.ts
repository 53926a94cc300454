import { assign } from 'xstate'
import { connectionSetup } from 'greenroom'

type Asking =
  | { type: 'client.skip'; data?: unknown }
  | { type: 'client.again'; data?: unknown }
  | { type: 'client.quit' }

/**
 * An application's machine that asks its client for a name, and does not take part in anything else meanwhile: the
 * client may skip that, and be asked again. It hears that its outbox overflows, and does nothing about it; it knows
 * nothing of draining.
 */
export const askingConnection = connectionSetup<{ name: unknown }, Asking>().createMachine({
  context: ({ input }) => ({ link: input.link, identity: undefined, reason: undefined, name: undefined }),
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
        onError: { target: 'closing', actions: { type: 'end', params: { reason: 'not-authenticated' } } },
      },
      on: { 'socket.message': { actions: 'hold' } },
    },
    open: {
      tags: 'open',
      entry: ['admit', 'runHeld'],
      exit: 'closeOutbox',
      on: {
        'socket.message': { actions: 'handleMessage' },
        'outbox.overflowed': { actions: () => {} },
        'client.quit': { target: 'closing', actions: { type: 'end', params: { reason: 'forbidden' } } },
      },
      initial: 'asking',
      states: {
        asking: {
          invoke: {
            src: 'request',
            input: ({ context }) => ({ link: context.link, type: 'name', data: { at: new Date(0) }, timeoutMs: 5_000 }),
            onDone: { target: 'named', actions: assign({ name: ({ event }) => event.output }) },
            onError: {
              target: 'nameless',
              actions: { type: 'send', params: ({ event }) => ({ type: 'why', data: codeOf(event.error) }) },
            },
          },
          on: { 'client.skip': { target: 'nameless' } },
        },
        named: {
          entry: { type: 'send', params: ({ context }) => ({ type: 'hello there', data: context.name }) },
        },
        nameless: { on: { 'client.again': { target: 'asking' } } },
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

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code
}
