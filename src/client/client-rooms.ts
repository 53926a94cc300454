import { isRoomName, type Json, type RequestId, type ServerMessage } from '../protocol/index.ts'
import type { CallOptions, Calls } from './calls.ts'
import { refusal, tooLarge, type ClientError } from './client-error.ts'
import type { ClientLink } from './client-link.ts'
import { ClientRoom } from './client-room.ts'
import type { ClientEnvironment } from './environment.ts'
import { durationOf } from './frames.ts'
import type { RoomCall, RoomPort } from './room-port.ts'

/** Rooms that are joined again at the same time: what they answer has to fit through one connection. */
const joinsAtOnce = 4

/** The rooms of a client: joined, to be joined again, and left while nobody could be told. */
export class ClientRooms implements RoomPort {
  readonly environment: ClientEnvironment
  readonly #link: ClientLink
  readonly #calls: Calls
  readonly #rooms = new Map<string, ClientRoom>()
  /** Rooms that the server may still believe us to be in, and who waits for it to know better. */
  readonly #leaving = new Map<string, () => void>()
  readonly #joining = new Map<RequestId | undefined, ClientRoom>()
  #lastJoin = 0
  /** Of rooms that are over. */
  #pastHeals = 0

  constructor(environment: ClientEnvironment, link: ClientLink, calls: Calls) {
    this.environment = environment
    this.#link = link
    this.#calls = calls
  }

  /** How often something was missing, over all rooms that there were. */
  get heals(): number {
    return [...this.#rooms.values()].reduce((sum, { heals }) => sum + heals, this.#pastHeals)
  }

  /** @throws RangeError when it cannot be a room's name */
  join(name: string, presence: Json | undefined): ClientRoom {
    if (!isRoomName(name)) throw new RangeError(`${JSON.stringify(name)} cannot be a room's name.`)
    const known = this.#rooms.get(name)
    if (known !== undefined) return known
    const room = new ClientRoom(name, this, presence)
    this.#rooms.set(name, room)
    this.#hasLeft(name)
    if (this.#link.ready) this.#enter(room)
    return room
  }

  /** The connection is there again. */
  restore(resumed: boolean): void {
    // A fresh session is in no room.
    if (!resumed) this.#leaving.clear()
    for (const room of this.#leaving.keys()) this.#link.tell({ type: 'leave', room })
    this.#advance()
  }

  /** The connection is gone. */
  pause(): void {
    this.#joining.clear()
    for (const resolve of this.#leaving.values()) resolve()
    for (const room of this.#rooms.values()) room.actor.send({ type: 'client.paused' })
  }

  /** The client is over. */
  close(error: ClientError): void {
    for (const room of this.#rooms.values()) room.close(error)
  }

  /** Takes a message about a room. False when it is about none of ours. */
  receive(message: ServerMessage, bytes: Uint8Array | undefined): boolean {
    const { room: name = '', id } = message as { room?: string; id?: RequestId }
    const room = this.#rooms.get(name)
    switch (message.type) {
      case 'message':
      case 'presence':
      case 'typing':
      case 'skipped':
        room?.receive(message, bytes)
        return true
      case 'joined':
        // One that we have not asked for answers an application's machine, and would not say what we missed.
        if (this.#joining.get(id) !== room) return true
        room?.joined(message)
        this.#asksNoMore(room)
        return true
      case 'left':
        this.#hasLeft(name)
        return true
      case 'error': {
        const { code } = message
        // A room that has failed too often tells everybody who was in it, in answer to nothing; so does one for whoever
        // may not be in it any more. Who has asked to be let in since is yet to be answered.
        const isOut = id === undefined && (code === 'room-unavailable' || code === 'expelled')
        const about = isOut && !this.#asks(room) ? room : this.#joining.get(id)
        // Who asked too fast may ask again, and nobody else in its stead: that would be as fast.
        if (code === 'rate-limited') about?.postponed(durationOf(message.retryAfterMs, 30_000, 1_000))
        // Who asked to be let in again is in still: the room asks once more after a while, and others meanwhile.
        else if (code === 'storage-failed') this.#asksNoMore(about)
        else about?.refused(refusal(message))
        return about !== undefined || (id === undefined && this.#hasLeft(name))
      }
      default:
        return false
    }
  }

  request<Reply>(message: RoomCall, options?: CallOptions): Promise<Reply> {
    // Not before the join of its room.
    return this.#calls.request(message, options, this.#rooms.get(message.room)?.waits === false)
  }

  transmit(message: object): void {
    if (this.#link.ready) this.#link.tell(message)
  }

  ask(room: ClientRoom): void {
    const id = `join-${++this.#lastJoin}`
    this.#joining.set(id, room)
    if (!this.#link.tell({ ...room.joinMessage(), id })) room.refused(tooLarge())
  }

  leave({ name }: ClientRoom): Promise<void> {
    return new Promise((resolve) => {
      this.#leaving.set(name, resolve)
      if (this.#link.ready) this.#link.tell({ type: 'leave', room: name })
      else resolve()
    })
  }

  forget(room: ClientRoom, error: ClientError): void {
    this.#rooms.delete(room.name)
    this.#pastHeals += room.heals
    this.#calls.rejectRoom(room.name, error)
    this.#asksNoMore(room)
  }

  #asks(room: ClientRoom | undefined): boolean {
    return [...this.#joining.values()].includes(room as ClientRoom)
  }

  #asksNoMore(room: ClientRoom | undefined): void {
    for (const [id, joining] of this.#joining) if (joining === room) this.#joining.delete(id)
    if (this.#link.ready) this.#advance()
  }

  #advance(): void {
    for (const room of this.#rooms.values()) {
      if (room.waits && this.#joining.size < joinsAtOnce) this.#enter(room)
    }
  }

  #enter(room: ClientRoom): void {
    room.actor.send({ type: 'client.join' })
    // What was asked of it has waited for its join.
    if (room.status !== 'left') this.#calls.retransmit(room.name)
  }

  /** Returns whether that was awaited. */
  #hasLeft(name: string): boolean {
    this.#leaving.get(name)?.()
    return this.#leaving.delete(name)
  }
}
