import { isRoomName, type Json, type RequestId, type ServerMessage } from '../protocol/index.ts'
import type { Calls } from './calls.ts'
import { ClientRoom, type RoomPort } from './client-room.ts'

/** Rooms that are joined again at the same time: what they answer has to fit through one connection. */
const joinsAtOnce = 4

/** The errors after which a room is not ours, whatever we asked of it. */
const endsMembership = new Set<string>(['too-many-rooms', 'presence-too-large', 'bad-data', 'room-unavailable'])

/** What the rooms of a client need of it. */
export interface RoomsPort extends Pick<RoomPort, 'request' | 'transmit' | 'now'> {
  /** Sends now. */
  write(message: object): boolean
  isOpen(): boolean
}

/** The rooms of a client: joined, to be joined again, and left while nobody could be told. */
export class ClientRooms {
  readonly #port: RoomsPort
  readonly #calls: Calls
  readonly #rooms = new Map<string, ClientRoom>()
  /** Rooms that the server still believes us to be in. */
  readonly #toLeave = new Set<string>()
  /** Rooms whose join has been sent by the present connection. */
  readonly #asked = new Set<string>()
  readonly #joining = new Map<RequestId, ClientRoom>()
  #queue: ClientRoom[] = []
  #lastJoin = 0

  constructor(port: RoomsPort, calls: Calls) {
    this.#port = port
    this.#calls = calls
  }

  /** @throws RangeError when it cannot be a room's name */
  join(name: string, presence: Json | undefined): ClientRoom {
    if (!isRoomName(name)) throw new RangeError(`${JSON.stringify(name)} cannot be a room's name.`)
    const known = this.#rooms.get(name)
    if (known !== undefined) return known
    const { request, transmit, now } = this.#port
    const leave = (): void => {
      if (this.#port.isOpen()) this.#port.write({ type: 'leave', room: name })
      else this.#toLeave.add(name)
    }
    const room = new ClientRoom(name, { request, transmit, now, leave, forget: (own) => this.#forget(own) }, presence)
    this.#rooms.set(name, room)
    this.#toLeave.delete(name)
    if (this.#port.isOpen()) this.#ask(room)
    return room
  }

  /** Whether a message may go now: not before the join of its room. */
  mayGo(message: { readonly room?: string }): boolean {
    return message.room === undefined || !this.#rooms.has(message.room) || this.#asked.has(message.room)
  }

  /** The connection is there again. */
  restore(): void {
    for (const room of this.#toLeave) this.#port.write({ type: 'leave', room })
    this.#toLeave.clear()
    this.#queue = [...this.#rooms.values()]
    this.#advance()
  }

  /** The connection is gone. */
  pause(): void {
    this.#asked.clear()
    this.#joining.clear()
    this.#queue = []
    for (const room of this.#rooms.values()) room.pause()
  }

  /** Takes a message about a room. False when it is about none of ours. */
  receive(message: ServerMessage, bytes: Uint8Array | undefined): boolean {
    const room = 'room' in message && message.room !== undefined ? this.#rooms.get(message.room) : undefined
    switch (message.type) {
      case 'message':
        room?.received(message, bytes)
        return true
      case 'presence':
        room?.presenceChanged(message)
        return true
      case 'typing':
        room?.typed(message)
        return true
      case 'joined':
        if (message.id !== undefined) this.#joining.delete(message.id)
        room?.joined(message)
        this.#advance()
        return true
      case 'error': {
        const refused = message.id === undefined ? undefined : this.#joining.get(message.id)
        const ended = refused ?? (endsMembership.has(message.code) ? room : undefined)
        ended?.refused(message)
        this.#advance()
        return ended !== undefined
      }
      default:
        return false
    }
  }

  #forget(room: ClientRoom): void {
    if (this.#rooms.get(room.name) === room) this.#rooms.delete(room.name)
    for (const [id, joining] of this.#joining) if (joining === room) this.#joining.delete(id)
    this.#asked.delete(room.name)
    this.#calls.rejectAll('left', `The room '${room.name}' has been left.`, room.name)
  }

  #advance(): void {
    while (this.#joining.size < joinsAtOnce) {
      const room = this.#queue.shift()
      if (room === undefined) return
      if (room.status !== 'left' && !this.#asked.has(room.name)) this.#ask(room)
    }
  }

  #ask(room: ClientRoom): void {
    const id = `join-${++this.#lastJoin}`
    this.#joining.set(id, room)
    this.#asked.add(room.name)
    this.#port.write({ ...room.joinMessage(), id })
    this.#calls.retransmit(room.name, this.#port.write)
  }
}
