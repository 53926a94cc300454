import { protocolLimits } from './limits.ts'

/**
 * Whether a parsed value stays within the bounds of depth and number of parts, so that writing it again, walking it or
 * showing it costs no more than its frame did.
 */
export function isBounded(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return countNodes(value, 1, 0) <= protocolLimits.dataNodes
}

function countNodes(value: object, depth: number, before: number): number {
  if (depth > protocolLimits.dataDepth) return Infinity
  let count = before
  if (Array.isArray(value)) {
    for (const element of value) {
      count = typeof element === 'object' && element !== null ? countNodes(element, depth + 1, count + 1) : count + 1
      if (count > protocolLimits.dataNodes) return Infinity
    }
    return count
  }
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key]
    count = typeof member === 'object' && member !== null ? countNodes(member, depth + 1, count + 1) : count + 1
    if (count > protocolLimits.dataNodes) return Infinity
  }
  return count
}

/** How many parts a parsed value has, up to what is allowed. */
export function partsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return Math.min(countNodes(value, 1, 0), protocolLimits.dataNodes)
}

/** Whether a parsed value is a JSON object, neither an array nor null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
