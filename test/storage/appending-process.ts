import { argv, stdout } from 'node:process'
import { lmdb, type LmdbOptions } from '../../src/storage/lmdb.ts'

/**
 * Appends as fast as it can, until it is killed: `appending-process.ts <path> <durability> <run>`. Says which epoch it
 * found, and then of each message its offset and its request, when the log has said that it is kept.
 */

const [path = '', durability, run = ''] = argv.slice(2)
const store = lmdb({ path, durability: durability as NonNullable<LmdbOptions['durability']> })
const forever = { count: 1_000_000, ageMs: Infinity, idempotencyCount: 1_000_000, idempotencyMs: Infinity }
const log = await store.open('room', forever)
stdout.write(`${log.epoch}\n`)

let last = 0
await Promise.all(
  Array.from({ length: 20 }, async () => {
    for (;;) {
      const id = `${run}.${++last}`
      const record = { at: Date.now(), from: '{}', content: `,"data":"${id}"` }
      const { offset } = await log.append(record, { session: 's', id })
      stdout.write(`${offset} ${id}\n`)
    }
  }),
)
