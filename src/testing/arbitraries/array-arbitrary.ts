import fc from 'fast-check'
import { canonical } from './schema-faults.ts'
import type { JsonSchema, JsonSchemaObject } from './schema-source.ts'
import type { Place } from './value-arbitraries.ts'

/** Arrays that a schema's keywords allow; none when no array can be. */
export function arrayArbitrary(keywords: JsonSchemaObject, place: Place): fc.Arbitrary<unknown[]> | undefined {
  const { prefixItems = [], items = true } = keywords as { prefixItems?: JsonSchema[]; items?: JsonSchema }
  const { minItems = 0, maxItems = Infinity } = keywords as { minItems?: number; maxItems?: number }
  const first = leading(prefixItems, maxItems, place)
  // After an element that cannot be there is nothing more.
  const isCutShort = first.length < prefixItems.length && first.length < maxItems
  const minRest = Math.max(0, minItems - first.length)
  const maxRest = isCutShort ? 0 : maxItems - first.length
  if (minItems > maxItems || minRest > maxRest) return undefined
  const rest = maxRest === 0 ? undefined : place.arbitraryOf(items, `${place.path}/items`)
  if (rest === undefined && minRest > 0) return undefined
  const others = rest === undefined ? fc.constant<unknown[]>([]) : listOf(rest, { minRest, maxRest }, keywords, place)
  if (first.length === 0) return others
  const spare = first.length - Math.min(first.length, minItems)
  // What is not asked for is mostly there: few who write a tuple think of a shorter one.
  const missing =
    spare === 0 ? fc.constant(0) : fc.oneof({ weight: 7, arbitrary: fc.constant(0) }, fc.nat({ max: spare }))
  return fc
    .tuple(fc.tuple(...first), keywords['items'] === undefined ? seldom(others, minRest) : others, missing)
    .map(([known, more, left]) => (left > 0 ? known.slice(0, -left) : [...known, ...more]))
}

function leading(prefixItems: readonly JsonSchema[], maxItems: number, { path, arbitraryOf }: Place) {
  const first: fc.Arbitrary<unknown>[] = []
  for (const [index, schema] of prefixItems.slice(0, Math.min(maxItems, prefixItems.length)).entries()) {
    const element = arbitraryOf(schema, `${path}/prefixItems/${index}`)
    if (element === undefined) break
    first.push(element)
  }
  return first
}

function listOf(
  element: fc.Arbitrary<unknown>,
  { minRest, maxRest }: { readonly minRest: number; readonly maxRest: number },
  keywords: JsonSchemaObject,
  { amounts }: Place,
): fc.Arbitrary<unknown[]> {
  const lengths = { minLength: minRest, ...(maxRest === Infinity ? {} : { maxLength: maxRest }) }
  const constraints = { ...amounts, ...lengths }
  if (keywords['uniqueItems'] === true) return fc.uniqueArray(element, { ...constraints, selector: canonical })
  return fc.array(element, constraints)
}

/** Elements that a schema says nothing of are legal, and rare. */
const seldom = (others: fc.Arbitrary<unknown[]>, least: number): fc.Arbitrary<unknown[]> =>
  least > 0 ? others : fc.oneof({ weight: 7, arbitrary: fc.constant<unknown[]>([]) }, others)
