import { paintAvatar } from './avatar.ts'
import { element, icon, setText } from './element.ts'
import type { MessageEntry } from './message-log.ts'

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })

/** What a message's place in the list and the connection say about how it looks. */
export interface MessageLook {
  readonly own: boolean
  readonly sender: string
  /** Whether it begins a run of messages of one sender. */
  readonly first: boolean
  readonly connected: boolean
}

/** One message in the list. */
export class MessageItem {
  readonly element: HTMLLIElement
  readonly #avatar = element('span', { class: 'avatar', attributes: { 'aria-hidden': 'true' } })
  readonly #sender = element('span', { class: 'sender', attributes: { dir: 'auto' } })
  readonly #time = element('time')
  readonly #state = element('span', { class: 'state' })
  readonly #retry = element('button', { class: 'link', text: 'Retry', attributes: { type: 'button' } })
  #shown = ''

  constructor({ text }: MessageEntry, retry: () => void) {
    this.#retry.addEventListener('click', retry)
    const bubble = element('p', { class: 'bubble', text, attributes: { dir: 'auto' } })
    const meta = element('span', { class: 'meta' }, this.#state, this.#time, this.#retry)
    const line = element('div', { class: 'line' }, bubble, meta)
    this.element = element('li', { class: 'message' }, this.#avatar, this.#sender, line)
  }

  update(entry: MessageEntry, { own, sender, first, connected }: MessageLook): void {
    // Most updates of the page concern something else.
    const shown = JSON.stringify([entry.delivery, entry.at, own, sender, first, connected])
    if (shown === this.#shown) return
    this.#shown = shown
    const { classList } = this.element
    classList.toggle('own', own)
    classList.toggle('first', first)
    classList.toggle('waiting', entry.delivery === 'waiting')
    classList.toggle('failed', entry.delivery === 'failed')
    setText(this.#sender, own ? 'You' : sender)
    paintAvatar(this.#avatar, entry.user, sender)
    this.#time.dateTime = entry.at.toISOString()
    this.#time.title = full.format(entry.at)
    setText(this.#time, clock.format(entry.at))
    this.#time.hidden = entry.delivery !== 'sent'
    this.#retry.hidden = entry.delivery !== 'failed'
    this.#showState(entry, own, connected)
  }

  #showState({ delivery }: MessageEntry, own: boolean, connected: boolean): void {
    if (!own) return
    if (delivery === 'sent') {
      this.#state.replaceChildren(element('span', { class: 'unseen', text: 'Sent' }), icon('check'))
    } else if (delivery === 'failed') this.#state.replaceChildren(icon('alert'), 'Not sent.')
    else this.#state.replaceChildren(icon('clock'), connected ? 'Sending…' : 'Waiting to be sent')
  }
}
