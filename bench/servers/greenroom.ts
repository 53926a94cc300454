import { createRuntime } from 'greenroom'
import { answerRunner } from './control-channel.ts'

// Everything by default, but for the heartbeat: no server is to probe anybody while it is measured.
const runtime = createRuntime({ heartbeatMs: 600_000 })
answerRunner(await runtime.listen(0, { host: '127.0.0.1' }))
