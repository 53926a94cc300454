import { errorMessage, type RequestId } from '../../protocol/index.ts'
import type { Core } from '../core.ts'
import type { RoomAction } from '../options.ts'
import { Permissions } from '../session/permissions.ts'
import type { Session } from '../session/session.ts'
import type { ConnectionLink } from './connection-link.ts'
import { decide, type Indecision } from './deciding.ts'
import type { Inbound } from './inbound.ts'

/** What a message asks to be allowed. To leave a room everybody may. */
const actions: { readonly [type in Inbound['type']]?: RoomAction } = {
  join: 'join',
  message: 'publish',
  typing: 'publish',
  presence: 'presence',
  history: 'history',
}

/**
 * Does what a message asks for if its user may do it; the application is asked unless it has said so before. What the
 * session sends meanwhile waits behind it.
 */
export function permit(
  core: Core,
  link: ConnectionLink,
  session: Session,
  message: Inbound,
  proceed: () => void,
): void {
  const action = actions[message.type]
  const { room, id } = message as { readonly room?: string; readonly id?: RequestId }
  if (message.type === 'leave') forget(session, message.room)
  if (action === undefined || room === undefined) return proceed()
  if (action === 'join' && session.guest && !core.roomOptions(room).guests) {
    expel(core, session, room)
    return link.refuse('not-authenticated', id, room)
  }
  if (core.options.authorize === undefined) return proceed()
  // Whoever is not in a room is refused for that; nobody need be asked.
  const isMember = session.rooms.has(room)
  if (action !== 'join' && !isMember) return proceed()
  // What was allowed in a room that was not joined after all, or was lost, may not be any more.
  if (isMember && session.permissions?.has(room, action) === true) return proceed()
  const refuse = (code: Refusal): void => {
    if (action === 'join') expel(core, session, room)
    link.refuse(code, id, room)
  }
  ask(core, link, session, { action, room, id }, { ordered: true, proceed, refuse })
}

/**
 * Circumstances have changed: what was allowed has to be asked for again, and whether the session may still be in its
 * rooms is asked at once. Where it may not, it is taken out and told so.
 */
export function askAgain(core: Core, link: ConnectionLink): void {
  const { session } = link
  if (session === undefined || core.options.authorize === undefined) return
  session.permissions = new Permissions()
  for (const room of [...session.rooms.keys()]) {
    // Not knowing is no reason to let anybody stay.
    const refuse = (): void => {
      expel(core, session, room)
      session.send(errorMessage('expelled', undefined, room))
    }
    ask(core, link, session, { action: 'join', room, id: undefined }, { ordered: false, proceed: () => {}, refuse })
  }
}

/** A role's length, in characters: members are shown it. */
const longestRole = 32

type Refusal = 'forbidden' | Indecision

interface Question {
  readonly action: RoomAction
  readonly room: string
  readonly id: RequestId | undefined
}

interface Consequences {
  /** Whether what the session sends meanwhile waits. */
  readonly ordered: boolean
  proceed(): void
  refuse(code: Refusal): void
}

function ask(core: Core, link: ConnectionLink, asker: Session, question: Question, then: Consequences): void {
  const { action, room, id } = question
  const permissions = (asker.permissions ??= new Permissions())
  const inTime = (act: () => void): void => {
    // Circumstances have changed meanwhile: it is an answer about somebody else, or of another time.
    if (asker.permissions === permissions) act()
    else if (then.ordered) ask(core, link, asker, question, then)
  }
  decide(core, link, {
    callback: 'authorize',
    id,
    ordered: then.ordered,
    ask: (context) => {
      const { user, id: session, roles, guest } = asker
      const role = asker.rooms.has(room) ? roles?.get(room) : undefined
      return core.options.authorize?.({ user, session, guest, action, room, role }, context)
    },
    answered: (answer) => inTime(() => settle(core, asker, question, answer, then)),
    undecided: (code) => inTime(() => then.refuse(code)),
  })
}

function settle(core: Core, session: Session, question: Question, answer: unknown, then: Consequences): void {
  const { room, action } = question
  const role = (answer as { role?: unknown } | null | undefined)?.role
  if (role !== undefined && !isRole(role)) {
    const error = new TypeError(`A role must be a text of 1 to ${longestRole} characters, not ${JSON.stringify(role)}`)
    core.telemetry({ type: 'callback.threw', callback: 'authorize', error })
    return then.refuse('internal')
  }
  if (answer !== true && role === undefined) return then.refuse('forbidden')
  // What belongs to a room that was not joined after all is not to be remembered: there is no end to names.
  session.permissions?.keepOnly(session.rooms)
  session.permissions?.add(room, action)
  if (action === 'join') noteRole(core, session, room, role)
  then.proceed()
}

const isRole = (role: unknown): role is string =>
  typeof role === 'string' && role.length > 0 && role.length <= longestRole

/** A member is shown as what it is now: of several tabs the one that was told last has the last word. */
function noteRole(core: Core, session: Session, room: string, role: string | undefined): void {
  if (role === undefined && session.roles?.has(room) !== true) return
  const roles = (session.roles ??= new Map())
  for (const other of roles.keys()) if (!session.rooms.has(other)) roles.delete(other)
  if (role === undefined) roles.delete(room)
  else roles.set(room, role)
  const address = session.rooms.get(room)
  if (address === undefined) return
  core.route(address, { type: 'room.role', session, message: undefined } as never)
  core.sessionChanged(session)
}

function forget(session: Session, room: string): void {
  session.permissions?.forget(room)
  session.roles?.delete(room)
}

/** Takes a session out of a room that it may not be in (any more). */
function expel(core: Core, session: Session, room: string): void {
  forget(session, room)
  const address = session.rooms.get(room)
  if (address === undefined) return
  core.route(address, { type: 'room.leave', session, message: undefined } as never)
}
