import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of one's own, until it is removed. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'greenroom-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
