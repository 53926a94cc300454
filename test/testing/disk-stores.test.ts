import { describeHistory } from '../storage/history-contract.ts'
import { describeLastingSessions, describeSessions } from '../storage/session-contract.ts'
import { DiskHarness } from './disk-harness.ts'

const disks = {
  'prompt virtual disk': () => new DiskHarness(),
  'slow virtual disk': () => new DiskHarness({ latencyMs: [0, 4] }),
}

for (const [name, setUp] of Object.entries(disks)) {
  describeHistory(name, setUp)
  describeSessions(name, setUp)
  describeLastingSessions(name, setUp)
}
