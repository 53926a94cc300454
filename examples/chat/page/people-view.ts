import type { ChatRoom } from './chat-room.ts'
import type { Chat } from './chat.ts'
import { avatar } from './avatar.ts'
import { arrange, element, found, setText } from './element.ts'

interface Person {
  readonly user: string
  readonly name: string
  /** Tells people of the same name apart. */
  readonly note: string
}

/** Who is in the current room: each person once, however many tabs they have. */
export class PeopleView {
  readonly #chat: Chat
  readonly #list = found('people-list', HTMLUListElement)
  readonly #counts = [...document.querySelectorAll('[data-people-count]')]
  readonly #items = new Map<string, HTMLLIElement>()

  constructor(chat: Chat) {
    this.#chat = chat
  }

  update(): void {
    const { current, me } = this.#chat
    const people = peopleOf(current, me.id)
    const items = new Map(people.map((person) => [JSON.stringify(person), person]))
    for (const key of this.#items.keys()) if (!items.has(key)) this.#items.delete(key)
    arrange(
      this.#list,
      [...items].map(([key, person]) => this.#show(key, person)),
    )
    for (const count of this.#counts) setText(count, String(people.length))
  }

  #show(key: string, { user, name, note }: Person): HTMLLIElement {
    const shown =
      this.#items.get(key) ?? element('li', { class: 'person' }, avatar(user, name), nameElement(name, note))
    this.#items.set(key, shown)
    return shown
  }
}

function nameElement(name: string, note: string): HTMLElement {
  const bare = element('span', { class: 'person-name', text: name, attributes: { dir: 'auto' } })
  return note === ''
    ? bare
    : element('span', { class: 'person-label' }, bare, element('span', { class: 'hint', text: note }))
}

/** Oneself first, the others by name. */
function peopleOf(room: ChatRoom, me: string): Person[] {
  const named = room.people.map(({ user }) => ({ user, name: room.nameOf(user) }))
  const bearers = new Map<string, number>()
  for (const { name } of named) bearers.set(name, (bearers.get(name) ?? 0) + 1)
  return named
    .map(({ user, name }) => {
      if (user === me) return { user, name, note: 'you' }
      const isAlone = bearers.get(name) === 1
      return { user, name, note: isAlone ? '' : user.slice(-4) }
    })
    .sort((a, b) => Number(b.user === me) - Number(a.user === me) || a.name.localeCompare(b.name))
}
