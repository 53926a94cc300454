import type { AnyActorRef } from 'xstate'
import type { RoomEvent } from '../../machines/index.ts'
import type { Json, RequestId } from '../protocol/index.ts'
import type { Frame } from './frame.ts'
import type { HistoryLimits, LogEntry, RoomLog } from './history.ts'
import { Population } from './population.ts'
import { Presence } from './presence.ts'
import type { Session } from './session.ts'

/** What a room knows of a member. */
interface Membership {
  /** Where it stands in the room's audience. */
  index: number
  state: Json | undefined
}

/**
 * The record of a room: members, presence and log. It belongs to the room's name rather than to its actor, so that a
 * room whose actor crashed comes back with everybody in it.
 */
export class RoomRecord {
  readonly name: string
  readonly address: string
  readonly limits: HistoryLimits
  readonly presence = new Presence()
  /** Undefined until the log is open. */
  log: RoomLog | undefined
  /** Requests that came before that. */
  held: RoomEvent[] = []
  heldBytes = 0
  /** The typing actors, by session id. */
  readonly typing = new Population({ done: () => {}, crashed: () => {} })
  /** Sessions whose typing actors are about to be created. */
  readonly aboutToType = new Set<string>()
  /** The room's actor. */
  actor: AnyActorRef | undefined
  /** When the actor crashed (ms), within the period that counts. */
  crashes: readonly number[] = []
  readonly #members = new Map<string, Membership>()
  readonly #audience: Session[] = []
  #prefix = ''
  #ackMiddle = ''

  constructor(name: string, limits: HistoryLimits) {
    this.name = name
    this.address = `room:${name}`
    this.limits = limits
  }

  get size(): number {
    return this.#audience.length
  }

  get sessions(): Session[] {
    return [...this.#audience]
  }

  has(session: Session): boolean {
    return this.#members.has(session.id)
  }

  stateOf(session: Session): Json | undefined {
    return this.#members.get(session.id)?.state
  }

  add(session: Session, state: Json | undefined): void {
    const present = this.#members.get(session.id)
    if (present === undefined) {
      session.rooms.set(this.name, this.address)
      this.#members.set(session.id, { state, index: this.#audience.length })
      this.#audience.push(session)
    } else if (state !== undefined) {
      present.state = state
    }
  }

  remove(session: Session): boolean {
    const membership = this.#members.get(session.id)
    if (membership === undefined) return false
    this.#members.delete(session.id)
    session.rooms.delete(this.name)
    const last = this.#audience.pop()
    const moved = last === undefined ? undefined : this.#members.get(last.id)
    if (last !== undefined && moved !== undefined) {
      this.#audience[membership.index] = last
      moved.index = membership.index
    }
    return true
  }

  /** Hands one frame to every member who is connected. This loop is the data plane: no actor is asked. */
  broadcast(frame: Frame, except?: Session): void {
    for (const session of this.#audience) if (session !== except) session.outbox?.push(frame)
  }

  /** Hands a frame to every member but one user, in whatever tab. */
  broadcastToOthers(user: string, frame: Frame): void {
    for (const session of this.#audience) if (session.user.id !== user) session.outbox?.push(frame)
  }

  /**
   * A message as members get it. What is the same for all messages of the room is encoded once.
   *
   * @param instead - in place of the entry's content: nothing, for the header of a binary frame
   */
  encode(log: RoomLog, { offset, at, from, content }: LogEntry, instead = content): string {
    if (this.#prefix === '') {
      this.#prefix = `{"type":"message","room":${JSON.stringify(this.name)},"epoch":${JSON.stringify(log.epoch)},"offset":`
    }
    return `${this.#prefix}${offset},"at":${at},"from":${from}${instead}}`
  }

  /** The reply to a message that was taken, or had been before. */
  encodeAck(log: RoomLog, id: RequestId, offset: number, duplicate: boolean): string {
    if (this.#ackMiddle === '') {
      this.#ackMiddle = `,"room":${JSON.stringify(this.name)},"epoch":${JSON.stringify(log.epoch)},"offset":`
    }
    const text = `{"type":"ack","id":${typeof id === 'number' ? id : JSON.stringify(id)}${this.#ackMiddle}${offset}`
    return duplicate ? `${text},"duplicate":true}` : `${text}}`
  }

  /** For inspectors: no references. */
  toJSON(): object {
    return { name: this.name, members: this.size, users: this.presence.size, offset: this.log?.offset }
  }
}
