import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lmdb } from '../../src/storage/lmdb.ts'
import { temporaryFolder } from './lmdb-harness.ts'

const forever = { count: 1_000_000, ageMs: Infinity, idempotencyCount: 1_000_000, idempotencyMs: Infinity }
const bounds = { limit: Infinity, until: Infinity, now: 0 }

/** A process that appends, and what it said was kept. */
class Appending {
  readonly kept: { readonly offset: number; readonly id: string }[] = []
  epoch = ''
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #ended: Promise<unknown>

  constructor(path: string, durability: string, run: number) {
    const file = fileURLToPath(new URL('appending-process.ts', import.meta.url))
    const args = ['--import', 'tsx', file, path, durability, String(run)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    this.#ended = once(child, 'close')
    this.#lines = createInterface(child.stdout)
    this.#lines.on('line', (line) => this.#hear(line))
    onTestFinished(() => void child.kill('SIGKILL'))
  }

  /** Resolves when it has said of so many that they are kept. */
  async until(count: number): Promise<void> {
    while (this.kept.length < count) await once(this.#lines, 'line')
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  #hear(line: string): void {
    if (this.epoch === '') {
      this.epoch = line
      return
    }
    const [offset, id = ''] = line.split(' ')
    this.kept.push({ offset: Number(offset), id })
  }
}

describe('lmdb that is killed', () => {
  for (const durability of ['flushed', 'committed']) {
    it(`[GAPLESS] [ONCE] has all that it said was kept (${durability})`, { timeout: 60_000 }, async () => {
      const path = temporaryFolder()
      const kept: Appending['kept'] = []
      let epoch: string | undefined
      for (let run = 1; run <= 4; run++) {
        const appending = new Appending(path, durability, run)
        await appending.until(1 + Math.floor(Math.random() * 1_000))
        await appending.kill()
        kept.push(...appending.kept)
        epoch ??= appending.epoch
        expect(appending.epoch).toBe(epoch)

        const store = lmdb({ path })
        const log = await store.open('room', forever)
        expect(log.epoch).toBe(epoch)
        const { recovered, entries } = await log.since({ epoch, offset: 0 }, bounds)
        expect(recovered).toBe(true)
        expect(entries.map(({ offset }) => offset)).toEqual(Array.from({ length: log.offset }, (_, i) => i + 1))
        const contents = new Map(entries.map(({ offset, content }) => [offset, content]))
        const lost = kept.filter(({ offset, id }) => contents.get(offset) !== `,"data":"${id}"`)
        expect(lost).toEqual([])
        const record = { at: Date.now(), from: '{}', content: '' }
        const retried = kept.map(({ id }) => log.append(record, { session: 's', id }))
        expect(await Promise.all(retried)).toEqual(kept.map(({ offset }) => ({ offset, duplicate: true })))
        await store.close()
      }
    })
  }

  it('has its folder for itself while it lives, and leaves it when it is killed', { timeout: 60_000 }, async () => {
    const path = temporaryFolder()
    const appending = new Appending(path, 'flushed', 1)
    await appending.until(1)
    for (let i = 0; i < 3; i++) expect(() => lmdb({ path })).toThrow(/^Process \d+ has the store at '.*' open\.$/)
    await appending.until(appending.kept.length + 1)
    await appending.kill()
    const store = lmdb({ path })
    expect((await store.open('room', forever)).offset).toBeGreaterThanOrEqual(appending.kept.length)
    await store.close()
  })
})
