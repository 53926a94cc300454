import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lines, notApplicable } from './lines.ts'

/** Which lines the tests of this folder name. */
function tested(): string[] {
  return readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(import.meta.dirname, file), 'utf8')
      return [...text.matchAll(/(?:\.abuse|sentenceOf)\(\s*'([^']+)'/g)].map(([, line = '']) => line)
    })
}

describe('the abuse list', () => {
  it('has one test for each of its lines', () => {
    expect(tested().toSorted()).toEqual(Object.keys(lines).toSorted())
  })

  it('says of each line that does not apply why not', ({ task }) => {
    const reasons = Object.entries(notApplicable)
    task.meta.notes = reasons.map(([line, reason]) => `not applicable yet, as ${reason}: ${line}`)
    for (const [, reason] of reasons) expect(reason).not.toBe('')
  })
})
