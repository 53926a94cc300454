import { dataMembersOf, type DirectRequest, type RequestId } from '../../protocol/index.ts'
import type { Core } from '../core.ts'
import { Frame } from '../ports/frame.ts'
import { RecentIds } from '../session/recent-ids.ts'
import type { Session } from '../session/session.ts'
import type { ConnectionLink } from './connection-link.ts'
import { decide } from './deciding.ts'

/** Hands a message to another user, if the application lets the sender write to them. */
export function sendDirect(core: Core, link: ConnectionLink, session: Session, message: DirectRequest): void {
  const { id, to } = message
  const { authorizeDirect } = core.options
  if (authorizeDirect === undefined) return link.refuse('forbidden', id)
  // A client that has not heard of it sends it again.
  if (id !== undefined && session.directIds?.has(id) === true) return confirm(link, id, { duplicate: true })
  decide(core, link, {
    callback: 'authorizeDirect',
    id,
    ordered: true,
    ask: (context) => {
      const { user, id: asking, guest } = session
      return authorizeDirect({ user, session: asking, guest, to }, context)
    },
    answered: (answer) => {
      if (answer !== true) return link.refuse('forbidden', id)
      deliver(core, session, message)
      if (id === undefined) return
      session.directIds ??= new RecentIds(core.settings.idempotencyCount, core.budget)
      session.directIds.add(id)
      confirm(link, id)
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

function confirm({ outbox }: ConnectionLink, id: RequestId, more: { readonly duplicate?: true } = {}): void {
  outbox.push(Frame.of({ type: 'ack', id, ...more }))
}
