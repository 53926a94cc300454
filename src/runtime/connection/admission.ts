import type { Identity } from '../../../machines/index.ts'
import type { HelloMessage, RequestId } from '../../protocol/index.ts'
import type { ConnectionLink } from './connection-link.ts'
import type { Core } from '../core.ts'
import { endings } from './endings.ts'
import type { EndReason } from '../../../machines/index.ts'
import { handleMessage } from './inbound.ts'
import { askAgain } from './permission.ts'
import type { Call } from './inbox.ts'
import type { Claim } from '../ports/session-store.ts'
import { remainingLife } from './timing.ts'
import type { Session } from '../session/session.ts'
import type { Sessions } from '../session/sessions.ts'

/** Lets an authenticated connection in: it gets its session, and its client the `welcome`. */
export function admit(core: Core, sessions: Sessions, link: ConnectionLink, identity: Identity | undefined): void {
  if (identity === undefined) throw new Error('A connection must be authenticated before it is admitted.')
  const id = link.hello?.id
  const outcome = sessions.admit(link, identity)
  const { session } = link
  // Another connection's claim of the session was newer: this one is closed as replaced.
  if (outcome === 'replaced' || session === undefined) return
  core.users.enter(link, session.user.id)
  link.pass?.welcomed()
  link.outbox.writable = true
  welcome(core, link, session, outcome === 'resumed', id, identity)
  link.forgetCredentials()
  if (outcome === 'resumed') askAgain(core, link)
  core.telemetry({ type: 'connection.opened', connection: link.address, user: session.user.id })
}

/** A client without the subprotocol was welcomed at once; its `hello` comes late and may name an older session. */
export function takeOver(core: Core, sessions: Sessions, link: ConnectionLink, hello: HelloMessage): void {
  const { session } = link
  if (session === undefined) return
  const { resume } = hello
  if (resume === undefined || resume.session === session.id) {
    return welcome(core, link, session, false, hello.id, identityOf(link))
  }
  const decide = (claim: Claim | undefined): void => settleTakeOver(core, sessions, link, hello, claim)
  // Behind a handler that is at work it waits like everything else; so does what follows it, for the store's answer.
  const claim = async (): Promise<Claim | undefined> => sessions.claim(resume)
  const broken = (error: unknown): void => {
    core.telemetry({ type: 'storage.failed', error })
    decide(undefined)
  }
  const call: Call = {
    id: hello.id,
    ordered: true,
    timeoutMs: core.settings.credentialsTimeoutMs,
    run: claim,
    done: (claim) => decide(claim as Claim | undefined),
    failed: broken,
    broken,
    expired: () => decide(undefined),
  }
  core.inboxOf(link)
  handleMessage(core, link, { type: 'call', call })
}

function settleTakeOver(
  core: Core,
  sessions: Sessions,
  link: ConnectionLink,
  { resume, id }: HelloMessage,
  claim: Claim | undefined,
): void {
  const present = link.session
  if (present === undefined) return
  const outcome =
    claim === undefined || resume === undefined ? 'unknown' : sessions.attach(link, present, claim, resume)
  if (outcome === 'unknown') sessions.refuse(link)
  else {
    // Of no use any more, also when a newer claim has the session: then the client is to stay away.
    present.link = undefined
    if (link.session === present) link.session = undefined
    core.route(present.address, { type: 'session.leave' })
  }
  const { session } = link
  if (session === undefined) return
  core.users.enter(link, session.user.id)
  welcome(core, link, session, outcome === 'resumed', id, identityOf(link))
  if (outcome === 'resumed') askAgain(core, link)
}

/** Whose the connection is, as its chart knows once it is open. */
function identityOf({ actor }: ConnectionLink): Identity | undefined {
  return (actor?.getSnapshot() as { context: { identity?: Identity } } | undefined)?.context.identity
}

function welcome(
  { settings, id: server, environment }: Core,
  link: ConnectionLink,
  session: Session,
  resumed: boolean,
  id: RequestId | undefined,
  identity: Identity | undefined,
): void {
  link.send({
    type: 'welcome',
    ...(id === undefined ? {} : { id }),
    session: session.id,
    secret: session.secret ?? '',
    user: session.user.id,
    server,
    resumed,
    heartbeat: { intervalMs: settings.heartbeatMs, timeoutMs: settings.heartbeatTimeoutMs },
    limits: { frameBytes: settings.frameBytes, rooms: settings.roomsPerSession, presenceBytes: settings.presenceBytes },
    ...remainingLife(identity, environment.clock.now()),
  })
}

/** A guest has turned out to be somebody: connection, session, rooms and places in them stay. */
export function becomeUser(core: Core, link: ConnectionLink, { user }: Identity): void {
  const { session } = link
  if (session === undefined) return
  session.become(user)
  core.users.enter(link, user.id)
  for (const room of session.rooms.values()) {
    core.route(room, { type: 'room.identify', session, message: undefined } as never)
  }
  core.sessionChanged(session)
}

/** Lets go of a connection's session: it waits for its client, or is over, as the reason has it. */
export function release(core: Core, sessions: Sessions, link: ConnectionLink, reason: EndReason): void {
  sessions.abandon(link)
  core.users.leave(link)
  const { session } = link
  link.cancel()
  link.outbox.writable = false
  link.outbox.discard()
  link.session = undefined
  if (session === undefined || session.link !== link) return
  session.link = undefined
  core.route(session.address, { type: endings[reason].session === 'leaves' ? 'session.leave' : 'session.detach' })
}
