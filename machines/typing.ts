import { setup } from 'xstate'

/** What a typing indicator is started with. */
export interface TypingInput {
  /** The member who types; the runtime's, opaque to the chart. */
  readonly session: object
}

/** What a member's client says about its keyboard. */
export type TypingEvent = { readonly type: 'typing.start' } | { readonly type: 'typing.stop' }

/** One member's typing indicator in one room. It ends by itself: on silence, if nothing else ends it before. */
export const typingMachine = setup({
  types: {
    context: {} as TypingInput,
    input: {} as TypingInput,
    events: {} as TypingEvent,
  },
  actions: {
    /** Tells the room that the member types. */
    announceStart: () => {},
    /** Tells the room that the member has stopped. */
    announceStop: () => {},
  },
  delays: { silence: 3_000 },
}).createMachine({
  id: 'typing',
  description: 'Whether one member is typing in one room.',
  context: ({ input }) => input,
  initial: 'idle',
  states: {
    idle: {
      description: 'Not typing.',
      on: { 'typing.start': { target: 'typing' } },
    },
    typing: {
      description: 'Typing; every further sign restarts the wait.',
      initial: 'heard',
      entry: 'announceStart',
      exit: 'announceStop',
      on: { 'typing.stop': { target: 'idle' } },
      states: {
        heard: {
          description: 'A key was pressed less than the silence ago.',
          on: { 'typing.start': { target: 'heard', reenter: true } },
          after: { silence: { target: '#typing.idle' } },
        },
      },
    },
  },
})
