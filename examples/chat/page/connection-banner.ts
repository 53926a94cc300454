import type { Chat } from './chat.ts'
import { found, setText } from './element.ts'

/** What is said of the connection, and what can be done about it. */
interface State {
  /** For the style sheet. */
  readonly kind: 'connecting' | 'open' | 'lost' | 'offline' | 'closed'
  /** In a word, always in sight. */
  readonly word: string
  /** At more length, while something is wrong. */
  readonly notice?: string
  readonly action?: 'Try now' | 'Reload'
}

/** The state of the connection: a word of it always, and a banner while there is none. */
export class ConnectionBanner {
  readonly #chat: Chat
  readonly #status = found('connection', HTMLParagraphElement)
  readonly #word = found('connection-word', HTMLSpanElement)
  readonly #banner = found('banner', HTMLElement)
  readonly #notice = found('banner-notice', HTMLParagraphElement)
  readonly #button = found('banner-action', HTMLButtonElement)
  #wasOpen = false
  #failed = false
  #tick: ReturnType<typeof setInterval> | undefined

  constructor(chat: Chat) {
    this.#chat = chat
    this.#button.addEventListener('click', () => {
      if (chat.client.status === 'closed') location.reload()
      else chat.client.actor.send({ type: 'client.wake' })
    })
  }

  update(): void {
    const { status } = this.#chat.client
    if (status === 'open') this.#wasOpen = true
    if (status === 'waiting') this.#failed = true
    else if (status === 'open') this.#failed = false
    const { kind, word, notice = '', action } = this.#state()
    this.#status.dataset['kind'] = kind
    this.#banner.dataset['kind'] = kind
    // The countdown is not in the element with the status role, or a screen reader would count along.
    setText(this.#word, word)
    setText(this.#notice, notice)
    this.#banner.hidden = notice === ''
    this.#button.hidden = action === undefined
    setText(this.#button, action ?? '')
    this.#count(status === 'waiting')
  }

  #state(): State {
    const { status } = this.#chat.client
    switch (status) {
      case 'open':
        return { kind: 'open', word: 'Connected' }
      case 'suspended':
        return { kind: 'offline', word: 'Offline', notice: 'This device is offline. The chat goes on when it is back.' }
      case 'closed':
        return { kind: 'closed', word: 'Closed', notice: this.#ending(), action: 'Reload' }
      default:
        return this.#away(status === 'waiting')
    }
  }

  #away(waiting: boolean): State {
    const word = this.#wasOpen ? 'Reconnecting' : 'Connecting'
    // The first attempt may take a moment; that is nothing to raise an alarm about.
    if (!this.#failed) return { kind: 'connecting', word }
    const what = this.#wasOpen ? 'Connection lost.' : 'The server cannot be reached.'
    const when = waiting ? `${word} in ${this.#secondsLeft()} s` : `${word}…`
    return { kind: 'lost', word, notice: `${what} ${when}`, action: 'Try now' }
  }

  #secondsLeft(): number {
    const { retryAt = 0 } = this.#chat.client
    return Math.max(1, Math.ceil((retryAt - Date.now()) / 1_000))
  }

  #ending(): string {
    const { lastClose } = this.#chat.client.actor.getSnapshot().context
    if (lastClose === undefined) return 'The connection is closed.'
    const reason = lastClose.reason === '' ? '' : `: ${lastClose.reason}`
    return `The server closed the connection (${lastClose.code}${reason}).`
  }

  #count(down: boolean): void {
    if (!down) {
      clearInterval(this.#tick)
      this.#tick = undefined
    } else this.#tick ??= setInterval(() => this.update(), 250)
  }
}
