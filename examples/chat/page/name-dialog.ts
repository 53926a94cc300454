import { found } from './element.ts'
import { cleanName } from './names.ts'

/** Asks for a name. On the first visit there is no way around it; later it can be dismissed. */
export class NameDialog {
  readonly #dialog = found('name-dialog', HTMLDialogElement)
  readonly #form = found('name-form', HTMLFormElement)
  readonly #field = found('name', HTMLInputElement)
  readonly #fault = found('name-fault', HTMLParagraphElement)
  readonly #cancel = found('name-cancel', HTMLButtonElement)
  #chosen: ((name: string) => void) | undefined
  #required = true

  constructor() {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#submit()
    })
    this.#field.addEventListener('input', () => this.#complain(false))
    this.#cancel.addEventListener('click', () => this.#dialog.close())
    // A browser lets a second Escape through whatever the page says to the first.
    this.#dialog.addEventListener('close', () => {
      if (this.#required) this.#dialog.showModal()
    })
  }

  /** Resolves with the name; never, when the dialog is dismissed. */
  ask(current?: string): Promise<string> {
    this.#required = current === undefined
    this.#cancel.hidden = this.#required
    this.#dialog.dataset['first'] = String(this.#required)
    this.#field.value = current ?? ''
    this.#complain(false)
    this.#dialog.showModal()
    this.#field.select()
    return new Promise((resolve) => {
      this.#chosen = resolve
    })
  }

  #submit(): void {
    const name = cleanName(this.#field.value)
    if (name === undefined) return this.#complain(true)
    this.#required = false
    this.#dialog.close()
    this.#chosen?.(name)
  }

  #complain(wrong: boolean): void {
    this.#fault.hidden = !wrong
    this.#field.setAttribute('aria-invalid', String(wrong))
  }
}
