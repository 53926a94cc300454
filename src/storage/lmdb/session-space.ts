import type { StoredSession } from './session-codec.ts'

/** Knows what sessions take on the disk, and what is to go when that is too much. */
export class SessionSpace {
  readonly #limit: number
  #bytes = 0
  /** Those of which states are kept; that of which none was written for longest comes first. */
  readonly #shown = new Set<StoredSession>()
  /** Those without a connection, in the order in which they were left. */
  readonly #left = new Set<StoredSession>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Whether so much more may be kept. */
  hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.#limit
  }

  get isOver(): boolean {
    return this.#bytes > this.#limit
  }

  /** Notes what a session takes besides its states, and whether it has a connection. */
  set(session: StoredSession, bytes: number): void {
    this.#bytes += bytes - session.bytes
    session.bytes = bytes
    if (session.record.detachedAt === undefined) this.#left.delete(session)
    else this.#left.add(session)
  }

  /** Notes what a state of a session takes beyond what was there before, or takes less. */
  addState(session: StoredSession, bytes: number): void {
    this.#bytes += bytes
    if (bytes <= 0) return
    this.#shown.delete(session)
    this.#shown.add(session)
  }

  /** Somebody is about to connect to it: it goes last. */
  touch(session: StoredSession): void {
    if (this.#left.delete(session)) this.#left.add(session)
  }

  /** Nothing of it is kept any more but what {@link addState} was told of. */
  remove(session: StoredSession): void {
    this.set(session, 0)
    this.#left.delete(session)
    this.#shown.delete(session)
  }

  /** The session whose states go next, if any have any. */
  takeShown(): StoredSession | undefined {
    const [session] = this.#shown
    if (session !== undefined) this.#shown.delete(session)
    return session
  }

  /** The session that goes next. */
  get longestLeft(): StoredSession | undefined {
    const [session] = this.#left
    return session
  }
}
