import type { ServerMessage } from '../../../protocol/index.ts'
import type { Court } from '../court.ts'
import { gist } from '../spoken.ts'
import type { Asked, Tapped, WireListener } from '../wire-tap.ts'

interface Sign {
  readonly user: string
  readonly at: number
  readonly order: number
  /** Whether what was said since has ended it. */
  ended: boolean
}

/** How long a handler may take at most (ms). */
const handlerMs = 30_000

/** TYPING: an indicator that is shown has a sign behind it that is no older than the silence. */
export class TypingChecker implements WireListener {
  readonly #court: Court
  /** How old a sign may be (ms). */
  readonly #silenceMs: number
  readonly #delayMs: number
  /** When a session last gave a sign, by room and session; absent when it has ended it. */
  readonly #signs = new Map<string, Sign>()
  /** Signs that nothing has ended that their own session did. */
  readonly #lively = new Map<string, Sign>()
  /** When a message came first, among the signs. */
  readonly #messages = new Map<string, number>()
  /** When a session last asked for something that what it says next has to wait for (ms). */
  readonly #handled = new Map<string, number>()
  #order = 0
  /** Who is shown as typing, by connection and room. */
  readonly #shown = new Map<Tapped, Map<string, Set<string>>>()

  /** @param delayMs - how long a sign may have waited before it counted */
  constructor(court: Court, typingMs: number, delayMs: number) {
    this.#court = court
    this.#silenceMs = typingMs + delayMs
    this.#delayMs = delayMs
  }

  reset(): void {
    this.#shown.clear()
    this.#signs.clear()
    this.#lively.clear()
  }

  opened(connection: Tapped): void {
    this.#shown.set(connection, new Map())
  }

  ended(connection: Tapped): void {
    this.#shown.delete(connection)
    // It may have left for good, or be away for so long that it is shown as gone.
    for (const key of this.#lively.keys()) if (key.endsWith(` ${connection.session}`)) this.#lively.delete(key)
  }

  received({ session, user }: Tapped, { type, room, typing, data }: Asked): void {
    this.#order++
    if (session !== undefined && (type === 'slow' || type === 'ask back')) this.#handled.set(session, this.#court.now)
    if (type === 'message') {
      const said = gist(data)
      if (!this.#messages.has(said)) this.#messages.set(said, this.#order)
    }
    if (type === 'message' || type === 'leave' || type === 'typing') this.#lively.delete(`${room} ${session}`)
    if (type !== 'typing' || session === undefined || user === undefined || room === undefined) return
    const sign = `${room} ${session}`
    // An end that comes right behind a beginning may cancel it before anybody was told.
    if (typing !== true) return
    const given = { user, at: this.#court.now, order: this.#order, ended: false }
    this.#signs.set(sign, given)
    this.#lively.set(sign, given)
  }

  sent(connection: Tapped, message: ServerMessage): void {
    const shown = this.#shown.get(connection)
    if (shown === undefined) return
    switch (message.type) {
      case 'joined':
        shown.set(message.room, new Set())
        return
      case 'left':
        shown.delete(message.room)
        return
      case 'error':
        if (message.code === 'room-unavailable' && message.room !== undefined) shown.delete(message.room)
        return
      case 'typing': {
        const { room, user, typing } = message
        if (typing) shown.get(room)?.add(user)
        else if (shown.get(room)?.delete(user) === false) {
          this.#court.accuse('TYPING', `${connection.device} is told that ${user} stops in ${room}, once more`)
        }
        if (!typing) this.#ended(connection, user, room)
        return
      }
      case 'message':
        if ('volatile' in message) return
        this.#spoken(`${message.room} ${message.from.session}`, gist(message.data))
        if (!shown.get(message.room)?.has(message.from.user)) return
        if (this.#mayBeTyping(message.from, message.room)) return
        this.#court.accuse('TYPING', `${connection.device} hears ${message.from.user}, and still sees it typing`)
        return
      default:
    }
  }

  /** Between two steps: what is shown is so. */
  inspect(connections: ReadonlyMap<Tapped, { readonly ready: boolean }>): void {
    if (this.#court.excused('server stopped')) return
    for (const [connection, shown] of this.#shown) {
      // What waits for a slow reader has been decided, if not read.
      if (connections.get(connection)?.ready !== true || connection.closing !== undefined) continue
      for (const [room, users] of shown) {
        for (const user of users) {
          if (this.#isTyping(user, room)) continue
          this.#court.accuse('TYPING', `${connection.device} is shown ${user} typing in ${room}, who is not`)
        }
      }
    }
  }

  /** An indicator has ended; that is right when nobody has given a sign since, who has not taken it back. */
  #ended({ device }: Tapped, user: string, room: string): void {
    if (this.#delayMs > 0 || this.#court.excused('room crashed', 'session crashed', 'server stopped')) return
    for (const [key, sign] of this.#lively) {
      if (sign.user !== user || !key.startsWith(`${room} `) || this.#court.now >= sign.at + this.#silenceMs) continue
      this.#court.accuse('TYPING', `${device} is told that ${user} stops in ${room}, who gave a sign at ${sign.at} ms`)
    }
  }

  /** What was said ends what was typed before it. */
  #spoken(key: string, said: string): void {
    const sign = this.#signs.get(key)
    if (sign !== undefined && sign.order < (this.#messages.get(said) ?? 0)) sign.ended = true
  }

  /** What another tab has ended meanwhile, this connection may have yet to hear. */
  #mayBeTyping({ user, session }: { readonly user: string; readonly session: string }, room: string): boolean {
    for (const [key, sign] of this.#signs) {
      if (sign.user !== user || !key.startsWith(`${room} `) || this.#court.now > this.#until(key, sign)) continue
      if (!sign.ended || key !== `${room} ${session}`) return true
    }
    return false
  }

  /** By when an indicator has to have ended: a sign that waits behind a handler counts from when that is done. */
  #until(key: string, { at }: Sign): number {
    const handledAt = this.#handled.get(key.slice(key.lastIndexOf(' ') + 1)) ?? -Infinity
    return Math.max(at, handledAt + handlerMs) + this.#silenceMs
  }

  #isTyping(user: string, room: string): boolean {
    const begin = `${room} `
    for (const [key, sign] of this.#signs) {
      if (sign.user === user && !sign.ended && key.startsWith(begin) && this.#court.now <= this.#until(key, sign))
        return true
    }
    return false
  }
}
