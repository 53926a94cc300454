/** Thrown by a check: the server did something else than the rule says. */
export class Break extends Error {
  override readonly name = 'Break'
  readonly expected: string
  readonly came: string

  constructor(expected: string, came: string) {
    super(`expected ${expected}, came ${came}`)
    this.expected = expected
    this.came = came
  }
}

/** Thrown by a check that cannot be made on this server; the text says why. */
export class Inapplicable extends Error {
  override readonly name = 'Inapplicable'
}

/** Stands in a pattern for a value that is not known beforehand. */
class Open {
  readonly name: string
  readonly fits: (value: unknown) => boolean

  constructor(name: string, fits: (value: unknown) => boolean) {
    this.name = name
    this.fits = fits
  }
}

/** Any text but the empty one. */
export const someText = new Open('a text', (value) => typeof value === 'string' && value !== '')
/** Any number that JSON can say. */
export const someNumber = new Open('a number', (value) => typeof value === 'number' && Number.isFinite(value))
/** A number of ms. */
export const someDuration = new Open('a number from 0', (value) => someNumber.fits(value) && Number(value) >= 0)
/** A place in a log, or a number of things. */
export const someCount = new Open('an integer from 0', (value) => Number.isSafeInteger(value) && Number(value) >= 0)
/** A list of which nothing is known but that it is one. */
export const someList = new Open('a list', (value) => Array.isArray(value))

/** A list in which each element fits one of the patterns and each pattern one element, in any order. */
export function inAnyOrder(...patterns: readonly unknown[]): unknown {
  return new Open(`${show(patterns)} in any order`, (value) => {
    if (!Array.isArray(value) || value.length !== patterns.length) return false
    const left = [...(value as unknown[])]
    return patterns.every((pattern) => {
      const at = left.findIndex((element) => fits(element, pattern))
      if (at >= 0) left.splice(at, 1)
      return at >= 0
    })
  })
}

/** A value that says the same as JSON, whatever the order of its members. */
export function exactly(wanted: unknown): unknown {
  return new Open(show(wanted), (value) => isSame(value, wanted))
}

/**
 * Whether a value is as a pattern has it. An object may have more members than its pattern, a list may not have more
 * elements; `undefined` says that there is to be none.
 */
export function fits(value: unknown, pattern: unknown): boolean {
  if (pattern instanceof Open) return pattern.fits(value)
  if (pattern instanceof Uint8Array) return value instanceof Uint8Array && isSame([...value], [...pattern])
  if (Array.isArray(pattern)) {
    if (!Array.isArray(value) || value.length !== pattern.length) return false
    return pattern.every((element, index) => fits(value[index], element))
  }
  if (typeof pattern !== 'object' || pattern === null) return Object.is(value, pattern)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(pattern).every(([name, member]) => fits(memberOf(value, name), member))
}

function memberOf(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const names = Object.keys(b)
  if (Object.keys(a).length !== names.length) return false
  return names.every((name) => Object.hasOwn(a, name) && isSame(memberOf(a, name), memberOf(b, name)))
}

/**
 * Holds a value to a pattern.
 *
 * @param what - what the value is, as in `the reply to join`
 * @throws Break when it is another
 */
export function expectFit(value: unknown, pattern: unknown, what: string): void {
  if (!fits(value, pattern)) throw new Break(`${what}: ${show(pattern)}`, show(value))
}

/** A value or a pattern as people read it. */
export function show(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Open) return `<${part.name}>`
    if (part instanceof Uint8Array) return `<${part.length} bytes>`
    return part === undefined ? '<nothing>' : part
  })
  return text ?? 'nothing'
}
