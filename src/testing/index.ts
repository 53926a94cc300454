export { VirtualClock, type TaskScheduler } from './virtual-clock.ts'
export { createVirtualEnvironment, type VirtualEnvironment } from './virtual-environment.ts'
export type { VirtualEnvironmentOptions } from './virtual-environment.ts'
export { VirtualProcess } from './virtual-process.ts'
export { SeededRandom } from './random.ts'
export { Network, type Host, type NetworkObserver, type NetworkOptions } from './network/network.ts'
export { Device, type Reach } from './network/device.ts'
export type { CutOptions, NetworkLink } from './network/network-link.ts'
export { createTestRuntime, TestRuntime } from './test-runtime.ts'
export type { RuntimeTrunk } from '../runtime/runtime.ts'
export type { TestClientOptions, TestRuntimeOptions } from './test-runtime.ts'
export { WireClient } from './wire-client.ts'
export { Received, type ReceiveOptions, type WireMessage } from './received.ts'
export { binaryMessages, type BinarySources } from './arbitraries/binary-messages.ts'
export { type DataSource } from './arbitraries/data-arbitraries.ts'
export { type HostileAnswer, type HostileFrame } from './arbitraries/hostile-frame.ts'
export { hostileFrames, type HostileSources } from './arbitraries/hostile-frames.ts'
export {
  messageArbitraries,
  type MessageArbitraries,
  type MessageSources,
  type OwnMessage,
} from './arbitraries/message-arbitraries.ts'
export { type RoomSource } from './arbitraries/room-arbitraries.ts'
export { schemaArbitrary } from './arbitraries/schema-arbitrary.ts'
export { SchemaError, type SchemaErrorCode } from './arbitraries/schema-error.ts'
export {
  type JsonSchema,
  type JsonSchemaObject,
  type SchemaSource,
  type StandardJsonSchema,
} from './arbitraries/schema-source.ts'
export { schemaViolation } from './arbitraries/schema-violation.ts'
export { MachineCoverage, type Coverage } from './machine-coverage.ts'
export { simulate, type SimulationOptions, type SimulationReport } from './simulation/simulate.ts'
export type { CrashTarget, Intrusion, SimulationAction, SimulationPlan } from './simulation/plan.ts'
export type { SimulationSetting, SimulationStep } from './simulation/plan.ts'
export { BrokenPromise, type PromiseId } from './simulation/court.ts'
export { VirtualDisk, type DiskFault, type VirtualDiskOptions } from './disk/virtual-disk.ts'
export { modelCommands, type ModelCommand, type ModelCommandsOptions } from './models/model-commands.ts'
export { machineModel, type MachineModel, type MachineModelOptions } from './models/machine-model.ts'
export type { ModelDriver, ModelEvent, SeenSnapshot } from './models/machine-model.ts'
export { connectionModel, type ConnectionModel, type ConnectionModelOptions } from './models/connection-model.ts'
export type { ConnectionDriver, ConnectionModelConnect } from './models/connection-driver.ts'
export type { Outcome } from './models/chart-run.ts'
export { recordTrace, type RecordTraceOptions, type TraceRecorder } from './trace/recorder.ts'
export { readTrace, writeTrace } from './trace/trace-text.ts'
export { replayTrace, type Replay, type ReplayTraceOptions } from './trace/replay.ts'
export type { ReplayedClose, ReplayedConnection, ReplayedFrame } from './trace/replayed-connection.ts'
export type { Trace, TraceEvent, TraceFullness, TracePlace } from './trace/trace.ts'
export { TraceError } from './trace/trace-error.ts'
