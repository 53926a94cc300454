import type { Site } from './site.ts'

/** What a check needs of the server, or of whoever runs it. */
export type Need = keyof typeof needs

/** What can be needed, and what is said when it is not there. */
export const needs = {
  welcome: 'nobody is welcomed',
  guests: 'the server lets nobody in without credentials',
  token: 'needs --token, and a server that checks it',
  refusal: 'the server refuses no token',
  'two users': 'needs --other-token: everybody is the same user here',
  tabs: 'needs --token: a user with several sessions',
  'two tokens': 'needs --token and --other-token of two users',
  log: 'rooms keep too little of their log here',
  states: 'limits.presenceBytes leaves hardly anything to be said',
  members: 'rooms tell only how many are here',
  counts: 'rooms tell who is here, not only how many',
} as const

/** One thing that a rule demands, tried on a server. */
export interface Check {
  /** The rule's ID in PROTOCOL.md. */
  readonly rule: string
  /** What is tried: all of the rule, or the part of it that can be told from outside. */
  readonly says: string
  /** Beside a client that is welcomed, which all but those of the handshake need. */
  readonly needs?: readonly Need[]
  /** About how long it takes on a server with default settings, when that is more than a few seconds (s). */
  readonly slowSeconds?: number
  /** @throws Break when the server does something else, Inapplicable when that cannot be told here */
  run(site: Site): Promise<void>
}
