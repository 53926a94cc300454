import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { repository, runTool, writeTree } from './sandbox.ts'

// Time, randomness and ids come from the environment: else a run could not be repeated from its seed. Here each way
// around it is written down once, and the linter must refuse it.

const ways: Readonly<Record<string, string>> = {
  'date-now': 'export const at = Date.now()',
  'date-now-taken-out': 'export const { now } = Date',
  'date-now-computed': "export const at = Date['now']()",
  'new-date': 'export const at = new Date()',
  'date-as-function': 'export const at = Date()',
  'global-date': 'export const at = new globalThis.Date()',
  performance: 'export const at = performance.now()',
  'math-random': 'export const chance = Math.random()',
  crypto: 'export const id = crypto.randomUUID()',
  'set-timeout': 'setTimeout(() => {}, 1)',
  'set-interval': 'setInterval(() => {}, 1)',
  'set-immediate': 'setImmediate(() => {})',
  'queue-microtask': 'queueMicrotask(() => {})',
  'global-set-timeout': 'globalThis.setTimeout(() => {}, 1)',
  'abort-signal-timeout': 'export const signal = AbortSignal.timeout(1)',
  process: 'export const at = process.hrtime()',
  console: "console.log('here')",
  nanoid: "export { nanoid } from 'nanoid'",
  'nanoid-import': "import { nanoid } from 'nanoid'\nexport const id = nanoid()",
  'nanoid-non-secure': "import { nanoid } from 'nanoid/non-secure'\nexport const id = nanoid()",
  'node-crypto': "import { randomUUID } from 'node:crypto'\nexport const id = randomUUID()",
  'node-timers': "import { setTimeout as later } from 'node:timers/promises'\nexport const wait = later(1)",
  buffer: "export const bytes = Buffer.from('here')",
}
const folders = ['machines', 'src/protocol', 'src/runtime', 'src/client', 'src/transports']

interface Report {
  readonly diagnostics: readonly { readonly filename: string }[]
  readonly number_of_files: number
}

/** Lints a tree by the rules of this repository and returns the files that were refused. */
async function refused(files: Record<string, string>): Promise<string[]> {
  const rules = ['.oxlintrc.json', 'scripts/lint-rules.js'].map((path) => [
    path,
    readFileSync(join(repository, path), 'utf8'),
  ])
  const args = ['--deny-warnings', '--format', 'json']
  const { code, stdout } = await runTool('oxlint', args, writeTree({ ...Object.fromEntries(rules), ...files }))
  const { diagnostics, number_of_files: count } = JSON.parse(stdout) as Report
  // The rules themselves are a file too.
  expect(count).toBe(Object.keys(files).length + 1)
  expect(code).toBe(diagnostics.length === 0 ? 0 : 1)
  return [...new Set(diagnostics.map(({ filename }) => filename))].toSorted()
}

describe('lint rules', () => {
  it('refuse every way around the environment, in every folder that has to take it', async () => {
    const files = Object.fromEntries(
      folders.flatMap((folder) => Object.entries(ways).map(([name, text]) => [`${folder}/${name}.ts`, `${text}\n`])),
    )
    expect(await refused(files)).toEqual(Object.keys(files).toSorted())
  })

  it('let the two environments be what the others take it from', async () => {
    const text = [
      "import { nanoid } from 'nanoid'",
      'export const now = () => [Date.now(), new Date(), performance.now()]',
      'export const chance = () => [Math.random(), crypto.randomUUID(), nanoid()]',
      'export const later = () => [setTimeout(() => {}, 1), setImmediate(() => {})]',
      '',
    ].join('\n')
    expect(await refused({ 'src/runtime/ports/environment.ts': text, 'src/client/environment.ts': text })).toEqual([])
    expect(await refused({ 'src/runtime/steps.ts': text })).toEqual(['src/runtime/steps.ts'])
  })

  it('leave alone what reads no clock', async () => {
    const files = {
      'src/client/date.ts': 'export const toDate = (at: number) => new Date(at)\n',
      'src/runtime/clock.ts': 'export const later = (clock: { setTimeout(ms: number): void }) => clock.setTimeout(1)\n',
      'src/testing/virtual-clock.ts': 'setImmediate(() => {})\n',
      'test/a.test.ts': 'export const at = Date.now()\n',
    }
    expect(await refused(files)).toEqual([])
  })

  it('refuse `any`, and an import of types that is not one', async () => {
    const files = {
      'src/runtime/any.ts': 'export const anything: any = 1\n',
      'src/runtime/import.ts': "import { Clock } from './environment.ts'\nexport type Time = Clock\n",
    }
    expect(await refused(files)).toEqual(['src/runtime/any.ts', 'src/runtime/import.ts'])
  })
})
