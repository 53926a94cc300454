import fc from 'fast-check'
import type { JsonSchemaObject } from './schema-source.ts'

interface Range {
  readonly min: number
  readonly max: number
  readonly minExcluded: boolean
  readonly maxExcluded: boolean
}

function rangeOf(keywords: JsonSchemaObject): Range {
  const {
    minimum = -Infinity,
    maximum = Infinity,
    exclusiveMinimum = -Infinity,
    exclusiveMaximum = Infinity,
  } = keywords as Readonly<Record<string, number>>
  return {
    min: Math.max(minimum, exclusiveMinimum),
    max: Math.min(maximum, exclusiveMaximum),
    minExcluded: exclusiveMinimum >= minimum && exclusiveMinimum !== -Infinity,
    maxExcluded: exclusiveMaximum <= maximum && exclusiveMaximum !== Infinity,
  }
}

/** JSON knows no negative zero. */
const withoutSign = (value: number): number => (value === 0 ? 0 : value)

function wholeNumbers({ min, max, minExcluded, maxExcluded }: Range): fc.Arbitrary<number> | undefined {
  const least = minExcluded ? Math.floor(min) + 1 : Math.ceil(min)
  const most = maxExcluded ? Math.ceil(max) - 1 : Math.floor(max)
  const bounds = { min: Math.max(least, Number.MIN_SAFE_INTEGER), max: Math.min(most, Number.MAX_SAFE_INTEGER) }
  return bounds.min > bounds.max ? undefined : fc.integer(bounds)
}

function fractions({ min, max, minExcluded, maxExcluded }: Range): fc.Arbitrary<number> | undefined {
  if (min > max || (min === max && (minExcluded || maxExcluded))) return undefined
  return fc.double({
    ...(min === -Infinity ? {} : { min, minExcluded }),
    ...(max === Infinity ? {} : { max, maxExcluded }),
    noNaN: true,
    noDefaultInfinity: true,
  })
}

/** Multiples of a number; where it is a fraction they are rounded as one would write them. */
function multiples(of: number, range: Range): fc.Arbitrary<number> | undefined {
  const counts = { ...range, min: range.min / of, max: range.max / of }
  // Whether the bounds are multiples themselves is left to whoever looks at the value.
  return wholeNumbers({ ...counts, minExcluded: false, maxExcluded: false })
    ?.map((count) => count * of)
    .map((value) => (Number.isInteger(of) ? value : Number(value.toPrecision(15))))
}

/** Numbers that a schema's keywords allow; none when no number can be. */
export function numberArbitrary(keywords: JsonSchemaObject, whole: boolean): fc.Arbitrary<number> | undefined {
  const range = rangeOf(keywords)
  const multiple = keywords['multipleOf'] as number | undefined
  if (multiple !== undefined) return multiples(multiple, range)?.map(withoutSign)
  const integers = wholeNumbers(range)
  // Beyond the safe ones every double is an integer.
  if (whole) return (integers ?? fractions(range))?.map(withoutSign)
  const doubles = fractions(range)
  if (integers === undefined || doubles === undefined) return (integers ?? doubles)?.map(withoutSign)
  return fc.oneof({ withCrossShrink: true }, integers, doubles).map(withoutSign)
}
