const longestFrame = 200
const shortestSecret = 8

/** What went over the sockets of one check, with what nobody else may know taken out. */
export class Transcript {
  readonly #lines: string[] = []
  readonly #secrets: Set<string>

  /** @param secrets - texts that are not to be shown wherever they stand */
  constructor(secrets: Iterable<string> = []) {
    this.#secrets = new Set(secrets)
  }

  /** From now on this text is not shown. */
  hide(secret: string): void {
    this.#secrets.add(secret)
  }

  sent(who: string, frame: string): void {
    this.#lines.push(`${who} → ${frame}`)
  }

  received(who: string, frame: string): void {
    this.#lines.push(`${who} ← ${frame}`)
  }

  /** Anything else that happened to a socket. */
  noted(who: string, event: string): void {
    this.#lines.push(`${who} · ${event}`)
  }

  /** The last lines, oldest first. */
  last(count: number): string[] {
    return this.#lines.slice(-count).map((line) => this.cut(line))
  }

  /** A text as it may be shown: without secrets and tokens, and not longer than one can read. */
  cut(text: string): string {
    let shown = text.replaceAll(/"(secret|token)":"(?:[^"\\]|\\.)*"/g, '"$1":"…"')
    for (const secret of this.#secrets) {
      // A shorter one is no secret, and may be a part of any word.
      if (secret.length >= shortestSecret) shown = shown.replaceAll(secret, '…')
    }
    return shown.length <= longestFrame ? shown : `${shown.slice(0, longestFrame)}… (${shown.length} characters)`
  }
}
