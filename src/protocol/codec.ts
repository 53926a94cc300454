import { SuperJSON } from 'superjson'
import type { Json } from './messages.ts'
import { isSafeMeta, metaFits } from './meta-gate.ts'
import { isBounded } from './plain.ts'

// An instance of our own: classes and custom types that an application registers with superjson's default instance
// must not become reachable from the wire.
const superjson = new SuperJSON({ dedupe: false })

/** Application data as it travels: the plain part, and superjson's annotations when there is more to say. */
export interface EncodedData {
  readonly data: Json
  readonly meta?: Json
}

/**
 * Encodes application data. Plain JSON stays as it is and costs no superjson; Date, Map, Set, BigInt, URL, undefined,
 * NaN and the infinities are annotated in `meta`.
 *
 * @throws TypeError when the value holds something that neither can say (a function, a symbol, a class instance, a
 * circular reference, a regular expression), or is nested deeper or has more parts than the protocol allows.
 */
export function encodeData(value: unknown): EncodedData {
  if (isPlain(value, 0)) {
    if (!isBounded(value)) throw new TypeError('The data has too many parts.')
    return { data: value as Json }
  }
  const { json, meta } = annotate(value)
  if (!isBounded(json)) throw new TypeError('The data is nested too deep or has too many parts.')
  if (meta === undefined) throw new TypeError('The data holds a value that cannot be encoded.')
  const { referentialEqualities: _, ...annotations } = meta
  if (!isSafeMeta(annotations)) throw new TypeError('The data holds a value that cannot be encoded.')
  return { data: (json === undefined ? null : json) as Json, meta: annotations as unknown as Json }
}

function annotate(value: unknown): ReturnType<typeof superjson.serialize> {
  try {
    return superjson.serialize(value)
  } catch (cause) {
    throw new TypeError('The data holds a value that cannot be encoded.', { cause })
  }
}

/**
 * Rebuilds application data.
 *
 * @throws TypeError when `meta` asks for anything but the allowed conversions, or does not fit its data
 */
export function decodeData({ data, meta }: Partial<EncodedData>): unknown {
  if (meta === undefined) return data
  if (!isSafeMeta(meta)) throw new TypeError('The meta names a conversion that is not allowed.')
  // superjson writes to any path it is told, and past the end of an array that is a very long array.
  if (!metaFits(meta, data)) throw new TypeError('The meta does not fit its data.')
  try {
    return superjson.deserialize({ json: data as never, meta: meta as never })
  } catch (cause) {
    throw new TypeError('The meta does not fit its data.', { cause })
  }
}

const deepest = 64

/**
 * Whether JSON alone says the whole of a value. Looks at all of it, since superjson passes over what it cannot say.
 *
 * @throws TypeError for what nobody here can say
 */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'bigint':
    case 'undefined':
      return false
    case 'object':
      break
    default:
      throw new TypeError(`The data holds a ${typeof value}, which cannot be encoded.`)
  }
  if (value === null) return true
  // A value that contains itself is found here, too.
  if (depth > deepest) throw new TypeError('The data is nested too deep.')
  if (Array.isArray(value)) return arePlain(value, depth)
  if (value instanceof Map) return arePlain([...value].flat(), depth) && false
  if (value instanceof Set) return arePlain([...value], depth) && false
  if (value instanceof Date && !Number.isNaN(value.getTime())) return false
  if (value instanceof URL) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return arePlain(Object.values(value), depth)
  throw new TypeError('The data holds a value that cannot be encoded: an invalid date, or an instance of a class.')
}

function arePlain(values: readonly unknown[], depth: number): boolean {
  let plain = true
  for (const value of values) plain = isPlain(value, depth + 1) && plain
  return plain
}
