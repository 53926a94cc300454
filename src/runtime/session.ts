import { sessionMachine, type Identity, type User } from '../../machines/index.ts'
import type { ServerMessage } from '../protocol/index.ts'
import type { ConnectionLink } from './connection-link.ts'
import type { Core } from './core.ts'
import { Frame } from './frame.ts'
import { withLanes, type LanedLogic } from './lanes.ts'
import type { Outbox } from './outbox.ts'

/** The record of a session: what survives a reconnect. Its actor decides over it. */
export class Session {
  readonly id: string
  readonly secret: string
  readonly user: User
  /** Whether the user is a guest: then the secret is all that there is to know a former client by. */
  readonly guest: boolean
  readonly address: string
  /** The `from` of this session's messages, encoded once. */
  readonly from: string
  /** The addresses of the rooms it is in, or has asked to be in, by name. */
  readonly rooms = new Map<string, string>()
  /** The outbox of the connection that owns the session: what a broadcast walks. */
  outbox: Outbox | undefined
  #link: ConnectionLink | undefined

  constructor(id: string, secret: string, { user, guest = false }: Identity, link: ConnectionLink) {
    this.id = id
    this.secret = secret
    this.user = user
    this.guest = guest
    this.address = `session:${id}`
    this.from = JSON.stringify({ user: user.id, session: id })
    this.link = link
  }

  /** The connection that owns the session, while there is one. */
  get link(): ConnectionLink | undefined {
    return this.#link
  }

  set link(link: ConnectionLink | undefined) {
    this.#link = link
    this.outbox = link?.outbox
  }

  /** Sends to the session's client, if it is connected. */
  send(message: ServerMessage): void {
    this.outbox?.push(Frame.of(message))
  }

  /** For inspectors: no secret, no references. */
  toJSON(): object {
    return { id: this.id, user: this.user, rooms: [...this.rooms.keys()] }
  }
}

/** What a `hello` says of the session it continues. */
export interface ResumeClaim {
  readonly session: string
  readonly secret: string
}

/** Finds or creates the session of a connection that has been let in. */
export class Sessions {
  readonly #core: Core
  readonly #logic: LanedLogic
  readonly #records = new Map<string, Session>()

  constructor(core: Core) {
    this.#core = core
    this.#logic = sessionLogic(core)
  }

  get size(): number {
    return this.#records.size
  }

  /** Gives a connection a fresh session of its own. */
  create(link: ConnectionLink, identity: Identity): Session {
    const { population, root, environment, steps } = this.#core
    const session = new Session(environment.newId(), environment.newId(), identity, link)
    this.#records.set(session.id, session)
    link.session = session
    steps.after(() => {
      if (this.#records.has(session.id)) {
        population.create(root, this.#logic, session.address, 'session', { session }).start()
      }
    })
    return session
  }

  /** Takes an existing session over, if the claim is true and it is this user's. The newer connection wins. */
  resume(link: ConnectionLink, { user, guest = false }: Identity, claim: ResumeClaim): Session | undefined {
    const session = this.#records.get(claim.session)
    if (session === undefined || !equalSecrets(session.secret, claim.secret)) return undefined
    if (session.user.id !== user.id && !(session.guest && guest)) return undefined
    this.#core.population.get(session.address)?.send({ type: 'session.attach', link })
    return session.link === link ? session : undefined
  }

  /** The session's actor has ended. */
  forget(id: string): void {
    const session = this.#records.get(id)
    if (session === undefined) return
    this.#records.delete(id)
    if (session.link !== undefined) session.link.session = undefined
    session.link = undefined
  }

  clear(): void {
    this.#records.clear()
  }

  get(id: string): Session | undefined {
    return this.#records.get(id)
  }
}

function sessionLogic(core: Core): LanedLogic {
  const { presenceGraceMs, resumeWindowMs } = core.settings
  const sessionOf = (context: { session: object }): Session => context.session as Session
  const routeToRooms = (session: Session, type: string): void => {
    for (const room of session.rooms.values()) core.route(room, { type, session, message: undefined } as never)
  }
  const machine = sessionMachine.provide({
    actions: {
      own: ({ context, event }) => {
        if (event.type !== 'session.attach') return
        const session = sessionOf(context)
        const former = session.link
        const link = event.link as ConnectionLink
        session.link = link
        link.session = session
        if (former === undefined || former === link) return
        former.session = undefined
        core.route(former.address, { type: 'connection.close', reason: 'replaced' } as never)
      },
      disown: ({ context }) => {
        sessionOf(context).link = undefined
      },
      withdraw: ({ context }) => routeToRooms(sessionOf(context), 'room.withdraw'),
      reappear: ({ context }) => routeToRooms(sessionOf(context), 'room.reappear'),
      leaveRooms: ({ context }) => routeToRooms(sessionOf(context), 'room.leave'),
    },
    delays: {
      presenceGrace: Math.min(presenceGraceMs, resumeWindowMs),
      untilExpired: Math.max(0, resumeWindowMs - presenceGraceMs),
    },
  })
  return withLanes(machine, { hot: [], ...core.lanes })
}

/** Compares without telling by its duration how much was right. */
function equalSecrets(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
