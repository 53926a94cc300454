import { setup } from 'xstate'

/** What a session is started with. */
export interface SessionInput {
  /** The runtime's record of the session (identity, rooms); opaque to the chart. */
  readonly session: object
}

/** What can happen to a session. */
export type SessionEvent =
  /**
   * A connection takes the session over; a former one is fenced off. The newest claim owns the session, whichever comes
   * first: `attempt` is the client's own count of its claims, where it counts them, and `fence` the store's.
   */
  | {
      readonly type: 'session.attach'
      readonly link: object
      readonly fence: number
      readonly attempt?: number | undefined
    }
  /** The connection that owned the session is gone; `at` says since when, for one that a former process knew (ms). */
  | { readonly type: 'session.detach'; readonly at?: number }
  /** There are too many sessions that wait: this one waits no more. */
  | { readonly type: 'session.evict' }
  /** The client said that it will not come back. */
  | { readonly type: 'session.leave' }

/**
 * What survives a reconnect. Attached, it is owned by one connection; detached, it waits for the client to come back:
 * for the length of the grace nobody is shown a difference, after it the user is shown as gone, and at the end of the
 * resume window the session is over.
 */
export const sessionMachine = setup({
  types: {
    context: {} as SessionInput,
    input: {} as SessionInput,
    events: {} as SessionEvent,
  },
  actions: {
    /** Makes the connection the owner; closes a former owner as replaced. */
    own: () => {},
    /** Closes a connection whose claim is older than the owner's. */
    turnAway: () => {},
    /** Forgets the owner. */
    disown: () => {},
    /** Takes the session out of its rooms' presence; its membership stays. */
    withdraw: () => {},
    /** Puts it back. */
    reappear: () => {},
    /** Leaves every room. */
    leaveRooms: () => {},
    /** Leaves the rooms that a former process knew it in and its client does not. */
    leaveForgotten: () => {},
  },
  guards: {
    /** Whether the claim is newer than the owner's. */
    isNewest: () => true,
    /** Whether the grace passed before this process began: then nobody is shown as here even for a moment. */
    longGone: () => false,
  },
  delays: {
    /** What is left of the grace. A session of a former process may have none. */
    presenceGrace: 15_000,
    /** What is left of the resume window after that. */
    untilExpired: 105_000,
    /** How long the client of a session of a former process may take to join its rooms anew; else `Infinity`. */
    untilForgotten: Infinity,
  },
}).createMachine({
  id: 'session',
  description: 'What survives a reconnect: identity, rooms and places in them.',
  context: ({ input }) => input,
  initial: 'attached',
  on: { 'session.leave': { target: '.left' } },
  states: {
    attached: {
      description: 'A connection owns the session.',
      on: {
        'session.attach': [{ guard: 'isNewest', actions: 'own' }, { actions: 'turnAway' }],
        'session.detach': [
          { guard: 'longGone', target: 'detached.absent', actions: 'disown' },
          { target: 'detached', actions: 'disown' },
        ],
      },
      after: { untilForgotten: { actions: 'leaveForgotten' } },
    },
    detached: {
      description: 'No connection; the client may come back.',
      initial: 'lingering',
      on: { 'session.evict': { target: 'expired' } },
      states: {
        lingering: {
          description: 'Inside the grace: other members see no difference.',
          on: {
            'session.attach': [
              { guard: 'isNewest', target: '#session.attached', actions: 'own' },
              { actions: 'turnAway' },
            ],
          },
          after: { presenceGrace: { target: 'absent' } },
        },
        absent: {
          description: 'Shown as gone, but still resumable.',
          entry: 'withdraw',
          on: {
            'session.attach': [
              { guard: 'isNewest', target: '#session.attached', actions: ['own', 'reappear'] },
              { actions: 'turnAway' },
            ],
          },
          after: { untilExpired: { target: '#session.expired' } },
        },
      },
    },
    expired: { type: 'final', description: 'The resume window has passed, or too many wait.', entry: 'leaveRooms' },
    left: { type: 'final', description: 'The client said goodbye.', entry: 'leaveRooms' },
  },
})
