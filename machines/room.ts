import { fromPromise, setup } from 'xstate'

/** What a room is started with. */
export interface RoomInput {
  /** The runtime's record of the room (members, presence, log); opaque to the chart, and it outlives a crash. */
  readonly room: object
}

/** What can happen to a room. Whose it is and what it says is in the fields, never in the type. */
export type RoomEvent =
  | { readonly type: 'room.join'; readonly session: object; readonly message: object }
  | {
      readonly type: 'room.leave'
      readonly session: object
      readonly message: object | undefined
      /** Whether its client, which has not said that it leaves, may come and ask again what it asked before. */
      readonly mayAskAgain?: boolean
    }
  | { readonly type: 'room.publish'; readonly session: object; readonly message: object }
  | { readonly type: 'room.presence'; readonly session: object; readonly message: object }
  | { readonly type: 'room.typing'; readonly session: object; readonly message: object }
  | { readonly type: 'room.history'; readonly session: object; readonly message: object }
  /** A member's session lost its connection for longer than the grace, or came back after that. */
  | { readonly type: 'room.withdraw'; readonly session: object }
  | { readonly type: 'room.reappear'; readonly session: object }
  /** A member who was a guest is a user now. */
  | { readonly type: 'room.identify'; readonly session: object }
  /** A member is something else here than before. */
  | { readonly type: 'room.role'; readonly session: object }
  /** A former process knew this session as a member; its client has yet to come back. */
  | { readonly type: 'room.restore'; readonly session: object; readonly state?: unknown; readonly absent: boolean }
  /** The log has kept a message, or failed to. */
  | { readonly type: 'room.stored' }
  /** The log has been read for somebody who asked. */
  | { readonly type: 'room.read'; readonly session: object; readonly reading: object }
  /** Nothing can be kept before the log has been opened again. */
  | { readonly type: 'room.storageFailed' }
  /** How many are here is to be told, if that has changed. */
  | { readonly type: 'room.count' }
  /** The last member left. */
  | { readonly type: 'room.emptied' }
  /** There are too many rooms, and this one is in nobody's use. */
  | { readonly type: 'room.evict' }
  /** From a typing actor of this room. */
  | { readonly type: 'typing.started'; readonly session: object }
  | { readonly type: 'typing.stopped'; readonly session: object }

/**
 * A named group while it is in use. It opens its log, serves its members, waits a while when they have all left, and
 * closes. One thing at a time: so every member sees one order.
 */
export const roomMachine = setup({
  types: {
    context: {} as RoomInput,
    input: {} as RoomInput,
    events: {} as RoomEvent,
  },
  actors: {
    /** Opens the room's log. */
    openHistory: fromPromise<void, RoomInput>(() => Promise.resolve()),
  },
  actions: {
    /** Puts a request by until the log is open. */
    hold: () => {},
    /** Runs what was held, in order. */
    runHeld: () => {},
    /** Adds a member, answers `joined`, tells the others. */
    admit: () => {},
    /** Removes a member, answers `left`, tells the others. */
    dismiss: () => {},
    /** Gives a message its offset, logs it, broadcasts it and acknowledges it. */
    publish: () => {},
    /** Changes a member's presence state and tells everybody. */
    updatePresence: () => {},
    /** Shows a member as gone without ending its membership. */
    withdraw: () => {},
    /** Shows it again. */
    reappear: () => {},
    /** Starts, feeds or stops a member's typing actor. */
    noteTyping: () => {},
    /** Tells the others that a member types, or has stopped. */
    announceTyping: () => {},
    /** Answers with a page of the log. */
    replay: () => {},
    /** Shows a member as the user that the guest has turned out to be. */
    identify: () => {},
    /** Shows a member as what it is now. */
    changeRole: () => {},
    /** Adds a member of before, and tells nobody. */
    restore: () => {},
    /** Broadcasts and acknowledges what the log has kept, in order; answers what it has not. */
    deliver: () => {},
    /** Answers with what was read, and what came meanwhile. */
    answerRead: () => {},
    /** Broadcasts what a log that was opened again holds beyond what members were told. */
    catchUp: () => {},
    /** Lets go of a log that failed. */
    dropLog: () => {},
    /** Tells members how many they are. */
    announceCount: () => {},
    /** Answers that the sender is not a member. */
    refuse: () => {},
    /** Answers everything held that the room failed to open. */
    fail: () => {},
    /** Notes that nobody is here, or that somebody is again: of too many rooms those that nobody is in go first. */
    noteVacant: () => {},
    noteTaken: () => {},
    /** Lets go of the log. */
    closeHistory: () => {},
  },
  guards: {
    /** Whether nobody is a member. */
    empty: () => false,
    /** Whether the log holds nothing that a later member could want. */
    nothingToKeep: () => false,
    /** Whether the log has answered for every message that it was given. */
    settled: () => true,
  },
  delays: { linger: 300_000, openTimeout: 10_000 },
}).createMachine({
  id: 'room',
  description: 'A named group of sessions with one order of messages.',
  context: ({ input }) => input,
  initial: 'opening',
  states: {
    opening: {
      description: 'The log is being opened; requests wait.',
      invoke: {
        src: 'openHistory',
        input: ({ context }) => context,
        onDone: { target: 'open' },
        onError: { target: 'closing', actions: 'fail' },
      },
      on: {
        'room.storageFailed': {},
        'room.*': { actions: 'hold' },
        'typing.started': { actions: 'announceTyping' },
        'typing.stopped': { actions: 'announceTyping' },
      },
      after: { openTimeout: { target: 'closing', actions: 'fail' } },
    },
    open: {
      description: 'In use.',
      entry: ['catchUp', 'runHeld'],
      on: {
        'room.join': { actions: 'admit' },
        'room.leave': { actions: 'dismiss' },
        'room.publish': { actions: 'publish' },
        'room.presence': { actions: 'updatePresence' },
        'room.typing': { actions: 'noteTyping' },
        'room.history': { actions: 'replay' },
        'room.withdraw': { actions: 'withdraw' },
        'room.reappear': { actions: 'reappear' },
        'room.identify': { actions: 'identify' },
        'room.role': { actions: 'changeRole' },
        'room.restore': { actions: 'restore' },
        'room.stored': { actions: 'deliver' },
        'room.read': { actions: 'answerRead' },
        'room.count': { actions: 'announceCount' },
        'room.storageFailed': { target: 'ailing' },
        'typing.started': { actions: 'announceTyping' },
        'typing.stopped': { actions: 'announceTyping' },
        'room.emptied': { guard: 'empty', target: 'vacant' },
      },
    },
    ailing: {
      description: 'The log failed. What it has yet to answer for is waited for; requests wait as well.',
      always: { guard: 'settled', target: 'opening', actions: 'dropLog' },
      on: {
        'room.stored': { actions: 'deliver' },
        'room.storageFailed': {},
        'room.*': { actions: 'hold' },
        'typing.started': { actions: 'announceTyping' },
        'typing.stopped': { actions: 'announceTyping' },
      },
    },
    vacant: {
      description: 'Nobody is here; the log, if there is any, is kept for a while.',
      entry: 'noteVacant',
      exit: 'noteTaken',
      always: { guard: 'nothingToKeep', target: 'closing' },
      on: {
        'room.join': { target: 'open', actions: 'admit' },
        'room.evict': { guard: 'settled', target: 'closing' },
        'room.restore': { target: 'open', actions: 'restore' },
        'room.count': { actions: 'announceCount' },
        'room.storageFailed': { target: 'ailing' },
        'room.leave': { actions: 'dismiss' },
        'room.publish': { actions: 'refuse' },
        'room.presence': { actions: 'refuse' },
        'room.typing': { actions: 'refuse' },
        'room.history': { actions: 'refuse' },
      },
      after: { linger: { target: 'closing' } },
    },
    closing: {
      description: 'The log is let go of.',
      entry: 'closeHistory',
      always: { target: 'closed' },
    },
    closed: { type: 'final', description: 'The name is free again.' },
  },
})
