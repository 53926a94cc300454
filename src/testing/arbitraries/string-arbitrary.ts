import fc from 'fast-check'
import { SchemaError } from './schema-error.ts'
import { patternOf } from './schema-keywords.ts'
import type { JsonSchemaObject } from './schema-source.ts'
import { formats } from './string-formats.ts'

interface Lengths {
  readonly minLength: number
  readonly maxLength: number
}

/** Beyond this nobody is served by a text that is exactly as long as it may be. */
const longestExact = 4_096

function texts({ minLength, maxLength }: Lengths): fc.Arbitrary<string> {
  const lengths = { minLength, ...(maxLength === Infinity ? {} : { maxLength }) }
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 6, arbitrary: fc.string(lengths) },
    // By the standard a length is one of code points.
    { weight: 3, arbitrary: fc.string({ ...lengths, unit: 'binary' }) },
    ...(maxLength > longestExact
      ? []
      : [{ weight: 1, arbitrary: fc.string({ minLength: maxLength, maxLength, unit: 'binary' }) }]),
  )
}

function matching(pattern: string, { minLength, maxLength }: Lengths): fc.Arbitrary<string> {
  const expression = patternOf(pattern)
  const limit = maxLength === Infinity ? {} : { maxLength }
  if (minLength < 10) return fc.stringMatching(expression, limit)
  return fc.oneof(
    ...(['small', 'medium', 'large'] as const).map((size) => fc.stringMatching(expression, { ...limit, size })),
  )
}

/**
 * Texts that a schema's keywords allow; none when no text can be. Where there is a format and a pattern, or a pattern
 * and lengths, not all that is made keeps them all.
 *
 * @throws SchemaError for a pattern that texts cannot be made of
 */
export function stringArbitrary(keywords: JsonSchemaObject, path: string): fc.Arbitrary<string> | undefined {
  const { minLength = 0, maxLength = Infinity } = keywords as { minLength?: number; maxLength?: number }
  const { format, pattern } = keywords as { format?: string; pattern?: string }
  if (minLength > maxLength) return undefined
  const lengths = { minLength, maxLength }
  const formatted = format === undefined ? undefined : formats.get(format)?.arbitrary
  if (pattern === undefined) return formatted ?? texts(lengths)
  try {
    const matched = matching(pattern, lengths)
    return formatted === undefined ? matched : fc.oneof({ weight: 3, arbitrary: formatted }, matched)
  } catch (cause) {
    if (formatted !== undefined) return formatted
    throw new SchemaError('unsupported-schema', `${path}/pattern`, `No texts can be made of it: ${String(cause)}`)
  }
}
