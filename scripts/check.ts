import { spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Everything about the code that can be said without running it: `npm run check`. One line for each check, and the
 * output of those that failed.
 */

interface Check {
  readonly name: string
  /** Run one after the other; the first that fails ends the check. */
  readonly commands: readonly (readonly [tool: string, ...args: string[]])[]
  /** What the check stands on. Without it there is nothing to check. */
  readonly needs?: string
  readonly before?: () => void
}

interface Outcome {
  readonly ok: boolean
  readonly output: string
}

const root = fileURLToPath(new URL('..', import.meta.url))
const source = ['machines', 'src', 'test', 'examples', 'bench', 'scripts'].filter((folder) =>
  existsSync(join(root, folder)),
)

// The longest first, so that no core is left with it at the end.
const checks: readonly Check[] = [
  {
    name: 'package',
    // A file whose source is gone must not ship.
    before: () => rmSync(join(root, 'dist'), { recursive: true, force: true }),
    commands: [
      ['tsc', '-p', 'tsconfig.build.json'],
      ['publint', '--strict'],
      ['attw', '--pack', '.', '--profile', 'esm-only', '--no-emoji'],
    ],
  },
  { name: 'types', commands: [['tsc', '-p', 'tsconfig.json']] },
  {
    name: 'types of the page',
    needs: 'examples/chat/page/tsconfig.json',
    commands: [['tsc', '-p', 'examples/chat/page/tsconfig.json']],
  },
  { name: 'unused code', commands: [['knip']] },
  { name: 'import rules', commands: [['depcruise', '--config', '.dependency-cruiser.cjs', ...source]] },
  { name: 'protocol rules', needs: 'scripts/protocol-rules.ts', commands: [['tsx', 'scripts/protocol-rules.ts']] },
  { name: 'lint', commands: [['oxlint', '--deny-warnings', '--format', 'unix']] },
  { name: 'format', commands: [['oxfmt', '--check']] },
]

// Tools are found where npm puts them, also when this file is run without npm.
const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`

function run([tool, ...args]: Check['commands'][number]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(tool, args, {
      cwd: root,
      env: { ...process.env, PATH: path },
      shell: process.platform === 'win32',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.once('error', (error) => resolve({ ok: false, output: `${tool} did not start: ${error.message}` }))
    child.once('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(chunks).toString().trim() }))
  })
}

async function perform({ name, commands, before }: Check): Promise<boolean> {
  const begun = performance.now()
  before?.()
  let outcome: Outcome = { ok: true, output: '' }
  for (const command of commands) {
    outcome = await run(command)
    if (!outcome.ok) break
  }
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1)
  console.log(`${outcome.ok ? 'ok    ' : 'failed'}  ${name.padEnd(18)} ${seconds.padStart(5)} s`)
  if (!outcome.ok) console.log(outcome.output.replaceAll(/^(?=.)/gm, '        '))
  return outcome.ok
}

const waiting = checks.filter(({ needs }) => needs === undefined || existsSync(join(root, needs)))
const results: boolean[] = []

async function work(): Promise<void> {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) results.push(await perform(check))
}

await Promise.all(Array.from({ length: Math.min(waiting.length, Math.max(2, availableParallelism())) }, work))
process.exitCode = results.every(Boolean) ? 0 : 1
