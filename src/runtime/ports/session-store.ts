import type { User } from '../../../machines/index.ts'
import type { Json } from '../../protocol/index.ts'
import type { Eventually } from './eventually.ts'

/** What is kept of a session, so that its client finds it again. */
export interface SessionRecord {
  readonly id: string
  readonly user: User
  /** Whether nobody vouches for the user: then the secret is all that there is to know its client by. */
  readonly guest: boolean
  /** The rooms that it is in, what it is shown as there, and what it was let in as. */
  readonly rooms: readonly { readonly name: string; readonly state?: Json; readonly role?: string }[]
  /** Since when it has had no connection (ms since the epoch); absent while it has one. */
  readonly detachedAt?: number
}

/** A session that has been taken over. */
export interface Claim {
  readonly record: SessionRecord
  /**
   * The number of this claim, greater than that of every claim of the session before it. Of two connections that
   * claimed the session the one with the greater number owns it, whichever gets to use it first (Kleppmann, "How to do
   * distributed locking", 2016: a fencing token).
   */
  readonly fence: number
}

/**
 * Where sessions are kept, and who owns them: the port that a store implements. Calls for one session take effect in
 * the order in which they are made.
 */
export interface SessionStore {
  /**
   * Whether {@link SessionStore.put} wants to be told of changes. A store that ends with its process need not know
   * what a session does, only to whom it belongs.
   */
  readonly keepsChanges: boolean
  /** The sessions that were here when the store was last in use. Asked once, before anybody is let in. */
  restore(): Eventually<readonly SessionRecord[]>
  /** A new session, and the secret that its client has to show. Resolves when it is kept as the store promises. */
  create(record: SessionRecord, secret: string): Eventually<void>
  /** Takes a session over for a connection. Undefined when there is no such session, or the secret is wrong. */
  claim(id: string, secret: string): Eventually<Claim | undefined>
  /** Keeps what has become of a session. */
  put(record: SessionRecord): void
  /** The session is over. */
  delete(id: string): void
  /** The runtime has ended. */
  close?(): Eventually<void>
}
