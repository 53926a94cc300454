import { found } from './element.ts'

/**
 * A side of the page that, where there is no room beside the messages, is a sheet over them: behind a button, one at a
 * time, closed by Escape, by a click beside it, or by what was chosen in it.
 */
export class Sheet {
  readonly #panel: HTMLElement
  readonly #button: HTMLButtonElement
  readonly #backdrop = found('backdrop', HTMLDivElement)
  readonly #narrow: MediaQueryList

  /** @param narrow - where the panel is a sheet */
  constructor(panelId: string, narrow: string) {
    this.#panel = found(panelId, HTMLElement)
    this.#button = found(`show-${panelId}`, HTMLButtonElement)
    this.#narrow = matchMedia(narrow)
    this.#narrow.addEventListener('change', () => this.close())
    this.#button.addEventListener('click', () => this.#open())
    this.#backdrop.addEventListener('click', () => this.close())
    found(`hide-${panelId}`, HTMLButtonElement).addEventListener('click', () => this.close())
    addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.close()
    })
    this.close()
  }

  close(): void {
    const wasOpen = this.#isOpen
    this.#set(false)
    if (wasOpen) this.#button.focus()
  }

  get #isOpen(): boolean {
    return this.#panel.dataset['open'] === 'true'
  }

  #open(): void {
    this.#set(true)
    this.#panel.querySelector<HTMLElement>('button, a')?.focus()
  }

  #set(open: boolean): void {
    const wasOpen = this.#isOpen
    this.#panel.dataset['open'] = String(open)
    this.#button.setAttribute('aria-expanded', String(open))
    // What is out of sight must be out of reach of the keyboard as well.
    this.#panel.inert = this.#narrow.matches && !open
    if (open === wasOpen) return
    this.#backdrop.hidden = !open
    for (const part of document.querySelectorAll<HTMLElement>('.skip-link, main')) part.inert = open
  }
}
