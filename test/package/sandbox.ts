import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** The repository's root. */
export const repository = fileURLToPath(new URL('../../', import.meta.url))

/** Writes a small tree of files into a folder of its own. It is gone after the test. */
export function writeTree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'greenroom-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

/** Runs one of the installed tools in a folder and returns what it printed, whether it was content or not. */
export function runTool(tool: string, args: readonly string[], cwd: string): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve, reject) => {
    const maxBuffer = 16 * 1024 * 1024
    execFile(join(repository, 'node_modules', '.bin', tool), args, { cwd, maxBuffer }, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout })
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout })
      else reject(new Error(`${tool} did not run: ${error.message}\n${stderr}`))
    })
  })
}
