import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { build, type Metafile } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { repository } from './sandbox.ts'

/** What a page may have to load for `greenroom/client`, XState and superjson included. */
const budgetBytes = 26_500

async function bundle(format: 'esm' | 'iife'): Promise<{ text: string; metafile: Metafile }> {
  const { warnings, outputFiles, metafile } = await build({
    entryPoints: [join(repository, 'src/client/index.ts')],
    absWorkingDir: repository,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format,
    globalName: 'greenroom',
    platform: 'browser',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  })
  expect(warnings).toEqual([])
  return { text: outputFiles[0]?.text ?? '', metafile }
}

const { text, metafile } = await bundle('esm')

describe('greenroom/client in a browser', () => {
  it('imports nothing: everything is in the bundle', () => {
    const [output] = Object.values(metafile.outputs)
    expect(output?.imports).toEqual([])
    expect(text).not.toMatch(/\bimport\s*\(|\bimport\s*["'{*]|\brequire\s*\(/)
  })

  it('needs nothing of Node: no module, no Buffer, no process', () => {
    expect(
      Object.keys(metafile.inputs).filter((path) => /^node:|\/node_modules\/(ws|nanoid)\//.test(`/${path}`)),
    ).toEqual([])
    expect(text).not.toContain('node:')
    expect(text).not.toMatch(/\bBuffer\b/)
    expect(text).not.toMatch(/\bprocess\b/)
  })

  it(`is at most ${budgetBytes / 1_000} KB compressed`, () => {
    const sizeBytes = gzipSync(text, { level: 9 }).length
    console.log(`greenroom/client: ${text.length} bytes minified, ${sizeBytes} bytes gzipped`)
    expect(sizeBytes).toBeLessThanOrEqual(budgetBytes)
  })

  it('can be loaded where there is nothing but the language', async () => {
    const script = await bundle('iife')
    const exported: unknown = runInNewContext(`${script.text}; greenroom`, {})
    expect(exported).toMatchObject({ createClient: expect.any(Function) as unknown })
  })

  it('leaves the server out', () => {
    const inputs = Object.keys(metafile.inputs).filter((path) => !path.startsWith('node_modules/'))
    const allowed = /^(src\/(client|protocol)|machines)\//
    expect(inputs.filter((path) => !allowed.test(path))).toEqual([])
    expect(inputs.length).toBeGreaterThan(5)
  })
})
