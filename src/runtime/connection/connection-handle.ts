import type { User } from '../../../machines/index.ts'
import { encodeData, isProtocolType } from '../../protocol/index.ts'
import type { ConnectionLink } from './connection-link.ts'
import type { Core } from '../core.ts'
import { Frame } from '../ports/frame.ts'
import type { Connection } from './handlers.ts'
import type { RequestOptions } from './requests.ts'
import type { Session } from '../session/session.ts'

/** A connection in an application's hands: it may be kept after the connection's end, and then does nothing. */
export class ConnectionHandle implements Connection {
  readonly id: string
  readonly session: string
  readonly #core: Core
  readonly #link: ConnectionLink
  readonly #session: Session

  constructor(core: Core, link: ConnectionLink, session: Session) {
    this.id = link.address
    this.session = session.id
    this.#core = core
    this.#link = link
    this.#session = session
  }

  get user(): User {
    return this.#session.user
  }

  get guest(): boolean {
    return this.#session.guest
  }

  get rooms(): readonly string[] {
    return [...this.#session.rooms.keys()]
  }

  send(type: string, data?: unknown): void {
    sendApplicationMessage(this.#link, type, data)
  }

  async request(type: string, data?: unknown, { timeoutMs, signal }: RequestOptions = {}): Promise<unknown> {
    return this.#link.ask(this.#core, applicationType(type), data, timeoutMs, signal)
  }

  forbid(): void {
    if (this.#link.session === undefined) return
    this.#core.route(this.id, { type: 'connection.close', reason: 'forbidden' } as never)
  }
}

/** Those of the connections that take part just now. */
export function handlesOf(core: Core, links: Iterable<ConnectionLink>): Connection[] {
  return [...links].flatMap((link) =>
    link.session === undefined || !link.outbox.writable ? [] : [new ConnectionHandle(core, link, link.session)],
  )
}

/** Sends a message of the application's own. */
export function sendApplicationMessage(link: ConnectionLink, type: string, data: unknown): void {
  link.outbox.push(applicationFrame(type, data))
}

/** A message of the application's own. */
export function applicationFrame(type: string, data: unknown): Frame {
  const content = data === undefined ? {} : encodeData(data)
  return new Frame(JSON.stringify({ type: applicationType(type), ...content }))
}

/** @throws TypeError for a type that is the protocol's */
export function applicationType(type: string): string {
  if (isProtocolType(type)) throw new TypeError(`Messages of type '${type}' are the protocol's own.`)
  return type
}
