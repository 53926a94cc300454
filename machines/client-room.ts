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
  /** How long the server wants us to wait before we ask again (ms); 0 once it has let us in. */
  readonly retryAfterMs: number
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
  /** We have asked too fast, and are to ask again later. */
  | { readonly type: 'server.postponed'; readonly retryAfterMs: number }
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
    notePostponement: assign(({ event }) =>
      event.type === 'server.postponed' ? { retryAfterMs: event.retryAfterMs } : {},
    ),
    forgetPostponement: assign({ retryAfterMs: 0 }),
    forgetHeals: assign({ recentHeals: 0 }),
  },
  guards: {
    hasHealed: ({ context }) => context.recentHeals > 0,
  },
  delays: {
    /** When a join that has not been answered is sent again. */
    joinTimeout: 30_000,
    retryAfter: ({ context }) => context.retryAfterMs,
    /** Before something is asked for again; doubles with each time. */
    healDelay: ({ context: { recentHeals, retryAfterMs } }) =>
      Math.max(retryAfterMs, Math.min(100 * 2 ** (recentHeals - 2), 20_000)),
    /** After so long without a loss it counts as an exception again. */
    calm: 10_000,
  },
}).createMachine({
  id: 'client-room',
  description: 'A room as a client sees it.',
  context: ({ input }) => ({ ...input, heals: 0, recentHeals: 0, retryAfterMs: 0 }),
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
      on: {
        'server.joined': { target: 'joined' },
        'server.postponed': { target: 'postponed', actions: 'notePostponement' },
      },
      after: { joinTimeout: { target: 'joining', reenter: true } },
    },
    postponed: {
      description: 'The server was asked too fast, and has said when to ask again.',
      // A late answer to what was asked before.
      on: { 'server.joined': { target: 'joined' } },
      after: { retryAfter: { target: 'joining' } },
    },
    joined: {
      description: 'Messages are shown as they come.',
      entry: 'forgetPostponement',
      on: {
        'room.gap': [
          { guard: 'hasHealed', target: 'missing', actions: 'countHeal' },
          { target: 'recovering', actions: 'countHeal' },
        ],
      },
      after: { calm: { actions: 'forgetHeals' } },
    },
    missing: {
      description: 'Something is missing, and it is too soon to ask; what comes meanwhile is passed over.',
      on: { 'server.joined': { target: 'joined' } },
      after: { healDelay: { target: 'recovering' } },
    },
    recovering: {
      description: 'What was missing has been asked for; what comes meanwhile is passed over.',
      entry: 'sendJoin',
      on: {
        'server.joined': { target: 'joined' },
        'server.postponed': { target: 'missing', actions: 'notePostponement' },
      },
      after: { joinTimeout: { target: 'recovering', reenter: true } },
    },
    left: { type: 'final', description: 'Over: by our own wish or the server’s.' },
  },
})
