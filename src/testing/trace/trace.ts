/** When something came, beside what else ran. */
export interface TracePlace {
  /** How long after the start of the recording (ms). */
  readonly at: number
  /** How many of the runtime's own timers and turns had run since the event before. */
  readonly steps: number
  /** Whether it came in the same breath as what ran before it, so that no promise was followed up in between. */
  readonly joined: boolean
  /** The call of the runtime's to its socket during which it came, where it came during one. */
  readonly within?: 'resume' | 'terminate'
}

/** Something that came from a client, or from its socket. */
export type TraceEvent = TracePlace & { readonly connection: number } & (
    | {
        readonly type: 'accept'
        readonly protocol: string
        readonly address: string
        readonly url: string
        readonly token?: string
      }
    | { readonly type: 'text'; readonly text: string }
    | { readonly type: 'binary'; readonly bytes: Uint8Array }
    | { readonly type: 'ping' | 'pong' }
    /** The socket takes more again; so much waits in it still (bytes). */
    | { readonly type: 'drained'; readonly buffered: number }
    | { readonly type: 'closed'; readonly code: number }
  )

/** After so many writes a socket took no more, with so much waiting in it (bytes). */
export interface TraceFullness {
  readonly connection: number
  readonly writes: number
  readonly buffered: number
}

/** What was recorded of a runtime: everything that came in, and what it took from its environment. */
export interface Trace {
  /** When the recording began (ms since the epoch). */
  readonly startedAt: number
  /** How long it took (ms). */
  readonly durationMs: number
  /** Why it ended before its time, if it did. */
  readonly stopped?: 'max-bytes'
  /** In the order in which they came. Connections are numbered from 1, as they came. */
  readonly events: readonly TraceEvent[]
  readonly fullness: readonly TraceFullness[]
  /** The ids and the random numbers that the runtime was given, in order. */
  readonly ids: readonly string[]
  readonly randoms: readonly number[]
}
