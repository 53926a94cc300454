import { memorySessions } from '../../src/runtime/session/memory-sessions.ts'
import { LmdbHarness } from './lmdb-harness.ts'
import { describeLastingSessions, describeSessions } from './session-contract.ts'

describeSessions('memory', () => ({ sessions: memorySessions(), close: async () => {} }))
describeSessions('lmdb, flushed,', () => new LmdbHarness())
describeSessions('lmdb, committed,', () => new LmdbHarness({ durability: 'committed' }))
describeLastingSessions('lmdb, flushed,', () => new LmdbHarness())
describeLastingSessions('lmdb, committed,', () => new LmdbHarness({ durability: 'committed' }))
