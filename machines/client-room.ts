import { assign, setup } from 'xstate'

/** What a client's room is started with. */
export interface ClientRoomInput {
  /** The library's side of the room; opaque to the chart. */
  readonly room: object
}

/** What the chart of a client's room knows. */
export interface ClientRoomContext extends ClientRoomInput {
  /** How often messages were found missing. */
  readonly heals: number
  /** How often lately: so that a server that always leaves something out is not asked ever faster. */
  readonly recentHeals: number
}

/** What can happen to a client's room. */
export type ClientRoomEvent =
  /** There is a connection, and it is this room's turn. */
  | { readonly type: 'client.join' }
  /** The connection is gone. */
  | { readonly type: 'client.paused' }
  | { readonly type: 'client.closed' }
  /** We are in, and know where. */
  | { readonly type: 'server.joined' }
  /** The server would not have us, or has taken us out. */
  | { readonly type: 'server.refused' }
  /** A message came that does not follow the one before. */
  | { readonly type: 'room.gap' }
  | { readonly type: 'room.leave' }

/** A room on the client's side: it is joined, found again after each loss, and left. */
export const clientRoomMachine = setup({
  types: {
    context: {} as ClientRoomContext,
    input: {} as ClientRoomInput,
    events: {} as ClientRoomEvent,
  },
  actions: {
    /** Asks to be let in, from where we were. */
    sendJoin: () => {},
    /** Shows nobody as typing: who stops meanwhile, we would not hear. */
    forgetTypists: () => {},
    countHeal: assign(({ context: { heals, recentHeals } }) => ({ heals: heals + 1, recentHeals: recentHeals + 1 })),
    forgetHeals: assign({ recentHeals: 0 }),
  },
  guards: {
    hasHealed: ({ context }) => context.recentHeals > 0,
  },
  delays: {
    /** When a join that has not been answered is sent again. */
    joinTimeout: 30_000,
    /** Before something is asked for again; doubles with each time. */
    healDelay: ({ context }) => Math.min(100 * 2 ** (context.recentHeals - 2), 20_000),
    /** After so long without a loss it counts as an exception again. */
    calm: 10_000,
  },
}).createMachine({
  id: 'client-room',
  description: 'A room as a client sees it.',
  context: ({ input }) => ({ ...input, heals: 0, recentHeals: 0 }),
  initial: 'waiting',
  on: {
    'client.paused': { target: '.waiting', actions: 'forgetTypists' },
    'client.closed': { target: '.left' },
    'server.refused': { target: '.left' },
    'room.leave': { target: '.left' },
  },
  states: {
    waiting: {
      description: 'There is no connection, or other rooms come first.',
      on: { 'client.join': { target: 'joining' } },
    },
    joining: {
      description: 'The server has been asked; what comes meanwhile is passed over.',
      entry: 'sendJoin',
      on: { 'server.joined': { target: 'joined' } },
      after: { joinTimeout: { target: 'joining', reenter: true } },
    },
    joined: {
      description: 'Messages are shown as they come.',
      on: {
        'room.gap': [
          { guard: 'hasHealed', target: 'missing', actions: 'countHeal' },
          { target: 'recovering', actions: 'countHeal' },
        ],
      },
      after: { calm: { actions: 'forgetHeals' } },
    },
    missing: {
      description: 'Something is missing again so soon; what comes meanwhile is passed over.',
      after: { healDelay: { target: 'recovering' } },
    },
    recovering: {
      description: 'What was missing has been asked for; what comes meanwhile is passed over.',
      entry: 'sendJoin',
      on: { 'server.joined': { target: 'joined' } },
      after: { joinTimeout: { target: 'recovering', reenter: true } },
    },
    left: { type: 'final', description: 'Over: by our own wish or the server’s.' },
  },
})
