import { fromPromise, setup } from 'xstate'

/** What a handler's call is started with. */
export interface HandlerInput {
  /** What is to be done and for whom; the runtime's, opaque to the chart. */
  readonly call: object
}

/**
 * One call of an application's handler. It ends by its result, by its failure or by its time-out; when its connection
 * ends first, it is stopped. Whichever way it is left, its `AbortSignal` fires if it is still at work.
 */
export const handlerMachine = setup({
  types: {
    context: {} as HandlerInput,
    input: {} as HandlerInput,
  },
  actors: {
    /** Does the work. */
    run: fromPromise<unknown, HandlerInput>(() => Promise.resolve()),
  },
  actions: {
    /** Answers with the result. */
    answer: () => {},
    /** Answers that it failed. */
    answerFailure: () => {},
    /** Answers that it took too long. */
    answerTimeout: () => {},
  },
  delays: { handlerTimeout: 30_000 },
}).createMachine({
  id: 'handler',
  description: "One call of an application's handler.",
  context: ({ input }) => input,
  initial: 'running',
  states: {
    running: {
      description: 'The handler is at work.',
      invoke: {
        src: 'run',
        input: ({ context }) => context,
        onDone: { target: 'answered', actions: 'answer' },
        onError: { target: 'failed', actions: 'answerFailure' },
      },
      after: { handlerTimeout: { target: 'expired', actions: 'answerTimeout' } },
    },
    answered: { type: 'final', description: 'It is done.' },
    failed: { type: 'final', description: 'It threw.' },
    expired: { type: 'final', description: 'It took too long and was cancelled.' },
  },
})
