const missing = 'missing'

/** What an {@link OriginPolicy} can be made of. */
export type OriginOption = 'any' | readonly string[]

/**
 * From which pages browsers may connect. A browser says in `Origin` which page it is (RFC 6454 §7, RFC 6455 §10.2), and
 * sends its cookies along whichever that is; others than browsers say what they like, or nothing.
 */
export class OriginPolicy {
  readonly #allowed: ReadonlySet<string> | 'any' | 'same-host'

  /**
   * @param option - `any`; or exact origins, and `missing` for those that name none. Without it: those of the host that
   * the request is for, and those that name none
   * @throws RangeError for what is no origin
   */
  constructor(option: OriginOption | undefined) {
    if (option === undefined) this.#allowed = 'same-host'
    else if (option !== 'any' && !Array.isArray(option)) {
      throw new RangeError(`origins must be a list, or 'any', not '${String(option)}'`)
    } else this.#allowed = option === 'any' ? 'any' : new Set(option.map(checkedOrigin))
  }

  allows(origin: string | undefined, host: string | undefined): boolean {
    if (this.#allowed === 'any') return true
    if (this.#allowed !== 'same-host') {
      return origin === undefined ? this.#allowed.has(missing) : origin !== missing && this.#allowed.has(origin)
    }
    if (origin === undefined) return true
    // What is written otherwise than a browser writes it is not taken apart.
    return origin === serialized(origin) && host !== undefined && new URL(origin).host === hostOf(origin, host)
  }
}

/** A `Host` header in the form that an origin has: in lower case, without its scheme's own port. */
function hostOf(origin: string, host: string): string | undefined {
  const url = `${new URL(origin).protocol}//${host}`
  return URL.canParse(url) ? new URL(url).host : undefined
}

function serialized(origin: string): string | undefined {
  if (!URL.canParse(origin)) return undefined
  const url = new URL(origin)
  return url.origin === 'null' ? undefined : url.origin
}

function checkedOrigin(entry: string): string {
  // `null` is what every sandboxed page says: it tells nobody from anybody.
  if (entry === missing) return entry
  if (typeof entry === 'string' && serialized(entry) === entry && !entry.includes('*')) return entry
  const meant = typeof entry === 'string' ? serialized(entry) : undefined
  throw new RangeError(
    `'${entry}' is no origin, such as https://example.org${meant === undefined ? '' : `; is ${meant} meant?`}`,
  )
}
