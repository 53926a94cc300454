import type { Bug } from './bugs.ts'

/** A bug that stood in the sources until the simulation found it; put back in, it is found again. */
export const found: readonly Bug[] = [
  {
    name: 'crashed session stays in its rooms',
    says: 'a session whose actor crashed was shown as here for ever, and its connection was not heard any more',
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
    patches: [
      {
        file: 'src/runtime/room/log-opening.ts',
        find: '  if (abandoned !== undefined) await abandoned\n',
        instead: '',
      },
    ],
  },
  {
    name: 'late claim takes the session',
    says: 'a hello of a connection that its client had given up closed the living one, and the client stayed away',
    patches: [
      {
        file: 'src/runtime/session/session.ts',
        find: 'if (link !== undefined && attempt !== undefined && event.attempt !== undefined) return event.attempt > attempt',
        instead: 'void [attempt, link]',
      },
    ],
  },
  {
    name: 'page of a lost log',
    says: 'what had been read of a log that was lost meanwhile was given out under the name of the next',
    patches: [
      {
        file: 'src/runtime/room/joining.ts',
        find: "'complete' in result && reading.epoch === room.epoch",
        instead: "'complete' in result",
      },
    ],
  },
  {
    name: 'requests of a crashed session forgotten',
    says: 'a message was taken twice when the process ended before its store had heard that the session had crashed',
    patches: [
      {
        file: 'src/runtime/room/room-services.ts',
        find: 'if (event.mayAskAgain !== true || core.options.sessions?.keepsChanges !== true) room.log',
        instead: 'room.log',
      },
    ],
  },
]
