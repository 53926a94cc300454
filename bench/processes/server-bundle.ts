import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { serverNames } from '../dialects.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The servers as plain JavaScript, so that no loader runs in the process that is measured. */
export interface ServerBundle {
  pathOf(name: string): string
  remove(): void
}

/**
 * Compiles servers. They stay below `node_modules`, where packages are found from.
 *
 * @param names - which of `bench/servers`. Default: all that are compared
 */
export function bundleServers(names: readonly string[] = serverNames): ServerBundle {
  const cache = join(root, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  const directory = mkdtempSync(join(cache, 'greenroom-bench-'))
  buildSync({
    entryPoints: names.map((name) => join(root, 'bench', 'servers', `${name}.ts`)),
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    tsconfig: join(root, 'tsconfig.json'),
    logLevel: 'warning',
  })
  return {
    pathOf: (name) => join(directory, `${name}.mjs`),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}
