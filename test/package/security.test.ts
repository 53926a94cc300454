import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolveSettings } from '../../src/runtime/options.ts'
import type { Refusal } from '../../src/index.ts'
import { repository } from './sandbox.ts'

const settings = resolveSettings({}) as unknown as Readonly<Record<string, number>>

/** Every row of the table of limits: what it says of the default, and which options it names. */
function rows() {
  const [, table = ''] =
    /\| what \| default \|[^\n]*\n\|[-| ]+\|\n((?:\|[^\n]*\n)+)/.exec(
      readFileSync(join(repository, 'SECURITY.md'), 'utf8'),
    ) ?? []
  return table
    .trim()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim()))
    .map(([, what = '', value = '', options = '', breach = '']) => ({ what, value, options, breach }))
}

/** The ways in which a number may stand there: as it is, in a thousand's groups, in KiB, MiB, seconds. */
function spellings(option: string): string[] {
  const value = settings[option] ?? NaN
  const grouped = value.toLocaleString('en-US')
  if (option.endsWith('Ms')) return [`${value / 1_000} s`]
  if (!option.includes('ytes')) return [grouped]
  return [`${value / 1024} KiB`, `${value / 1024 / 1024} MiB`, `${value / 1024 / 1024} Mi characters`]
}

describe('the table of limits in SECURITY.md', () => {
  it.each(rows())('says the default of $what, and what a breach gets', ({ value, options, breach }) => {
    for (const [, option = ''] of options.matchAll(/`(\w+)`/g)) {
      if (settings[option] === undefined) continue
      const said = spellings(option).some((text) => new RegExp(`(?<![\\d,.])${text}(?!\\d|[,.]\\d)`).test(value))
      expect(said, `${option} is ${settings[option]}: ${value}`).toBe(true)
    }
    expect(breach).not.toBe('')
  })

  it('names every option that bounds what clients can do', () => {
    const named = new Set(
      rows().flatMap(({ options }) => [...options.matchAll(/`(\w+)`/g)].map(([, option]) => option)),
    )
    // Times that no client can use against anybody, and what bounds the server's own doings.
    const others =
      /^(resumeWindow|presence(Grace|Count)|typing|roomLinger|request|goodbye|close|drain|restart|renewal|replayCount|roomRestart)/
    const missing = Object.keys(settings).filter((option) => !named.has(option) && !others.test(option))
    expect(missing).toEqual([])
  })
})

describe('what SECURITY.md says of refusals', () => {
  it('names all that telemetry is told of', () => {
    const types: { readonly [type in Refusal['type']]: true } = {
      'connection.refused': true,
      'authentication.refused': true,
      'request.refused': true,
      'resume.refused': true,
      'session.evicted': true,
    }
    const [, list = ''] =
      /told to `telemetry` \(([^)]*)\)/.exec(readFileSync(join(repository, 'SECURITY.md'), 'utf8')) ?? []
    expect([...list.matchAll(/`([\w.]+)`/g)].map(([, type]) => type)).toEqual(Object.keys(types))
  })
})
