import { protocolLimits } from './limits.ts'
import { isObject } from './plain.ts'

// What superjson's deserialiser does to a value is chosen by `meta`, so `meta` from a client is a program. Only
// conversions whose cost is bounded by the size of the frame and which build nothing but plain values are let through:
// no references, classes, symbols, custom types, regular expressions, typed arrays or errors.
const allowed = new Set(['Date', 'bigint', 'undefined', 'number', 'set', 'map', 'URL'])
const longest = 512
const forbiddenKeys = /(?:^|\.)(?:__proto__|prototype|constructor)(?:\.|$)/

/** Whether `meta`, as it came from outside, may be given to superjson together with its data. */
export function isSafeMeta(meta: unknown): boolean {
  if (!isObject(meta)) return false
  for (const key in meta) if (key !== 'values' && key !== 'v') return false
  if (meta['v'] !== undefined && typeof meta['v'] !== 'number') return false
  return meta['values'] === undefined || countAnnotations(meta['values'], 0, 0) <= protocolLimits.metaEntries
}

/** The shape is superjson's: `[annotation]`, `[annotation, children]`, or `children` alone, a map of paths. */
function countAnnotations(tree: unknown, depth: number, before: number): number {
  if (depth > protocolLimits.dataDepth) return Infinity
  if (isObject(tree)) return countChildren(tree, depth, before)
  if (!Array.isArray(tree) || tree.length < 1 || tree.length > 2) return Infinity
  if (!allowed.has(tree[0] as string)) return Infinity
  if (tree.length === 1) return before + 1
  return isObject(tree[1]) ? countChildren(tree[1], depth, before + 1) : Infinity
}

function countChildren(children: Record<string, unknown>, depth: number, before: number): number {
  let count = before
  for (const path in children) {
    if (path.length > longest || forbiddenKeys.test(path)) return Infinity
    count = countAnnotations(children[path], depth + 1, count)
    if (count > protocolLimits.metaEntries) return Infinity
  }
  return count
}

/** Whether every path of a safe `meta` leads to something that is there in the data. */
export function metaFits(meta: unknown, data: unknown): boolean {
  const { values } = meta as { values?: unknown }
  return values === undefined || treeFits(values, data)
}

function treeFits(tree: unknown, data: unknown): boolean {
  const children: unknown = Array.isArray(tree) ? tree[1] : tree
  if (!isObject(children)) return true
  return Object.entries(children).every(([path, child]) => {
    let place = data
    for (const key of keysOf(path)) {
      if (typeof place !== 'object' || place === null || !Object.hasOwn(place, key)) return false
      place = (place as Record<string, unknown>)[key]
    }
    return treeFits(child, place)
  })
}

/** Takes a path apart as superjson puts it together: a dot between keys, a backslash before what is part of one. */
function keysOf(path: string): string[] {
  const keys: string[] = []
  let key = ''
  for (let i = 0; i < path.length; i++) {
    if (path[i] === '.') {
      keys.push(key)
      key = ''
    } else {
      if (path[i] === '\\') i++
      key += path[i] ?? ''
    }
  }
  return [...keys, key]
}
