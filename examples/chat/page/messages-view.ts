import type { ChatRoom } from './chat-room.ts'
import type { Chat } from './chat.ts'
import { arrange, element, found } from './element.ts'
import { MessageItem } from './message-item.ts'
import type { Entry, MessageEntry } from './message-log.ts'

/** A pause after which the same sender is named again (ms). */
const runMs = 300_000

/** How far from the end one may be and still be taken along by what arrives (px). */
const nearEnd = 48

const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })

/** The messages of the current room. */
export class MessagesView {
  readonly #chat: Chat
  readonly #log = found('log', HTMLDivElement)
  readonly #list = found('messages', HTMLOListElement)
  readonly #empty = found('empty', HTMLDivElement)
  readonly #jump = found('jump', HTMLButtonElement)
  readonly #items = new WeakMap<MessageEntry, MessageItem>()
  readonly #lines = new WeakMap<Entry, HTMLLIElement>()
  #room: ChatRoom | undefined
  /** Whether the end of the list is in sight, and is to stay so. */
  #atEnd = true
  #last: Entry | undefined

  constructor(chat: Chat) {
    this.#chat = chat
    this.#log.addEventListener('scroll', () => this.#scrolled())
    this.#jump.addEventListener('click', () => {
      this.#toEnd()
      this.#log.focus({ preventScroll: true })
    })
    // The message field grows, a phone's keyboard opens: what was in sight stays in sight.
    new ResizeObserver(() => this.#keepEnd()).observe(this.#log)
  }

  update(): void {
    const { current } = this.#chat
    const { entries } = current.log
    const last = entries.at(-1)
    const other = current !== this.#room
    // Another room's messages, or the history, are not news to be read out one by one.
    if (other || !current.loaded) this.#hush()
    this.#room = current
    this.#log.setAttribute('aria-label', `Messages in ${current.name}`)
    arrange(this.#list, this.#elements(current, entries))
    this.#empty.hidden = entries.length > 0 || !current.loaded
    const news = last !== this.#last
    this.#last = last
    const wrote = last?.kind === 'message' && last.delivery === 'waiting'
    if (other || (news && wrote)) this.#toEnd()
    else if (this.#atEnd) this.#keepEnd()
    else if (news) this.#jump.hidden = false
  }

  #elements(room: ChatRoom, entries: readonly Entry[]): HTMLLIElement[] {
    const elements: HTMLLIElement[] = []
    let before: MessageEntry | undefined
    let today = ''
    for (const entry of entries) {
      if (entry.kind === 'note') {
        elements.push(this.#line(entry, 'note', entry.text))
        before = undefined
        continue
      }
      const date = day.format(entry.at)
      if (date !== today) elements.push(this.#line(entry, 'day', date))
      elements.push(this.#item(room, entry, date !== today || startsRun(entry, before)))
      today = date
      before = entry
    }
    return elements
  }

  #item(room: ChatRoom, entry: MessageEntry, first: boolean): HTMLLIElement {
    const { me, client } = this.#chat
    const item = this.#items.get(entry) ?? new MessageItem(entry, () => room.retry(entry))
    this.#items.set(entry, item)
    const own = entry.user === me.id
    item.update(entry, {
      own,
      sender: entry.name ?? room.nameOf(entry.user),
      first,
      connected: client.status === 'open',
    })
    return item.element
  }

  /** A line that belongs to an entry, or is one. */
  #line(entry: Entry, kind: 'note' | 'day', text: string): HTMLLIElement {
    const line = this.#lines.get(entry) ?? element('li', { class: kind }, element('span', { text }))
    this.#lines.set(entry, line)
    return line
  }

  #hush(): void {
    this.#log.setAttribute('aria-live', 'off')
    setTimeout(() => this.#log.setAttribute('aria-live', 'polite'), 500)
  }

  #scrolled(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#log
    this.#atEnd = scrollHeight - scrollTop - clientHeight < nearEnd
    if (this.#atEnd) this.#jump.hidden = true
  }

  #toEnd(): void {
    this.#atEnd = true
    this.#jump.hidden = true
    this.#keepEnd()
  }

  #keepEnd(): void {
    if (this.#atEnd) this.#log.scrollTop = this.#log.scrollHeight
  }
}

function startsRun(entry: MessageEntry, before: MessageEntry | undefined): boolean {
  if (before === undefined || before.user !== entry.user || before.name !== entry.name) return true
  return entry.at.getTime() - before.at.getTime() > runMs
}
