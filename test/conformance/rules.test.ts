import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { listedChecks, uncheckedRules } from 'greenroom/conformance'
import { definedRules } from '../../scripts/protocol-rules.ts'
import { repository } from '../package/sandbox.ts'

const document = readFileSync(join(repository, 'PROTOCOL.md'), 'utf8')
const rules = definedRules('PROTOCOL.md', document).map(({ id }) => id)
const checked = new Set(listedChecks.map(({ rule }) => rule))

describe('the rules of PROTOCOL.md', () => {
  it('are each checked, or said not to be', () => {
    const named = [...checked, ...uncheckedRules.map(({ rule }) => rule)]
    expect(named.toSorted()).toEqual(rules.toSorted())
  })

  it('are not checked without saying what is tried, each time something else', () => {
    const says = listedChecks.map(({ says }) => says)
    expect(new Set(says).size).toBe(says.length)
    for (const text of says) expect(text.length).toBeLessThanOrEqual(120)
  })

  it('are each said not to be checked for a reason', () => {
    for (const { why } of uncheckedRules) expect(why).toMatch(/^[^.]{10,90}$/)
  })
})
