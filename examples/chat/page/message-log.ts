import type { LoggedMessage } from 'greenroom/client'
import { readContent } from './message-content.ts'

/** Where one's own message stands; what came from others is `sent`. */
type Delivery = 'waiting' | 'sent' | 'failed'

/** A message in a room's log. */
export interface MessageEntry {
  readonly kind: 'message'
  readonly user: string
  readonly name: string | undefined
  readonly text: string
  readonly key: string | undefined
  /** The server's time once it has taken the message, our own before. */
  at: Date
  delivery: Delivery
}

/** A line between messages. */
interface NoteEntry {
  readonly kind: 'note'
  readonly text: string
}

export type Entry = MessageEntry | NoteEntry

interface Placed {
  readonly entry: Entry
  /** Counts the times at which the log was not continued: offsets compare only within one. */
  readonly era: number
  readonly offset: number
  /** What the entry is known by. */
  readonly marks: readonly string[]
}

/** As many entries are kept; older ones drop out. */
const limit = 500

/**
 * What is shown of a room's messages: those that the server has taken in the room's order, each once, and after them
 * one's own that are still on their way.
 */
export class MessageLog {
  readonly #me: string
  readonly #placed: Placed[] = []
  readonly #known = new Set<string>()
  readonly #outgoing: MessageEntry[] = []
  #era = 0

  /** @param me - whose messages are one's own */
  constructor(me: string) {
    this.#me = me
  }

  /** Everything, in the order in which it is to be read. */
  get entries(): readonly Entry[] {
    return [...this.#placed.map(({ entry }) => entry), ...this.#outgoing]
  }

  /** One's own new message, which waits to be sent. */
  write(text: string, name: string, key: string, at: Date): MessageEntry {
    const entry: MessageEntry = { kind: 'message', user: this.#me, name, text, key, at, delivery: 'waiting' }
    this.#outgoing.push(entry)
    return entry
  }

  /**
   * A message arrived, by itself or with the history.
   *
   * @returns whether it is new here and somebody else's
   */
  take({ from, data, at, epoch, offset }: LoggedMessage): boolean {
    const { user } = from
    const { text, name, key } = readContent(data)
    const marks = [`${epoch} ${offset}`, ...(key === undefined ? [] : [`${user} ${key}`])]
    if (marks.some((mark) => this.#known.has(mark))) return false
    const own = this.#withdraw((sent) => sent.user === user && sent.key === key)
    const entry = own ?? { kind: 'message', user, name, text, key, at, delivery: 'sent' }
    entry.at = at
    entry.delivery = 'sent'
    this.#place(entry, offset, marks)
    return user !== this.#me
  }

  /** The server has taken one's own message. Most often the message itself has come back before. */
  confirm(entry: MessageEntry, offset: number): void {
    if (this.#withdraw((other) => other === entry) === undefined) return
    entry.delivery = 'sent'
    this.#place(entry, offset, [`${entry.user} ${entry.key}`])
  }

  /** The server has not taken it. */
  fail(entry: MessageEntry): void {
    if (this.#outgoing.includes(entry)) entry.delivery = 'failed'
  }

  /** What comes from now on does not continue what was here, because messages were lost. */
  interrupt(text: string): void {
    this.#era++
    if (this.#placed.at(-1)?.entry.kind !== 'note') this.note(text)
  }

  /** Adds a line after everything that has been taken. */
  note(text: string): void {
    const last = this.#placed.at(-1)
    const offset = last?.era === this.#era ? last.offset : 0
    this.#place({ kind: 'note', text }, offset, [])
  }

  #withdraw(matches: (entry: MessageEntry) => boolean): MessageEntry | undefined {
    const index = this.#outgoing.findIndex(matches)
    return index === -1 ? undefined : this.#outgoing.splice(index, 1)[0]
  }

  #place(entry: Entry, offset: number, marks: readonly string[]): void {
    const era = this.#era
    const after = this.#placed.findLastIndex((other) => other.era < era || other.offset <= offset)
    this.#placed.splice(after + 1, 0, { entry, era, offset, marks })
    for (const mark of marks) this.#known.add(mark)
    if (this.#placed.length > limit) for (const mark of this.#placed.shift()?.marks ?? []) this.#known.delete(mark)
  }
}
