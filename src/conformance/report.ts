/** What a server did instead of what a rule demands. */
export interface Breach {
  readonly expected: string
  readonly came: string
  /** The last frames of the check's sockets, oldest first, without tokens and secrets. */
  readonly frames: readonly string[]
}

/** What came of one check. A rule may have several, each with a part of it. */
export interface CheckResult {
  /** The rule's ID in PROTOCOL.md. */
  readonly rule: string
  /** What was tried. */
  readonly says: string
  readonly outcome: 'ok' | 'broken' | 'skipped'
  /** Why it was skipped. */
  readonly why?: string
  /** When it is broken. */
  readonly breach?: Breach
  /** How long it took (ms). */
  readonly ms: number
}

/** A rule of which nothing is checked. */
export interface UncheckedRule {
  readonly rule: string
  readonly why: string
}

/** What came of a run. */
export interface ConformanceReport {
  readonly url: string
  /** What was tried, in its order. */
  readonly results: readonly CheckResult[]
  /** The rule that was broken first; absent when none was. */
  readonly firstBroken?: string
  /** All rules that were broken, in the order in which that was found. */
  readonly broken: readonly string[]
  /** The rules that cannot be checked from outside. */
  readonly unchecked: readonly UncheckedRule[]
  /** How long all of it took (ms). */
  readonly ms: number
}

const column = 17

/** A result in lines for people. */
export function describeResult({ rule, says, outcome, why, breach }: CheckResult): string {
  const line = `${outcome === 'broken' ? 'BROKEN ' : outcome.padEnd(7)}  ${rule.padEnd(column)}${says}`
  if (why !== undefined) return `${line} (${why})`
  if (breach === undefined) return line
  const frames = breach.frames.map((frame) => `           ${frame}`)
  return [line, `         expected  ${breach.expected}`, `         came      ${breach.came}`, ...frames].join('\n')
}

/** The rules of which nothing was tried, each with the reason. */
function describeUnchecked(unchecked: readonly UncheckedRule[]): string {
  return unchecked.map(({ rule, why }) => `         ${rule.padEnd(column)}${why}`).join('\n')
}

/** The end of a run in lines for people. */
export function describeReport({ results, broken, firstBroken, unchecked, ms }: ConformanceReport): string {
  const tried = new Set(results.flatMap(({ rule, outcome }) => (outcome === 'skipped' ? [] : [rule])))
  const skipped = new Set(results.flatMap(({ rule }) => (tried.has(rule) ? [] : [rule])))
  const count = `${tried.size} rules checked in ${(ms / 1_000).toFixed(1)} s, ${broken.length} of them broken`
  return [
    `\nnot checked from outside:\n${describeUnchecked(unchecked)}\n`,
    `${count}; ${skipped.size} rules skipped, ${unchecked.length} not checked from outside`,
    ...(firstBroken === undefined ? [] : [`first broken: ${firstBroken}`]),
  ].join('\n')
}

/** A check as `--list` has it. */
export interface ListedCheck {
  readonly rule: string
  readonly says: string
  /** About how long it takes on default settings, when it is only made on request (s). */
  readonly slowSeconds?: number
  /** What is said where what it needs is missing. */
  readonly needs?: readonly string[]
}

/** All checks in lines for people. */
export function describeList(listed: readonly ListedCheck[], unchecked: readonly UncheckedRule[]): string {
  const lines = listed.map(({ rule, says, slowSeconds }) => {
    const slow = slowSeconds === undefined ? '' : ` (slow: about ${slowSeconds} s)`
    return `${rule.padEnd(column)}${says}${slow}`
  })
  return `${lines.join('\n')}\n\nnot checked from outside:\n${describeUnchecked(unchecked)}`
}
