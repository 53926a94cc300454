import { memoryHistory } from '../../src/runtime/room/memory-history.ts'
import { describeHistory } from './history-contract.ts'
import { LmdbHarness } from './lmdb-harness.ts'

describeHistory('memory', () => ({ history: memoryHistory(() => 'epoch'), close: async () => {} }))
describeHistory('lmdb, flushed,', () => new LmdbHarness())
describeHistory('lmdb, committed,', () => new LmdbHarness({ durability: 'committed' }))
