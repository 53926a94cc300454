import { createClient, type Client } from 'greenroom/client'
import { isRoomName } from 'greenroom/protocol'
import { encodeIdentity, type Identity } from '../identity.ts'
import { ChatRoom, type ChatRoomHost } from './chat-room.ts'
import { storedRooms, storeIdentity, storeRooms } from './stored.ts'

const firstRooms = ['lobby', 'random', 'help']

/** Everything the page shows, and what can be done to it. */
export class Chat implements ChatRoomHost {
  readonly client: Client
  readonly rooms = new Map<string, ChatRoom>()
  readonly changed: () => void
  #me: Identity
  #current: ChatRoom

  /** @param changed - called whenever something is to be shown differently, as often as that is */
  constructor(url: string, me: Identity, changed: () => void) {
    this.#me = me
    this.changed = changed
    this.client = createClient(url, { token: () => encodeIdentity(this.#me) })
    this.client.on('status', changed)
    this.client.on('error', (error) => console.warn(error))
    for (const name of [...firstRooms, ...(storedRooms() ?? [])]) this.#join(name)
    this.#current = this.#join('lobby')
  }

  get me(): Identity {
    return this.#me
  }

  /** The room before the user's eyes. */
  get current(): ChatRoom {
    return this.#current
  }

  isRead(room: ChatRoom): boolean {
    return room === this.#current && !document.hidden
  }

  /** Shows a room, and joins it if need be. Does nothing with what cannot be a room's name. */
  open(name: string): void {
    if (!isRoomName(name)) return
    if (name !== this.#current.name) this.#current.stopTyping()
    this.#current = this.#join(name)
    this.read()
  }

  /** The user has the current room before their eyes. */
  read(): void {
    if (!document.hidden) this.#current.unread = 0
    this.changed()
  }

  /** Whether a room can be left; the ones that are there from the start stay. */
  isOptional(name: string): boolean {
    return !firstRooms.includes(name)
  }

  leave(name: string): void {
    const room = this.rooms.get(name)
    if (room === undefined || !this.isOptional(name)) return
    room.leave()
    this.rooms.delete(name)
    this.#storeRooms()
    this.changed()
  }

  rename(name: string): void {
    if (name === this.#me.name) return
    this.#me = { ...this.#me, name }
    storeIdentity(this.#me)
    for (const room of this.rooms.values()) room.rename(name)
    this.changed()
  }

  #join(name: string): ChatRoom {
    const known = this.rooms.get(name)
    if (known !== undefined) return known
    const room = new ChatRoom(name, this)
    this.rooms.set(name, room)
    this.#storeRooms()
    return room
  }

  #storeRooms(): void {
    storeRooms([...this.rooms.keys()].filter((name) => this.isOptional(name)))
  }
}
