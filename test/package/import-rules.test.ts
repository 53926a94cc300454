import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { repository, runTool, writeTree } from './sandbox.ts'

// Each rule of .dependency-cruiser.cjs is broken once, in a tree built for it, and must be what refuses it. A rule that
// cannot fail would say nothing; one did, while a pattern left every package with a `dist` folder out of sight.

const config = join(repository, '.dependency-cruiser.cjs')
const packages = ['xstate', 'superjson', 'nanoid', 'ws', 'lmdb', 'jose', 'fast-check', 'left-pad']
const manifest = {
  name: 'house',
  type: 'module',
  dependencies: { superjson: '1', nanoid: '1' },
  peerDependencies: { jose: '1', lmdb: '1', ws: '1', xstate: '1' },
  peerDependenciesMeta: { lmdb: { optional: true } },
  devDependencies: { jose: '1', lmdb: '1', ws: '1', xstate: '1', 'fast-check': '1', 'left-pad': '1' },
}

/** What every tree has: the packages, and a file wherever something could be imported from. */
const ground: Record<string, string> = {
  'package.json': JSON.stringify(manifest),
  'tsconfig.json': '{ "compilerOptions": { "module": "nodenext" } }',
  ...Object.fromEntries(
    packages.flatMap((name) => [
      [`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', exports: './dist/index.js' })],
      [`node_modules/${name}/dist/index.js`, 'module.exports = {}'],
    ]),
  ),
  ...Object.fromEntries(
    [
      'machines/index.ts',
      'machines/room.ts',
      'src/protocol/index.ts',
      'src/runtime/room/room.ts',
      'src/runtime/ports/transport.ts',
      'src/runtime/ports/history.ts',
      'src/transports/ws.ts',
      'src/client/index.ts',
      'src/client/calls.ts',
      'src/testing/index.ts',
      'src/create-runtime.ts',
      'src/index.ts',
      'test/stage.ts',
      'examples/echo/server.ts',
      'bench/run.ts',
    ].map((path) => [path, 'export const here = 1']),
  ),
}

/** A file that breaks a rule, what it imports, and the rule. */
const breaches: readonly (readonly [from: string, to: string, rule: string])[] = [
  ['machines/a.ts', './room.ts', 'machines-alone'],
  ['machines/b.ts', 'nanoid', 'machines-alone'],
  ['machines/c.ts', 'node:events', 'machines-alone'],
  ['machines/d.ts', '../src/protocol/index.ts', 'machines-alone'],
  ['machines/index.ts', 'xstate', 'machines-index'],
  ['src/auth/a.ts', '../runtime/room/room.ts', 'auth'],
  ['src/auth/b.ts', 'ws', 'auth'],
  ['src/protocol/a.ts', 'node:buffer', 'protocol'],
  ['src/protocol/b.ts', '../runtime/room/room.ts', 'protocol'],
  ['src/protocol/c.ts', 'xstate', 'protocol'],
  ['src/protocol/d.ts', '../../machines/index.ts', 'protocol'],
  ['src/runtime/a.ts', 'ws', 'runtime'],
  ['src/runtime/b.ts', 'node:http', 'runtime'],
  ['src/runtime/c.ts', '../transports/ws.ts', 'runtime'],
  ['src/runtime/d.ts', '../client/index.ts', 'runtime'],
  ['src/runtime/e.ts', 'superjson', 'runtime'],
  ['src/transports/a.ts', '../runtime/room/room.ts', 'transports'],
  ['src/transports/b.ts', '../../machines/index.ts', 'transports'],
  ['src/transports/c.ts', 'node:fs', 'transports'],
  ['src/transports/memory.ts', 'ws', 'transport-memory'],
  ['src/storage/a.ts', '../runtime/room/room.ts', 'storage'],
  ['src/storage/b.ts', 'node:net', 'storage'],
  ['src/client/a.ts', 'ws', 'client'],
  ['src/client/b.ts', 'nanoid', 'client'],
  ['src/client/c.ts', 'node:buffer', 'client'],
  ['src/client/d.ts', '../runtime/room/room.ts', 'client'],
  ['src/conformance/a.ts', '../runtime/room/room.ts', 'conformance'],
  ['src/conformance/b.ts', '../client/index.ts', 'conformance'],
  ['src/conformance/c.ts', 'xstate', 'conformance'],
  ['src/conformance/d.ts', 'node:fs', 'conformance'],
  ['src/testing/a.ts', 'ws', 'testing'],
  ['src/testing/b.ts', '../../test/stage.ts', 'testing'],
  ['src/index.ts', './client/index.ts', 'composition-root'],
  ['src/create-runtime.ts', './testing/index.ts', 'composition-root'],
  ['src/backplane/a.ts', '../protocol/index.ts', 'folder-without-rule'],
  ['src/runtime/f.ts', '../../test/stage.ts', 'package-from-outside'],
  ['machines/e.ts', '../examples/echo/server.ts', 'package-from-outside'],
  ['src/testing/c.ts', '../../bench/run.ts', 'package-from-outside'],
  ['src/protocol/e.ts', 'left-pad', 'dev-dependency'],
  ['examples/echo/a.ts', '../../src/runtime/room/room.ts', 'examples-by-entry-points'],
  ['src/runtime/g.ts', './nowhere.ts', 'unresolvable'],
  ['src/client/e.ts', 'not-installed', 'unresolvable'],
  ['src/client/left.ts', './right.ts', 'cycle'],
]

interface Violation {
  readonly from: string
  readonly rule: { readonly name: string }
}

/** As `npm run check` does, but for the form of the answer. */
async function cruise(files: Record<string, string>, form: 'json' | 'err') {
  const folders = ['machines', 'src', 'test', 'examples', 'bench']
  const tree = writeTree({ ...ground, ...files })
  return runTool('depcruise', ['--config', config, '--output-type', form, ...folders], tree)
}

async function violations(files: Record<string, string>): Promise<string[]> {
  const { stdout } = await cruise(files, 'json')
  const { summary } = JSON.parse(stdout) as { summary: { violations: readonly Violation[] } }
  return summary.violations.map(({ from, rule }) => `${rule.name}: ${from}`)
}

const imports = (path: string): string => `import * as it from '${path}'\nexport const held = it\n`

describe('import rules', () => {
  it('refuse what each of them is there to refuse', async () => {
    const files = Object.fromEntries(breaches.map(([from, to]) => [from, imports(to)]))
    const found = await violations({ ...files, 'src/client/right.ts': imports('./left.ts') })
    expect(found).toEqual(expect.arrayContaining(breaches.map(([from, , rule]) => `${rule}: ${from}`)))
  })

  it('refuse an import of a type as they do one of a value', async () => {
    const typeImport = "import type { here } from '../runtime/room/room.ts'\nexport type Held = typeof here\n"
    expect(await violations({ 'src/protocol/a.ts': typeImport })).toEqual(['protocol: src/protocol/a.ts'])
  })

  it('fail the command that the check runs', async () => {
    expect((await cruise({ 'src/protocol/a.ts': imports('xstate') }, 'err')).code).toBeGreaterThan(0)
  })

  it('allow what the house is built of', async () => {
    expect(
      await violations({
        'machines/a.ts': imports('xstate'),
        'machines/index.ts': imports('./room.ts'),
        'src/protocol/a.ts': imports('superjson'),
        'src/runtime/a.ts': ['xstate', 'nanoid', 'node:buffer', '../protocol/index.ts', '../../machines/index.ts']
          .map((path, index) => `export * as it${index} from '${path}'\n`)
          .join(''),
        'src/transports/a.ts': ['ws', 'node:http', '../runtime/ports/transport.ts', '../protocol/index.ts']
          .map((path, index) => `export * as it${index} from '${path}'\n`)
          .join(''),
        'src/client/a.ts': ['xstate', './calls.ts', '../protocol/index.ts', '../../machines/room.ts']
          .map((path, index) => `export * as it${index} from '${path}'\n`)
          .join(''),
        'src/storage/a.ts': ['lmdb', 'node:fs', 'node:crypto', '../runtime/ports/history.ts', '../../machines/index.ts']
          .map((path, index) => `export * as it${index} from '${path}'\n`)
          .join(''),
        'src/conformance/a.ts': ['ws', 'node:http', '../protocol/index.ts']
          .map((path, index) => `export * as it${index} from '${path}'\n`)
          .join(''),
        'src/testing/a.ts': imports('../runtime/room/room.ts'),
        'src/create-runtime.ts': imports('./transports/ws.ts'),
        'src/index.ts': imports('./create-runtime.ts'),
        'test/a.test.ts': imports('../src/runtime/room/room.ts'),
        'examples/echo/a.ts': imports('../../src/index.ts'),
        // Two modules may know each other's types.
        'src/client/left.ts': "import type { right } from './right.ts'\nexport const left = (it: typeof right) => it\n",
        'src/client/right.ts': "import type { left } from './left.ts'\nexport const right = (it: typeof left) => it\n",
      }),
    ).toEqual([])
  })

  it('are each shown to fail by one of these breaches', () => {
    const { forbidden } = createRequire(import.meta.url)(config) as { forbidden: readonly { name: string }[] }
    expect(new Set(breaches.map(([, , rule]) => rule))).toEqual(new Set(forbidden.map(({ name }) => name)))
  })
})
