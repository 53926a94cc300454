import { describe, expect, it } from 'vitest'
import { memoryHistory } from '../../src/runtime/memory-history.ts'
import { lmdb, type LmdbOptions, type LmdbStore } from '../../src/storage/lmdb.ts'
import { temporaryFolder } from './folder.ts'
import { describeHistory, type HistoryHarness } from './history-contract.ts'

/** A store in a folder of its own, whose time is the test's: nothing in it expires while nobody looks. */
function lmdbHarness(options: Partial<LmdbOptions> = {}): HistoryHarness {
  const folder = temporaryFolder()
  const open = (): LmdbStore => lmdb({ path: folder.path, now: () => -1, ...options })
  let store = open()
  return {
    get history() {
      return store
    },
    restart: async () => {
      await store.close()
      store = open()
    },
    close: async () => {
      await store.close()
      folder.remove()
    },
  }
}

describeHistory('memory', () => ({ history: memoryHistory(() => 'epoch'), close: async () => {} }))
describeHistory('lmdb, flushed,', () => lmdbHarness())
describeHistory('lmdb, committed,', () => lmdbHarness({ durability: 'committed' }))
void [describe, expect, it]
