import type { AnyActorRef } from 'xstate'
import type { RoomEvent } from '../../../machines/index.ts'
import type { Json, RequestId } from '../../protocol/index.ts'
import type { Budget } from '../budget.ts'
import { Backlog } from './backlog.ts'
import { presenceSizeOf } from '../connection/message-size.ts'
import { Frame } from '../ports/frame.ts'
import type { HistoryLimits, LogEntry, LogRecord, RoomLog } from '../ports/history.ts'
import { Population } from '../actors/population.ts'
import { Presence } from './presence.ts'
import type { Reading } from './recovery.ts'
import type { ResolvedRoomOptions } from './room-options.ts'
import type { Persona, Session } from '../session/session.ts'
import type { SparedRoom } from '../connection/sparing.ts'
import type { Storing, Unannounced } from './storing.ts'
import { Turns } from './turns.ts'

/** What a room knows of a member. */
interface Membership {
  /** Where it stands in the room's audience; -1 while it is told by other means. */
  index: number
  /** Who it is to the others here. */
  persona: Persona
  state: Json | undefined
  /** What the state takes. */
  bytes: number
}

/** What a room's record is made of. */
export interface RoomTerms {
  readonly options: ResolvedRoomOptions
  readonly limits: HistoryLimits
  /** What may wait in the room for its log (bytes). */
  readonly roomBacklogBytes: number
  readonly budget: Budget
}

/**
 * The record of a room: members, presence and log. It belongs to the room's name rather than to its actor, so that a
 * room whose actor crashed comes back with everybody in it.
 */
export class RoomRecord implements SparedRoom {
  readonly name: string
  readonly address: string
  readonly options: ResolvedRoomOptions
  readonly limits: HistoryLimits
  readonly presence = new Presence()
  readonly backlog: Backlog
  readonly turns = new Turns()
  /** Requests that came before the log was open. */
  held: RoomEvent[] = []
  /** Messages that the log has yet to answer for, in the order of their offsets. */
  storing: Storing[] = []
  /** How many of them it has not answered for in any way. */
  underWay = 0
  /** Whether the log has failed: it is not used any more, and is going to be opened again. */
  failing = false
  /** Messages that it kept all the same: their senders are told when it is open again. */
  unannounced: Unannounced[] = []
  /** Answers that the log is being read for, by session id. */
  readonly readings = new Map<string, Reading>()
  /** What a log that was opened again holds beyond what members were told. */
  missed: readonly LogEntry[] = []
  /** The last offset that members were told of. */
  delivered = 0
  /** Whether members are about to be told how many users are here, in a room that tells counts only. */
  countDue = false
  /** The typing actors, by session id. */
  readonly typing = new Population({ done: () => {}, crashed: () => {} })
  /** Sessions whose typing actors are about to be created. */
  readonly aboutToType = new Set<string>()
  /** The room's actor. */
  actor: AnyActorRef | undefined
  /** When the actor crashed (ms), within the period that counts. */
  crashes: readonly number[] = []
  readonly #budget: Budget
  readonly #members = new Map<Session, Membership>()
  readonly #audience: Session[] = []
  /** The epoch of the last log that was open. */
  epoch: string | undefined
  #log: RoomLog | undefined
  #abandoned: RoomLog | undefined
  #answered: (() => void) | undefined
  #prefix = ''
  #ackMiddle = ''

  constructor(name: string, { options, limits, roomBacklogBytes, budget }: RoomTerms) {
    this.name = name
    this.address = `room:${name}`
    this.options = options
    this.limits = limits
    this.#budget = budget
    this.backlog = new Backlog(roomBacklogBytes, budget)
  }

  /** Undefined until the log is open. */
  get log(): RoomLog | undefined {
    return this.#log
  }

  set log(log: RoomLog | undefined) {
    this.#log = log
    if (log === undefined) return
    this.failing = false
    this.epoch = log.epoch
    const place = `"room":${JSON.stringify(this.name)},"epoch":${JSON.stringify(log.epoch)},"offset":`
    // What is the same for all messages of the room is encoded once.
    this.#prefix = `{"type":"message",${place}`
    this.#ackMiddle = `,${place}`
  }

  /**
   * Lets go of the log: when it has answered for everything that it was given.
   *
   * @returns when that is, unless it is now
   */
  abandonLog(): Promise<void> | undefined {
    this.#abandoned = this.failing ? undefined : this.#log
    this.#log = undefined
    if (this.underWay === 0) {
      this.#abandoned?.close()
      return undefined
    }
    return new Promise((resolve) => {
      this.#answered = resolve
    })
  }

  /** The log has answered for a message. */
  settled(): void {
    this.underWay--
    if (this.underWay > 0) return
    this.#abandoned?.close()
    this.#answered?.()
  }

  /** Tells the room's actor something, if it still lives. */
  send(event: { readonly type: string }): void {
    if (this.actor?.getSnapshot().status === 'active') this.actor.send(event)
  }

  get size(): number {
    return this.#members.size
  }

  get sessions(): Session[] {
    return [...this.#members.keys()]
  }

  has(session: Session): boolean {
    return this.#members.has(session)
  }

  /** Who a session is to the others here; undefined for whoever is not a member. */
  personaOf(session: Session): Persona | undefined {
    return this.#members.get(session)?.persona
  }

  /** A member is who its session says by now. */
  identify(session: Session): void {
    const membership = this.#members.get(session)
    if (membership !== undefined) membership.persona = session.persona
  }

  stateOf(session: Session): Json | undefined {
    return this.#members.get(session)?.state
  }

  /** Makes a session a member, or changes what it is shown as. It hears nothing before {@link listen}. */
  add(session: Session, state: Json | undefined): void {
    let membership = this.#members.get(session)
    if (membership === undefined) {
      session.rooms.set(this.name, this.address)
      membership = { persona: session.persona, state: undefined, index: -1, bytes: 0 }
      this.#members.set(session, membership)
    }
    if (state === undefined) return
    this.#budget.give(membership.bytes)
    membership.state = state
    membership.bytes = presenceSizeOf(state)
    this.#budget.force(membership.bytes)
  }

  /** @returns who it was here; undefined for whoever was not a member */
  remove(session: Session): Persona | undefined {
    const membership = this.#members.get(session)
    if (membership === undefined) return undefined
    this.#budget.give(membership.bytes)
    this.mute(session)
    this.#members.delete(session)
    session.rooms.delete(this.name)
    return membership.persona
  }

  /** From here on a member gets what is broadcast. */
  listen(session: Session): void {
    const membership = this.#members.get(session)
    if (membership === undefined || membership.index >= 0) return
    membership.index = this.#audience.push(session) - 1
  }

  /** A member is told by other means for a while. */
  mute(session: Session): void {
    const membership = this.#members.get(session)
    if (membership === undefined || membership.index < 0) return
    const last = this.#audience.pop()
    const moved = last === undefined ? undefined : this.#members.get(last)
    if (last !== undefined && moved !== undefined && last !== session) {
      this.#audience[membership.index] = last
      moved.index = membership.index
    }
    membership.index = -1
  }

  /** Hands one frame to every member who is connected. This loop is the data plane: no actor is asked. */
  broadcast(frame: Frame, except?: Session): void {
    for (const session of this.#audience) if (session !== except) session.outbox?.push(frame)
  }

  /** Hands a message to members, and spares those who are too slow for it. */
  broadcastSparing(frame: Frame, offset: number, key: string | undefined): void {
    for (const session of this.#audience) session.outbox?.spare(this, frame, offset, key)
  }

  /** Hands a frame to those members who take it at once. */
  broadcastVolatile(frame: Frame): void {
    for (const { outbox } of this.#audience) if (outbox?.congested === false) outbox.push(frame)
  }

  /** Hands a frame to every member but one user, in whatever tab. */
  broadcastToOthers(user: string, frame: Frame): void {
    for (const session of this.#audience) {
      if (this.personaOf(session)?.user !== user) session.outbox?.push(frame)
    }
  }

  /**
   * A message as members get it.
   *
   * @param instead - in place of the record's content: nothing, for the header of a binary frame
   */
  encode(offset: number, { at, from, content }: LogRecord, instead = content): string {
    return `${this.#prefix}${offset},"at":${at},"from":${from}${instead}}`
  }

  /** The same for a message without a place in the log. */
  encodeVolatile({ at, from, content }: LogRecord, instead = content): string {
    return `{"type":"message","room":${JSON.stringify(this.name)},"volatile":true,"at":${at},"from":${from}${instead}}`
  }

  /** The reply to a message that was taken, or had been before. */
  encodeAck(id: RequestId, offset: number, duplicate: boolean): string {
    const text = `{"type":"ack","id":${typeof id === 'number' ? id : JSON.stringify(id)}${this.#ackMiddle}${offset}`
    return duplicate ? `${text},"duplicate":true}` : `${text}}`
  }

  skipped(offset: number, count: number): Frame {
    return Frame.of({ type: 'skipped', room: this.name, epoch: this.epoch ?? '', offset, count })
  }

  /** For inspectors: no references. */
  toJSON(): object {
    return { name: this.name, members: this.size, users: this.presence.size, offset: this.delivered }
  }
}
