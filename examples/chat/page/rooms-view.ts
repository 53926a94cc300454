import { isRoomName } from 'greenroom/protocol'
import type { ChatRoom } from './chat-room.ts'
import type { Chat } from './chat.ts'
import { arrange, element, found, icon, setText } from './element.ts'

/** The address of a room within the page. */
export function hashOf(name: string): string {
  return `#${encodeURIComponent(name)}`
}

/** The room that the page's address names. */
export function roomOfHash(hash: string): string {
  try {
    return decodeURIComponent(hash.slice(1))
  } catch {
    return ''
  }
}

interface RoomItem {
  readonly item: HTMLLIElement
  readonly link: HTMLAnchorElement
  readonly badge: HTMLElement
}

/** The list of rooms, and the field that adds one. */
export class RoomsView {
  readonly #chat: Chat
  readonly #list = found('room-list', HTMLUListElement)
  readonly #form = found('add-room', HTMLFormElement)
  readonly #field = found('new-room', HTMLInputElement)
  readonly #fault = found('new-room-fault', HTMLParagraphElement)
  readonly #items = new Map<string, RoomItem>()

  constructor(chat: Chat) {
    this.#chat = chat
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#add(this.#field.value.trim())
    })
    this.#field.addEventListener('input', () => this.#complain(''))
  }

  update(): void {
    const { rooms, current } = this.#chat
    for (const name of this.#items.keys()) if (!rooms.has(name)) this.#items.delete(name)
    arrange(
      this.#list,
      [...rooms.values()].map((room) => this.#show(room, room === current)),
    )
  }

  #show({ name, unread }: ChatRoom, isCurrent: boolean): HTMLLIElement {
    const { item, link, badge } = this.#items.get(name) ?? this.#make(name)
    if (isCurrent) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
    badge.hidden = unread === 0
    setText(badge.children[0] as HTMLElement, unread > 99 ? '99+' : String(unread))
    return item
  }

  #make(name: string): RoomItem {
    const badge = element(
      'span',
      { class: 'badge' },
      element('span', { text: '0' }),
      element('span', { class: 'unseen', text: ' unread' }),
    )
    const label = element('span', { class: 'room-name', text: name, attributes: { dir: 'auto' } })
    const link = element('a', { class: 'room-link', attributes: { href: hashOf(name) } }, icon('room'), label, badge)
    const item = element('li', {}, link)
    if (this.#chat.isOptional(name)) {
      const leave = element('button', {
        class: 'icon-button leave',
        attributes: { type: 'button', 'aria-label': `Leave ${name}`, title: `Leave ${name}` },
      })
      leave.append(icon('close'))
      leave.addEventListener('click', () => this.#leave(name))
      item.append(leave)
    }
    const made = { item, link, badge }
    this.#items.set(name, made)
    return made
  }

  #leave(name: string): void {
    if (this.#chat.current.name === name) {
      // The change of the address is heard later than this, and the current room must not go before.
      this.#chat.open('lobby')
      location.hash = hashOf('lobby')
    }
    this.#chat.leave(name)
    this.#items.get(this.#chat.current.name)?.link.focus()
  }

  #add(name: string): void {
    if (name === '') return this.#complain('Say what the room is called.')
    if (!isRoomName(name))
      return this.#complain('That is too long for a name, or has characters that cannot be in one.')
    this.#field.value = ''
    location.hash = hashOf(name)
  }

  #complain(text: string): void {
    setText(this.#fault, text)
    this.#fault.hidden = text === ''
    this.#field.setAttribute('aria-invalid', String(text !== ''))
  }
}
