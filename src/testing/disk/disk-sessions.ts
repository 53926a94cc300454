import type { Claim, SessionRecord, SessionStore } from '../../runtime/ports/session-store.ts'
import { equalSecrets } from '../../runtime/session/memory-sessions.ts'
import type { DiskTerms, StoredSession } from './virtual-disk.ts'
import { WriteQueue } from './write-queue.ts'

/** One process's use of the sessions on a {@link VirtualDisk}. */
export class DiskSessions implements SessionStore {
  readonly keepsChanges = true
  readonly #stored: Map<string, StoredSession>
  readonly #terms: DiskTerms
  readonly #writes: WriteQueue

  constructor(stored: Map<string, StoredSession>, terms: DiskTerms) {
    this.#stored = stored
    this.#terms = terms
    this.#writes = new WriteQueue(terms)
  }

  async restore(): Promise<readonly SessionRecord[]> {
    await this.#terms.later('restore')
    if (this.#terms.fails('restore')) throw new Error('The disk failed to read the sessions.')
    return [...this.#stored.values()].map(({ record }) => record)
  }

  create(record: SessionRecord, secret: string): Promise<void> {
    return this.#perform('create', () => void this.#stored.set(record.id, { record, secret, fence: 0 }))
  }

  claim(id: string, secret: string): Promise<Claim | undefined> {
    return this.#perform('claim', () => {
      const session = this.#stored.get(id)
      if (session === undefined || !equalSecrets(session.secret, secret)) return undefined
      return { record: session.record, fence: ++session.fence }
    })
  }

  put(record: SessionRecord): void {
    this.#writes.add(() => {
      const session = this.#stored.get(record.id)
      if (session !== undefined) session.record = record
    })
  }

  delete(id: string): void {
    this.#writes.add(() => void this.#stored.delete(id))
  }

  close(): void {
    this.#writes.flush()
  }

  #perform<T>(what: 'create' | 'claim', act: () => T): Promise<T> {
    const fails = this.#terms.fails(what)
    const performed = new Promise<T>((resolve, reject) => {
      this.#writes.add(() => {
        const result = fails ? undefined : act()
        // To a process that is gone nothing is promised.
        if (!this.#terms.process.isAlive) return
        if (fails) reject(new Error(`The disk failed to ${what} a session.`))
        else resolve(result as T)
      })
    })
    // Answers may overtake one another: whoever asked first need not hear first.
    return this.#terms.schedule(performed, what)
  }
}
