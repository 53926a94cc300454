import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import type { simulate } from '../../src/testing/index.ts'
import type { Bug } from './bugs.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * The simulation over sources in which one bug stands. It is put in while they are bundled: what ships has neither the bug
 * nor a switch for it.
 *
 * @throws Error when a place of the bug is not there, or there twice: the sources have moved on, and the bug has to as well
 */
export async function mutantOf(bug: Bug | undefined): Promise<{ simulate: typeof simulate }> {
  const folder = join(root, 'test/artifacts/mutants')
  await mkdir(folder, { recursive: true })
  const outfile = join(folder, `${(bug?.name ?? 'none').replaceAll(' ', '-')}-${process.pid}.mjs`)
  await build({
    entryPoints: [join(root, 'src/testing/index.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
    plugins: bug === undefined ? [] : [patching(bug)],
  })
  return (await import(pathToFileURL(outfile).href)) as { simulate: typeof simulate }
}

function patching({ name, patches }: Bug): Plugin {
  return {
    name,
    setup: ({ onLoad, onEnd }) => {
      const left = new Set(patches)
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const file = relative(root, path)
        let contents = readFileSync(path, 'utf8')
        for (const patch of patches) {
          if (patch.file !== file) continue
          const parts = contents.split(patch.find)
          if (parts.length !== 2)
            throw new Error(`'${name}': '${patch.find}' stands ${parts.length - 1} times in ${file}`)
          contents = parts.join(patch.instead)
          left.delete(patch)
        }
        return { contents, loader: 'ts' }
      })
      onEnd(() => {
        const [missing] = left
        if (missing !== undefined) throw new Error(`'${name}': there is no ${missing.file} in the bundle`)
      })
    },
  }
}
