import type { ChatRoom } from './chat-room.ts'
import type { Chat } from './chat.ts'
import { found, setText } from './element.ts'
import { typingLine } from './names.ts'

/** The field in which messages are written, and above it the line that tells who else is writing. */
export class Composer {
  readonly #chat: Chat
  readonly #form = found('composer', HTMLFormElement)
  readonly #field = found('message', HTMLTextAreaElement)
  readonly #label = found('message-label', HTMLLabelElement)
  readonly #send = found('send', HTMLButtonElement)
  readonly #typing = found('typing', HTMLParagraphElement)
  #room: ChatRoom | undefined

  constructor(chat: Chat) {
    this.#chat = chat
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#submit()
    })
    this.#field.addEventListener('input', () => this.#typed())
    this.#field.addEventListener('blur', () => chat.current.stopTyping())
    this.#field.addEventListener('keydown', (event) => {
      // While a Japanese or Chinese word is being composed, Enter belongs to it.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
      event.preventDefault()
      this.#submit()
    })
  }

  focus(): void {
    this.#field.focus()
  }

  update(): void {
    const { current } = this.#chat
    setText(this.#typing, typingLine(current.typists))
    if (current === this.#room) return
    this.#room = current
    setText(this.#label, `Message to ${current.name}`)
    this.#field.placeholder = `Message ${current.name}`
    this.#field.value = current.draft
    this.#fit()
  }

  #typed(): void {
    const { current } = this.#chat
    current.draft = this.#field.value
    if (current.draft.trim() === '') current.stopTyping()
    else current.typing()
    this.#fit()
  }

  #submit(): void {
    const { current } = this.#chat
    const text = this.#field.value.trim()
    if (text === '') return
    this.#field.value = ''
    current.draft = ''
    current.send(text)
    this.#fit()
  }

  /** The field is as high as what stands in it, as far as the style sheet lets it. */
  #fit(): void {
    this.#field.style.height = 'auto'
    this.#field.style.height = `${this.#field.scrollHeight}px`
    this.#send.disabled = this.#field.value.trim() === ''
  }
}
