import type { Identity } from '../../../machines/index.ts'
import type { Json } from '../../protocol/index.ts'
import type { ConnectionLink } from '../connection/connection-link.ts'
import type { Core } from '../core.ts'
import { isThenable, type Eventually } from '../ports/eventually.ts'
import type { LanedLogic } from '../actors/lanes.ts'
import { DetachedSessions } from './detached-sessions.ts'
import { Session, sessionLogic } from './session.ts'
import type { Claim, SessionRecord, SessionStore } from '../ports/session-store.ts'

/** What a `hello` says of the session it continues. */
export interface ResumeClaim {
  readonly session: string
  readonly secret: string
  /** The client's own count of its attempts. */
  readonly attempt?: number
}

/** What came of a claim: the session is the connection's; a newer claim has it; or there is no such session (any more). */
export type Outcome = 'resumed' | 'replaced' | 'unknown'

/** Claims of one connection that may be wrong: a client makes one, and another when it says `hello` late. */
const claimsForgiven = 3

/** What a session is shown as in a room. */
export type StateLookup = (session: Session, room: string) => Json | undefined

/** Creates the sessions of a runtime, hands them over, and tells their store what becomes of them. */
export class Sessions {
  readonly #core: Core
  readonly #store: SessionStore
  readonly #stateOf: StateLookup
  readonly #logic: LanedLogic
  readonly #records = new Map<string, Session>()
  readonly #detached: DetachedSessions
  readonly #changed = new Set<Session>()
  /** Whether the runtime has ended, and with it the use of the store. */
  #isOver = false

  constructor(core: Core, store: SessionStore, stateOf: StateLookup) {
    this.#core = core
    this.#store = store
    this.#stateOf = stateOf
    const { detachedSessions, detachedSessionsPerUser } = core.settings
    this.#detached = new DetachedSessions({ total: detachedSessions, perUser: detachedSessionsPerUser })
    this.#logic = sessionLogic(core, (session) => this.changed(session), this.#detached)
  }

  get size(): number {
    return this.#records.size
  }

  get(id: string): Session | undefined {
    return this.#records.get(id)
  }

  /** The sessions of a user, connected or not. Walks all there are. */
  ofUser(user: string): Session[] {
    return [...this.#records.values()].filter((session) => session.user.id === user)
  }

  /**
   * Readies the session that a connection is going to own: the one that it claims, if the claim is true and it is this
   * user's, or a fresh one. The store is asked before the connection is let in.
   */
  async prepare(link: ConnectionLink, identity: Identity, resume: ResumeClaim | undefined): Promise<void> {
    try {
      const claim = resume === undefined ? undefined : await this.claim(resume)
      const session = claim && this.#records.get(claim.record.id)
      if (claim !== undefined && resume !== undefined && session !== undefined && belongsTo(session, identity)) {
        link.claim = { claim, resume }
        return
      }
      if (resume !== undefined) this.refuse(link)
      link.fresh = this.#newSession(identity)
      await this.#keep(link.fresh)
    } catch (error) {
      // Not the client is at fault, and it is to come back: it is not refused, as it would be by what is thrown here.
      this.#core.telemetry({ type: 'storage.failed', error })
      this.#core.route(link.address, { type: 'connection.close', reason: 'crashed' } as never)
      throw error
    }
  }

  /** Asks the store for a session. Whoever gets it has to {@link attach} it. */
  claim({ session, secret }: ResumeClaim): Eventually<Claim | undefined> {
    return this.#store.claim(session, secret)
  }

  /** A connection has claimed a session that it is not given. One that goes on is guessing, and is closed. */
  refuse(link: ConnectionLink): void {
    this.#core.refusals.note({ type: 'resume.refused', reason: 'unknown' })
    link.refusedClaims++
    if (link.refusedClaims <= claimsForgiven) return
    this.#core.route(link.address, { type: 'connection.close', reason: 'limit-reached' } as never)
  }

  /** The connection was gone before it was let in. */
  abandon(link: ConnectionLink): void {
    const { fresh } = link
    link.fresh = undefined
    link.claim = undefined
    if (fresh !== undefined) this.#tell(() => this.#store.delete(fresh.id))
  }

  /** Gives a connection the session that was prepared for it. */
  admit(link: ConnectionLink, identity: Identity): Outcome {
    const { claim, fresh } = link
    link.claim = undefined
    link.fresh = undefined
    const outcome = claim === undefined ? 'unknown' : this.attach(link, identity, claim.claim, claim.resume)
    if (outcome !== 'unknown') return outcome
    // It may have ended between the claim and now; then there is no time to wait for a store.
    const session = fresh ?? this.#newSession(identity)
    if (fresh === undefined) this.#tell(() => this.#keep(session))
    this.#begin(session)
    session.link = link
    link.session = session
    return 'unknown'
  }

  /** Takes an existing session over, if it is this user's. The newest claim wins; an older one is turned away. */
  attach(
    link: ConnectionLink,
    identity: Identity,
    { record, fence }: Claim,
    { secret, attempt }: ResumeClaim,
  ): Outcome {
    const session = this.#records.get(record.id)
    if (session === undefined || !belongsTo(session, identity)) return 'unknown'
    session.secret = secret
    this.#core.population.get(session.address)?.send({ type: 'session.attach', link, fence, attempt })
    return session.link === link ? 'resumed' : 'replaced'
  }

  /** A session that a former process knew: its client has yet to come back. */
  restore({ id, user, guest, detachedAt }: SessionRecord): Session {
    const session = new Session(id, undefined, { user, guest })
    this.#begin(session)
    const event = { type: 'session.detach', ...(detachedAt === undefined ? {} : { at: detachedAt }) }
    this.#core.steps.after(() => this.#core.route(session.address, event))
    return session
  }

  /** What is to be kept of a session has changed; its store is told once a turn. */
  changed(session: Session): void {
    if (!this.#store.keepsChanges) return
    this.#changed.add(session)
    if (this.#changed.size === 1) this.#core.environment.clock.setImmediate(() => this.flush())
  }

  /** Tells the store what has changed. */
  flush(): void {
    for (const session of this.#changed) {
      if (this.#records.has(session.id)) this.#tell(() => this.#store.put(this.#recordOf(session)))
    }
    this.#changed.clear()
  }

  /** The session's actor has ended. */
  forget(id: string): void {
    const session = this.#records.get(id)
    if (session === undefined) return
    this.#records.delete(id)
    this.#detached.delete(session)
    session.replies?.clear()
    session.directIds?.clear()
    this.#tell(() => this.#store.delete(id))
    if (session.link !== undefined) session.link.session = undefined
    session.link = undefined
  }

  /** The runtime ends. A store that outlives it keeps them. */
  clear(): void {
    this.flush()
    this.#records.clear()
    this.#isOver = true
  }

  /** Tells the store something that nobody waits for. A store that fails at it ends nobody. */
  #tell(action: () => Eventually<void>): void {
    if (this.#isOver) return
    const failed = (error: unknown): void => this.#core.telemetry({ type: 'storage.failed', error })
    try {
      const told = action()
      if (isThenable(told)) told.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }

  #newSession(identity: Identity): Session {
    const { environment } = this.#core
    return new Session(environment.newId(), environment.newId(), identity)
  }

  #keep(session: Session): Eventually<void> {
    return this.#store.create(this.#recordOf(session), session.secret ?? '')
  }

  #begin(session: Session): void {
    const { population, root, steps } = this.#core
    this.#records.set(session.id, session)
    steps.after(() => {
      if (this.#records.has(session.id)) {
        population.create(root, this.#logic, session.address, 'session', { session }).start()
      }
    })
  }

  #recordOf(session: Session): SessionRecord {
    const { id, user, guest, detachedAt } = session
    const rooms = [...session.rooms.keys()].map((name) => {
      const [state, role] = [this.#stateOf(session, name), session.roles?.get(name)]
      return { name, ...(state === undefined ? {} : { state }), ...(role === undefined ? {} : { role }) }
    })
    return { id, user, guest, rooms, ...(detachedAt === undefined ? {} : { detachedAt }) }
  }
}

/** A session is given back to its own user only; one of a guest to any guest, by the secret alone. */
function belongsTo(session: Session, { user, guest = false }: Identity): boolean {
  return session.user.id === user.id || (session.guest && guest)
}
