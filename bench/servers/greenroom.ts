import { createRuntime } from 'greenroom'
import { answerRunner } from './control-channel.ts'

// Everything by default, but for the heartbeat, as no server is to probe anybody while it is measured, and for limits that
// the others do not have.
const unlimited = {
  connectionsPerAddress: Infinity,
  unauthenticatedConnections: Infinity,
  upgradesPerSecond: Infinity,
  messagesPerSecond: Infinity,
  bytesPerSecond: Infinity,
  userMessagesPerSecond: Infinity,
  userBytesPerSecond: Infinity,
}
const runtime = createRuntime({ heartbeatMs: 600_000, ...unlimited })
answerRunner(await runtime.listen(0, { host: '127.0.0.1' }))
