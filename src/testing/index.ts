export { VirtualClock, type TaskScheduler } from './virtual-clock.ts'
export { createVirtualEnvironment, type VirtualEnvironment } from './virtual-environment.ts'
export type { VirtualEnvironmentOptions } from './virtual-environment.ts'
export { VirtualProcess } from './virtual-process.ts'
export { SeededRandom } from './random.ts'
export { Network, type Host, type NetworkObserver, type NetworkOptions } from './network/network.ts'
export { Device, type Reach } from './network/device.ts'
export { NetworkLink, type CutOptions } from './network/network-link.ts'
export { createTestRuntime, TestRuntime } from './test-runtime.ts'
export type { TestClientOptions, TestRuntimeOptions } from './test-runtime.ts'
export { WireClient } from './wire-client.ts'
export { Received, type ReceiveOptions, type WireMessage } from './received.ts'
export * from './arbitraries/binary-messages.ts'
export { type DataSource } from './arbitraries/data-arbitraries.ts'
export { type HostileAnswer, type HostileFrame } from './arbitraries/hostile-frame.ts'
export * from './arbitraries/hostile-frames.ts'
export {
  messageArbitraries,
  type MessageArbitraries,
  type MessageSources,
  type OwnMessage,
} from './arbitraries/message-arbitraries.ts'
export { type RoomSource } from './arbitraries/room-arbitraries.ts'
export * from './arbitraries/schema-arbitrary.ts'
export * from './arbitraries/schema-error.ts'
export {
  type JsonSchema,
  type JsonSchemaObject,
  type SchemaSource,
  type StandardJsonSchema,
} from './arbitraries/schema-source.ts'
export * from './arbitraries/schema-violation.ts'
export { MachineCoverage, type Coverage } from './machine-coverage.ts'
export { simulate, type SimulationOptions, type SimulationReport } from './simulation/simulate.ts'
export { BrokenPromise, type PromiseId } from './simulation/court.ts'
export { VirtualDisk, type DiskFault, type VirtualDiskOptions } from './disk/virtual-disk.ts'
