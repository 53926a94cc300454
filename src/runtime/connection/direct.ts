import { dataMembersOf, type DirectRequest, type RequestId } from '../../protocol/index.ts'
import type { Core } from '../core.ts'
import { Frame } from '../ports/frame.ts'
import type { Session } from '../session/session.ts'
import { Replies } from '../session/replies.ts'
import type { ConnectionLink } from './connection-link.ts'
import { decide } from './deciding.ts'

/** Hands a message to another user, if the application lets the sender write to them. */
export function sendDirect(core: Core, link: ConnectionLink, session: Session, message: DirectRequest): void {
  const { id, to } = message
  const { authorizeDirect } = core.options
  if (authorizeDirect === undefined) return link.refuse('forbidden', id)
  const known = id === undefined ? undefined : session.replies?.get(id)
  if (known !== undefined) return link.outbox.push(known)
  decide(core, link, {
    callback: 'authorizeDirect',
    id,
    ordered: true,
    ask: (context) => authorizeDirect({ user: session.user, session: session.id, to }, context),
    answered: (answer) => {
      if (answer !== true) return link.refuse('forbidden', id)
      deliver(core, session, message)
      if (id !== undefined) confirm(core, link, session, id)
    },
    undecided: (code) => link.refuse(code, id),
  })
}

/** Every connection of the user gets it. Whether there is any is not told: it reads the same for whoever is not here. */
function deliver(core: Core, session: Session, message: DirectRequest): void {
  const { links = [] } = core.users.get(message.to) ?? {}
  if (links.length === 0) return
  const at = core.environment.clock.now()
  const frame = new Frame(`{"type":"direct","at":${at},"from":${session.from}${dataMembersOf(message)}}`)
  for (const { outbox } of links) outbox.push(frame)
}

/** One that is sent again, by a client that has not heard of it, is not delivered again. */
function confirm(core: Core, link: ConnectionLink, session: Session, id: RequestId): void {
  const frame = Frame.of({ type: 'ack', id })
  session.replies ??= new Replies(core.settings, core.budget)
  session.replies.keep(id, frame)
  link.outbox.push(frame)
}
