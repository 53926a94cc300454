import type { Bug } from './bugs.ts'

/** A bug that stood in the sources until the simulation found it; put back in, it is found again. */
export const found: readonly (Bug & { readonly seed: number })[] = [
  {
    name: 'crashed session stays in its rooms',
    says: 'a session whose actor crashed was shown as here for ever, and its connection was not heard any more',
    seed: 0,
    patches: [
      {
        file: 'src/runtime/supervisor.ts',
        find: "    if (address.startsWith('session:')) this.#sessionCrashed(address.slice('session:'.length))\n",
        instead: '',
      },
    ],
  },
  {
    name: 'slow authentication sends away for good',
    says: 'a client that was suspended right behind its connecting was closed with a code that means: stay away',
    seed: 0,
    patches: [
      {
        file: 'src/protocol/close-codes.ts',
        find: '  authenticationTimeout: 4210,',
        instead: '  authenticationTimeout: 4001,',
      },
    ],
  },
  {
    name: 'typing outlives a message that a failing log kept',
    says: 'a message that was kept though its log said otherwise reached the others before the end of its typing',
    seed: 0,
    patches: [
      {
        file: 'src/runtime/room/storing.ts',
        find: '      if (sender !== undefined) endTyping(room, sender)\n',
        instead: '',
      },
    ],
  },
  {
    name: 'membership older than the client',
    says: 'after kill -9 somebody who had left a room was shown in it for as long as it was connected',
    seed: 0,
    patches: [
      {
        file: 'src/runtime/session/session.ts',
        find: '(sessionOf(context).unconfirmed === undefined ? Infinity : presenceGraceMs)',
        instead: 'Infinity',
      },
    ],
  },
  {
    name: 'log opened while it is written',
    says: 'a message that was being kept when its room was given up got a place that the next room knew nothing of',
    seed: 0,
    patches: [
      {
        file: 'src/runtime/room/log-opening.ts',
        find: '  if (abandoned !== undefined) await abandoned\n',
        instead: '',
      },
    ],
  },
  {
    name: 'end of a room taken for the answer to a join',
    says: 'a client that had asked to be let in again thought that it was out, and was shown as in',
    seed: 0,
    patches: [{ file: 'src/client/client-rooms.ts', find: ' && !this.#asks(room)', instead: '' }],
  },
]
