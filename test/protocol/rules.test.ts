import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkProtocolRules, citedRules, compareRules, definedRules } from '../../scripts/protocol-rules.ts'

const cited = (source: string): string[] => citedRules('a.test.ts', source).map(({ id }) => id)
const defined = (markdown: string): string[] => definedRules('PROTOCOL.md', markdown).map(({ id }) => id)

describe('the rules of PROTOCOL.md', () => {
  it('are each cited by a test, and there are no others', () => {
    const { rules, problems } = checkProtocolRules(fileURLToPath(new URL('../..', import.meta.url)))
    expect(problems).toEqual([])
    expect(rules).toBeGreaterThan(90)
  })

  it('begin a paragraph or an item of a list, outside of code', () => {
    expect(defined('**[JOIN-1]** One.\n\n- **[ORDER]** Two.')).toEqual(['JOIN-1', 'ORDER'])
    expect(defined('See **[JOIN-1]**.\n```\n**[JOIN-2]** In an example.\n```\n[JOIN-3]')).toEqual([])
  })

  it('are cited by the titles of tests, in whatever form a test is written', () => {
    expect(cited(`it('[JOIN-1] and [ORDER] hold', () => {})`)).toEqual(['JOIN-1', 'ORDER'])
    expect(cited("describe('x', () => { test.each([[1, f(2)]])(`[ONCE] ${x} [BOUND]`, g) })")).toEqual([
      'ONCE',
      'BOUND',
    ])
    expect(cited('it.for`a`("[FENCE] holds", () => {})')).toEqual(['FENCE'])
  })

  it('are not cited by what does not run, nor by what is no title', () => {
    expect(cited(`it.skip('[JOIN-1] x', f); test.todo('[JOIN-2] y')`)).toEqual([])
    expect(cited(`describe('[JOIN-1]', () => {}) // it('[JOIN-2]')`)).toEqual([])
    expect(cited(`it('says [object Object] and [a-1]', () => { f('[JOIN-1]') })`)).toEqual([])
  })

  it('are missed by name when they are not cited, not defined, or defined twice', () => {
    const problems = compareRules(
      definedRules('PROTOCOL.md', '**[A-1]** x\n**[A-1]** y\n**[B]** z'),
      citedRules('a.test.ts', `it('[A-1] x', f)\nit('[C-2] y', f)`),
    )
    expect(problems).toEqual([
      'PROTOCOL.md:2 defines [A-1] again; it stands in line 1',
      'a.test.ts:2 cites [C-2], which PROTOCOL.md does not define',
      'PROTOCOL.md:3 defines [B], which no test cites',
    ])
  })
})
