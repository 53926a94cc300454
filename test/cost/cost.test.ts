import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

// Each measurement has a process of its own: what a test runner keeps on its heap is not ours to count.
async function measure(file: string, ...flags: string[]): Promise<Record<string, number>> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '--import', 'tsx', path])
  console.log(`${file}: ${stdout.trim()}`)
  return JSON.parse(stdout) as Record<string, number>
}

describe('cost', () => {
  it('an idle open connection holds at most 9.5 KB of heap, its socket aside', async () => {
    const { bytesPerConnection } = await measure('idle-heap.ts', '--expose-gc')
    expect(bytesPerConnection).toBeGreaterThan(1_000)
    expect(bytesPerConnection).toBeLessThanOrEqual(9.5 * 1024)
  })

  it('[BOUND] a message in the history holds nothing of its frame but its data', async () => {
    const { bytesPerMessage } = await measure('kept-message.ts', '--expose-gc')
    expect(bytesPerMessage).toBeGreaterThan(100)
    expect(bytesPerMessage).toBeLessThanOrEqual(1_024)
  })

  it(
    'a connect and close among 50,000 costs at most twice what it costs among 1,000',
    { timeout: 120_000 },
    async () => {
      const { ratio } = await measure('churn.ts')
      expect(ratio).toBeGreaterThan(0)
      expect(ratio).toBeLessThanOrEqual(2)
    },
  )
})
