import { isObject } from '../../protocol/plain.ts'

const credentialTypes = new Set<unknown>(['hello', 'auth'])

/** Puts other words in the place of tokens: the same for the same token, so that it is still seen who is who. */
export class Pseudonyms {
  readonly #name: (token: string) => string
  readonly #names = new Map<string, string>()

  /** @param name - what stands for a token. Default `token-1`, `token-2`, … as they come */
  constructor(name?: (token: string) => string) {
    this.#name = name ?? (() => `token-${this.#names.size + 1}`)
  }

  of(token: string): string {
    let name = this.#names.get(token)
    if (name === undefined) this.#names.set(token, (name = this.#name(token)))
    return name
  }

  /** Takes the token out of a `hello` or an `auth`, and out of what might be meant as one. Other frames stay as they are. */
  inFrame(text: string): string {
    // By far the most have none. In JSON a name can be written in other ways than as it is: by escapes.
    if (!text.includes('token') && !text.includes('\\u')) return text
    let fields: unknown
    try {
      fields = JSON.parse(text)
    } catch {
      return text.replaceAll(
        /("token"\s*:\s*")((?:[^"\\]|\\.)+)/g,
        (_, before: string, token: string) => before + this.of(token),
      )
    }
    if (!isObject(fields) || !credentialTypes.has(fields['type']) || typeof fields['token'] !== 'string') return text
    return JSON.stringify({ ...fields, token: this.of(fields['token']) })
  }
}
