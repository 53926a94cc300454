import { checks, handshakeChecks } from './chapters.ts'
import { needs, type Check, type Need } from './check.ts'
import { ConformanceError } from './conformance-error.ts'
import { Break, Inapplicable } from './expectation.ts'
import type { Breach, CheckResult, ConformanceReport, ListedCheck, UncheckedRule } from './report.ts'
import { Site, type Place } from './site.ts'
import { Survey, type Facts } from './survey.ts'
import { Transcript } from './transcript.ts'
import { unchecked } from './unchecked.ts'

/** What {@link runConformance} takes. Everything has a default. */
export interface ConformanceOptions {
  /** Credentials of a user, who may have several sessions. @default none: clients come as guests */
  readonly token?: string | undefined
  /** Credentials of another user. @default none: guests, where they are let in */
  readonly otherToken?: string | undefined
  /** IDs of the rules to check, slow ones included. @default all */
  readonly only?: readonly string[] | undefined
  /** Whether checks are made that take longer than a few seconds on default settings. @default false */
  readonly slow?: boolean | undefined
  /** Whether nothing further is checked when a rule is broken. @default false */
  readonly stopAtFirst?: boolean | undefined
  /** How long an answer of the server may take (ms). @default 5_000 */
  readonly patienceMs?: number | undefined
  /** Hears of each check as soon as it is made. */
  readonly onResult?: ((result: CheckResult) => void) | undefined
}

/** How many frames are shown of a check that failed. */
const shownFrames = 12

/** The rules that cannot be checked from outside, each with the reason. */
export const uncheckedRules: readonly UncheckedRule[] = Object.entries(unchecked).map(([rule, why]) => ({ rule, why }))

/** All that can be checked, in its order. */
export const listedChecks: readonly ListedCheck[] = checks.map(({ rule, says, slowSeconds, needs: needed = [] }) => ({
  rule,
  says,
  ...(slowSeconds === undefined ? {} : { slowSeconds }),
  ...(needed.length === 0 ? {} : { needs: needed.map((need) => needs[need]) }),
}))

/**
 * Runs the rules of PROTOCOL.md against a server that claims to speak `greenroom.v1`, over sockets of its own, one
 * check after the other. It creates rooms with names that nobody has used, and leaves no session behind.
 *
 * @example
 * ```ts
 * const { firstBroken, results } = await runConformance('ws://127.0.0.1:8080/ws', { slow: true })
 * if (firstBroken !== undefined) console.error(results.find(({ outcome }) => outcome === 'broken'))
 * ```
 * @param url - of the WebSocket endpoint: `ws:` or `wss:`, without credentials
 * @throws ConformanceError when nothing could be checked; its `code` says why
 */
export async function runConformance(url: string, options: ConformanceOptions = {}): Promise<ConformanceReport> {
  const { token, otherToken, only, slow = false, stopAtFirst = false, patienceMs = 5_000, onResult } = options
  const begun = performance.now()
  // What is longer than 31 bits a timer takes for no time at all.
  if (!(patienceMs > 0 && patienceMs < 2 ** 31)) {
    throw new ConformanceError('bad-option', `patienceMs must be above 0 and below 2^31, not ${patienceMs}.`)
  }
  const place: Place = { url: checkUrl(url), patienceMs }
  const chosen = choose(only)
  const secrets = [token, otherToken].filter((secret) => secret !== undefined)
  const facts = await new Survey(place, new Transcript(secrets)).take(token, otherToken)
  const results: CheckResult[] = []
  for (const check of chosen) {
    const why = whySkipped(check, facts, slow || only !== undefined)
    const result =
      why === undefined
        ? await perform(check, new Site(place, facts, new Transcript(secrets)))
        : ({ rule: check.rule, says: check.says, outcome: 'skipped', why, ms: 0 } as const)
    results.push(result)
    onResult?.(result)
    if (stopAtFirst && result.outcome === 'broken') break
  }
  const broken = [...new Set(results.flatMap(({ rule, outcome }) => (outcome === 'broken' ? [rule] : [])))]
  const [firstBroken] = broken
  return {
    url,
    results,
    ...(firstBroken === undefined ? {} : { firstBroken }),
    broken,
    unchecked: uncheckedRules,
    ms: Math.round(performance.now() - begun),
  }
}

function checkUrl(url: string): string {
  const target = URL.canParse(url) ? new URL(url) : undefined
  if (target === undefined || (target.protocol !== 'ws:' && target.protocol !== 'wss:') || target.hash !== '') {
    throw new ConformanceError('bad-url', `The address must be one of a WebSocket, such as ws://host/ws.`)
  }
  if (target.searchParams.has('token') || target.username !== '' || target.password !== '') {
    throw new ConformanceError('bad-url', 'The address must not carry credentials: some clients come without.')
  }
  return target.href
}

function choose(only: readonly string[] | undefined): readonly Check[] {
  if (only === undefined) return checks
  for (const rule of only) {
    if (checks.some((check) => check.rule === rule)) continue
    const why = unchecked[rule]
    throw new ConformanceError(
      'unknown-rule',
      why === undefined ? `There is no rule ${rule}.` : `${rule} is not checked from outside: ${why}.`,
    )
  }
  return checks.filter(({ rule }) => only.includes(rule))
}

/** Why a check is not made, if it is not. */
function whySkipped(check: Check, facts: Facts, slow: boolean): string | undefined {
  const welcome: readonly Need[] = handshakeChecks.includes(check) ? [] : ['welcome']
  const missing = [...welcome, ...(check.needs ?? [])].find((need) => !facts.has.has(need))
  if (missing !== undefined) return needs[missing]
  const { slowSeconds } = check
  if (slow || slowSeconds === undefined) return undefined
  return `slow, about ${slowSeconds} s: --slow`
}

async function perform(check: Check, site: Site): Promise<CheckResult> {
  const { rule, says } = check
  const begun = performance.now()
  let outcome: Pick<CheckResult, 'outcome' | 'why' | 'breach'>
  try {
    await check.run(site)
    outcome = { outcome: 'ok' }
  } catch (error) {
    if (error instanceof Inapplicable) outcome = { outcome: 'skipped', why: error.message }
    else outcome = { outcome: 'broken', breach: breachOf(error, site.transcript) }
  }
  await site.close()
  return { rule, says, ...outcome, ms: Math.round(performance.now() - begun) }
}

function breachOf(error: unknown, transcript: Transcript): Breach {
  const frames = transcript.last(shownFrames)
  if (error instanceof Break) {
    return { expected: transcript.cut(error.expected), came: transcript.cut(error.came), frames }
  }
  // A check stumbles over an answer that is of another kind than any it knows.
  return { expected: 'an answer that can be read', came: transcript.cut(String(error)), frames }
}
