import type { ServerMessage } from '../../../protocol/index.ts'
import type { Court } from '../court.ts'
import { gist } from '../spoken.ts'
import type { Asked, Tapped, WireListener } from '../wire-tap.ts'

/** FENCE: a session has one connection at most, and one that has lost its session has no say any more. */
export class FenceChecker implements WireListener {
  readonly #court: Court
  readonly #owners = new Map<string, Tapped>()
  /** What was said by connections that had a say. */
  readonly #heard = new Set<string>()
  readonly #unheard = new Set<string>()

  constructor(court: Court) {
    this.#court = court
  }

  /** The process is gone, and with it all connections. */
  reset(): void {
    this.#owners.clear()
  }

  received(connection: Tapped, { type, data }: Asked): void {
    if (type !== 'message' || data === undefined) return
    const said = gist(data)
    if (connection.closing === undefined) this.#heard.add(said)
    else if (connection.closing.code === 4009) this.#unheard.add(said)
  }

  sent(connection: Tapped, message: ServerMessage): void {
    if (message.type === 'message' && message.data !== undefined) {
      const said = gist(message.data)
      if (this.#unheard.has(said) && !this.#heard.has(said)) {
        this.#court.accuse('FENCE', `${said} was said by a connection that had been replaced`)
      }
    }
    if (message.type !== 'welcome') return
    const former = this.#owners.get(message.session)
    this.#owners.set(message.session, connection)
    if (former === undefined || former === connection || former.isOver) return
    if (former.closing === undefined) {
      this.#court.accuse('FENCE', `${connection.device} has a session that ${former.device} has as well`)
    }
  }

  ended(connection: Tapped): void {
    const { session } = connection
    if (session !== undefined && this.#owners.get(session) === connection) this.#owners.delete(session)
  }
}
