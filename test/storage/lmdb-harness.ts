import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open, type Database, type RootDatabase } from 'lmdb'
import { onTestFinished } from 'vitest'
import { lmdb, type LmdbOptions, type LmdbStore } from '../../src/storage/lmdb.ts'

/** A folder of one's own. It is gone after the test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'greenroom-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** The file of a store, as lmdb itself sees it. */
export function openRaw(path: string): RootDatabase<Buffer, Buffer> {
  return open<Buffer, Buffer>({ path, noSubdir: false, encoding: 'binary', keyEncoding: 'binary' })
}

/** What of it is about sessions. */
function openRawSessions(raw: RootDatabase<Buffer, Buffer>): Database<Buffer, Buffer> {
  return raw.openDB<Buffer, Buffer>('sessions', { encoding: 'binary', keyEncoding: 'binary' })
}

/** A store that is closed when the test is over. */
export function harness(options: Partial<LmdbOptions> = {}): LmdbHarness {
  const made = new LmdbHarness(options)
  onTestFinished(() => made.close())
  return made
}

/** A store that can be restarted. */
export class LmdbHarness {
  readonly path: string
  readonly #options: Partial<LmdbOptions>
  #store: LmdbStore

  /**
   * @param options - by default its time stands still before all times, so that nothing expires while nobody looks
   */
  constructor(options: Partial<LmdbOptions> = {}) {
    this.path = mkdtempSync(join(tmpdir(), 'greenroom-'))
    this.#options = { path: this.path, now: () => -1, ...options }
    this.#store = this.#open()
  }

  get store(): LmdbStore {
    return this.#store
  }

  get history(): LmdbStore {
    return this.#store
  }

  get sessions(): LmdbStore {
    return this.#store
  }

  /**
   * @param between - what happens to the folder while nobody has it open
   */
  async restart(
    options: Partial<LmdbOptions> = {},
    between?: (db: RootDatabase<Buffer, Buffer>, sessions: Database<Buffer, Buffer>) => void,
  ): Promise<void> {
    await this.#store.close()
    if (between !== undefined) {
      const raw = openRaw(this.path)
      const sessions = openRawSessions(raw)
      raw.transactionSync(() => between(raw, sessions))
      await raw.close()
    }
    this.#store = this.#open(options)
  }

  async close(): Promise<void> {
    await this.#store.close()
    rmSync(this.path, { recursive: true, force: true })
  }

  #open(options: Partial<LmdbOptions> = {}): LmdbStore {
    return lmdb({ path: this.path, ...this.#options, ...options })
  }
}
