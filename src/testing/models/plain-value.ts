import fc from 'fast-check'

/** Whether two plain values say the same, in whatever order their members stand. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (kindOf(a) !== kindOf(b)) return false
  if (a instanceof Date) return a.getTime() === (b as Date).getTime()
  if (a instanceof Map || a instanceof Set) return isEqual([...a], [...(b as Set<unknown>)])
  const [left, right] = [Object.keys(a), Object.keys(b)]
  return (
    left.length === right.length &&
    left.every((key) => Object.hasOwn(b, key) && isEqual((a as Values)[key], (b as Values)[key]))
  )
}

type Values = Record<string, unknown>

/** Objects without a prototype are plain ones, too: fast-check makes some. */
const kindOf = (value: object): unknown => (Object.getPrototypeOf(value) as unknown) ?? Object.prototype

/** Shows a value as JSON, or as JavaScript where JSON cannot say it. */
export function show(value: unknown): string {
  try {
    const text = JSON.stringify(value) as string | undefined
    if (text !== undefined && isEqual(JSON.parse(text), value)) return text
  } catch {
    // A BigInt, or something that contains itself.
  }
  return fc.stringify(value)
}
