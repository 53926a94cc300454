import { ClientError, type Client, type ClientRoom, type Member } from 'greenroom/client'
import { MessageLog, type MessageEntry } from './message-log.ts'
import { cleanName } from './names.ts'
import { randomId } from './random-id.ts'

/** How long a message may wait for the connection (ms): as long as the server remembers what it has taken already. */
const sendTimeoutMs = 300_000

/** How many messages somebody who comes in is shown. */
const historyCount = 50

/** What a room needs to know of the chat around it. */
export interface ChatRoomHost {
  readonly client: Client
  readonly me: { readonly id: string; readonly name: string }
  /** Something is to be shown differently. */
  changed(): void
  /** Whether the user has the room before their eyes. */
  isRead(room: ChatRoom): boolean
}

/** A joined room and all that is shown of it. */
export class ChatRoom {
  readonly name: string
  readonly log: MessageLog
  /** Messages of others that have not been seen. */
  unread = 0
  /** What stands in the message field, so that a look into another room does not lose it. */
  draft = ''
  readonly #host: ChatRoomHost
  readonly #room: ClientRoom
  /** Whether it has been joined before. */
  #seen = false
  #loaded = false

  constructor(name: string, host: ChatRoomHost) {
    this.name = name
    this.#host = host
    this.log = new MessageLog(host.me.id)
    this.#room = host.client.join(name, { presence: { name: host.me.name } })
    const { changed } = host
    this.#room.presence.subscribe(changed)
    this.#room.on('typing', changed)
    this.#room.on('status', changed)
    this.#room.on('message', (message) => {
      if (!message.volatile && this.log.take(message) && !host.isRead(this)) this.unread++
      changed()
    })
    this.#room.on('joined', ({ recovered }) => void this.#joined(recovered))
    this.#room.on('error', ({ message }) => {
      this.log.note(message)
      changed()
    })
  }

  /** Whether what was said before has been loaded. */
  get loaded(): boolean {
    return this.#loaded
  }

  /** Who is here, each person once however many tabs they have. */
  get people(): readonly Member[] {
    return this.#room.presence.get()
  }

  /** The names of the others who are typing. */
  get typists(): readonly string[] {
    return this.#room.typists.map((user) => this.nameOf(user))
  }

  /** What somebody calls themselves here, or else their id. */
  nameOf(user: string): string {
    const state = this.people.find((member) => member.user === user)?.state
    return cleanName((state as { name?: unknown } | null | undefined)?.name) ?? user
  }

  send(text: string): void {
    this.#deliver(this.log.write(text, this.#host.me.name, randomId(), new Date()))
  }

  /** Sends again what could not be sent. */
  retry(entry: MessageEntry): void {
    entry.delivery = 'waiting'
    this.#deliver(entry)
  }

  typing(): void {
    this.#room.typing()
  }

  stopTyping(): void {
    this.#room.stopTyping()
  }

  /** Tells the others a new name. Without a connection it is told when there is one. */
  rename(name: string): void {
    this.#room.presence.update({ name }).catch(() => {})
  }

  leave(): void {
    void this.#room.leave()
  }

  #deliver(entry: MessageEntry): void {
    const { text, name = '', key = '' } = entry
    this.#room.send({ text, name, key }, { timeoutMs: sendTimeoutMs }).then(
      ({ offset }) => {
        this.log.confirm(entry, offset)
        this.#host.changed()
      },
      () => {
        this.log.fail(entry)
        this.#host.changed()
      },
    )
    this.#host.changed()
  }

  async #joined(recovered: boolean): Promise<void> {
    if (recovered) return
    if (this.#seen) this.log.interrupt('Some messages may be missing')
    this.#seen = true
    try {
      const { messages } = await this.#room.history({ limit: historyCount })
      for (const message of messages) this.log.take(message)
      this.#loaded = true
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'left')
        this.log.note('Earlier messages could not be loaded')
    }
    this.#host.changed()
  }
}
